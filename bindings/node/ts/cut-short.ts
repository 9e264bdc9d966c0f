import { closeSync, openSync, readSync, statSync } from 'node:fs'

/** The file ends before what its headers name. */
export class CutShort extends Error {
  constructor(file: string, size: number, needed: number) {
    super(`${file} is cut short: it has ${size} bytes, and its headers name ${needed}`)
  }
}

/**
 * Whether a library is cut short, which must be known before it is loaded: Linux maps it beyond its end, and kills the
 * process at the first touch. macOS and Windows compare the sizes themselves, and refuse the file with an error.
 * Where anything is in doubt there is nothing to say: the system's loader then does.
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

/** Deno would ask whoever sits at the terminal, for a file that loads without that permission. */
function mayRead(path: string): boolean {
  const { Deno } = globalThis as { Deno?: { permissions: { querySync(asked: object): { state: string } } } }
  return !Deno || Deno.permissions.querySync({ name: 'read', path }).state === 'granted'
}

/** Room for ELF's header and the program headers, which linkers put behind it: an addon has about ten of 56 bytes. */
const HEAD = 4096

function head(file: string): Buffer {
  const descriptor = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(HEAD)
    return bytes.subarray(0, readSync(descriptor, bytes, 0, HEAD, 0))
  } finally {
    closeSync(descriptor)
  }
}

/** The bytes that an ELF file has at least; of 64 bits, little-endian. Source: System V ABI, chapters 4 and 5. */
function elfSize(bytes: Buffer): number | undefined {
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46 || bytes.readUInt16BE(4) !== 0x0201) return undefined
  const start = Number(bytes.readBigUInt64LE(32))
  const [size, count] = [bytes.readUInt16LE(54), bytes.readUInt16LE(56)]
  const end = start + size * count
  if (size !== 56 || count === 0 || end > HEAD) return undefined
  const PT_LOAD = 1
  const segments = Array.from({ length: count }, (_, index) => bytes.subarray(start + index * size))
    .filter((header) => header.length >= size && header.readUInt32LE(0) === PT_LOAD)
    .map((header) => Number(header.readBigUInt64LE(8) + header.readBigUInt64LE(32)))
  return Math.max(end, ...segments)
}
