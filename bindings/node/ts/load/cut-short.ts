import { closeSync, openSync, readSync, statSync } from 'node:fs'

/** The file ends before its headers say. */
export class CutShort extends Error {
  constructor(file: string, size: number, needed: number) {
    super(`${file} is cut short: the file has ${size} bytes, and its headers name ${needed}`)
  }
}

/**
 * Returns an error for a library that is cut short, before the library is loaded.
 *
 * Linux maps such a library beyond its end, and kills the process at the first access. macOS and Windows refuse it with
 * an error of their own. In doubt the function returns undefined, and the system's loader decides.
 */
export function cutShort(file: string | undefined): CutShort | undefined {
  if (process.platform !== 'linux' || !file || !mayRead(file)) return undefined
  try {
    const stats = statSync(file, { throwIfNoEntry: false })
    if (!stats?.isFile()) return undefined
    const needed = elfSize(head(file))
    return needed !== undefined && stats.size < needed ? new CutShort(file, stats.size, needed) : undefined
  } catch {
    return undefined
  }
}

/** Whether reading the file asks the user for no permission. Deno loads an addon without that permission. */
function mayRead(path: string): boolean {
  const { Deno } = globalThis as { Deno?: { permissions: { querySync(asked: object): { state: string } } } }
  return !Deno || Deno.permissions.querySync({ name: 'read', path }).state === 'granted'
}

/** Room for ELF's header and the program headers behind it: an addon has about ten, of 56 bytes each. */
const HEAD_BYTES = 4096

function head(file: string): Buffer {
  const descriptor = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(HEAD_BYTES)
    return bytes.subarray(0, readSync(descriptor, bytes, 0, HEAD_BYTES, 0))
  } finally {
    closeSync(descriptor)
  }
}

/** Returns the minimum size of a 64-bit little-endian ELF file. Source: System V ABI, chapters 4 and 5. */
function elfSize(bytes: Buffer): number | undefined {
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46 || bytes.readUInt16BE(4) !== 0x0201) return undefined
  const start = Number(bytes.readBigUInt64LE(32))
  const [size, count] = [bytes.readUInt16LE(54), bytes.readUInt16LE(56)]
  const end = start + size * count
  if (size !== 56 || count === 0 || end > HEAD_BYTES) return undefined
  const PT_LOAD = 1
  const segments = Array.from({ length: count }, (_, index) => bytes.subarray(start + index * size))
    .filter((header) => header.length >= size && header.readUInt32LE(0) === PT_LOAD)
    .map((header) => Number(header.readBigUInt64LE(8) + header.readBigUInt64LE(32)))
  return Math.max(end, ...segments)
}
