import { closeSync, openSync, readSync, statSync } from 'node:fs'

/** The error for a file that is shorter than its headers require. */
export class CutShort extends Error {
  constructor(file: string, size: number, needed: number) {
    super(`${file} is truncated: the file has ${size} bytes, but its headers require ${needed}`)
  }
}

/**
 * Returns an error for a truncated library, before the library is loaded.
 *
 * Linux maps a truncated library beyond its end, and kills the process at the first access. macOS and Windows refuse
 * the file with their own errors. If the required size is unknown, the function returns undefined, and the system's
 * loader decides.
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

/** Returns whether the file can be read without a permission prompt. Deno loads an addon without read permission. */
function mayRead(path: string): boolean {
  const { Deno } = globalThis as { Deno?: { permissions: { querySync(asked: object): { state: string } } } }
  return !Deno || Deno.permissions.querySync({ name: 'read', path }).state === 'granted'
}

/** Enough for the ELF header and the program headers after it: an addon has about ten program headers of 56 bytes. */
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

/**
 * Returns the size that the headers of a 64-bit little-endian ELF file require. Source: System V ABI, chapters 4 and 5.
 */
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
