/** The number of bytes of text and blobs up to which a batch is filled. A longer row makes the batch larger. */
const BATCH_BYTES = 256 * 1024

/** Returns whether a batch is so large that no further batch may be held beside it. Only its last row can make it so. */
export function isLarge(rows: readonly unknown[]): boolean {
  return sizeOf(rows[rows.length - 1]) > BATCH_BYTES
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 0
  if (ArrayBuffer.isView(value)) return value.byteLength
  let size = 0
  for (const part of Object.values(value)) size += sizeOf(part)
  return size
}
