import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'

/** The content of a file that did not load. */
export type LibraryFile =
  | { readonly kind: 'unreadable' | 'folder' | 'empty' | 'no library' }
  | {
      readonly kind: 'library'
      /** The operating system, as `process.platform` names it. */
      readonly os: string
      /** The CPU, as `process.arch` names it. A universal file of macOS has several CPUs. */
      readonly cpus: readonly string[]
      /** The C library on Linux, else null. */
      readonly libc: 'glibc' | 'musl' | null
    }

/** Reads a file, and returns the platform that its header names. */
export function readLibrary(file: string): LibraryFile {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch {
    return { kind: 'unreadable' }
  }
  try {
    if (fstatSync(descriptor).isDirectory()) return { kind: 'folder' }
    const bytes = readFileSync(descriptor)
    if (bytes.length === 0) return { kind: 'empty' }
    return elf(bytes) ?? machO(bytes) ?? pe(bytes) ?? { kind: 'no library' }
  } finally {
    closeSync(descriptor)
  }
}

/** Parses ELF as a 64-bit little-endian file. Source: System V ABI, chapter 4. */
function elf(bytes: Buffer): LibraryFile | undefined {
  if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46) return undefined
  const cpu = { 3: 'ia32', 40: 'arm', 62: 'x64', 183: 'arm64', 243: 'riscv64' }[bytes.readUInt16LE(18)]
  // The symbol versions of glibc have this prefix, and musl has no symbol versions.
  const libc = bytes.includes('GLIBC_2.') ? 'glibc' : 'musl'
  return { kind: 'library', os: 'linux', cpus: [cpu ?? 'another CPU'], libc }
}

/** Parses Mach-O. Source: Apple's mach-o/loader.h and mach-o/fat.h. */
function machO(bytes: Buffer): LibraryFile | undefined {
  if (bytes.length < 32) return undefined
  const cpu = (type: number) => ({ 16777223: 'x64', 16777228: 'arm64' })[type] ?? 'another CPU'
  const library = { kind: 'library', os: 'darwin', libc: null } as const
  if (bytes.readUInt32LE(0) === 0xfeedfacf) return { ...library, cpus: [cpu(bytes.readUInt32LE(4))] }
  if (bytes.readUInt32BE(0) !== 0xcafebabe) return undefined
  const count = Math.min(bytes.readUInt32BE(4), Math.floor((bytes.length - 8) / 20))
  return { ...library, cpus: Array.from({ length: count }, (_, index) => cpu(bytes.readUInt32BE(8 + index * 20))) }
}

/** Parses PE. Source: Microsoft's PE format. */
function pe(bytes: Buffer): LibraryFile | undefined {
  if (bytes.length < 64 || bytes.toString('latin1', 0, 2) !== 'MZ') return undefined
  const header = bytes.readUInt32LE(0x3c)
  if (bytes.length < header + 6 || bytes.toString('latin1', header, header + 4) !== 'PE\0\0') return undefined
  const cpu = { 332: 'ia32', 34404: 'x64', 43620: 'arm64' }[bytes.readUInt16LE(header + 4)]
  return { kind: 'library', os: 'win32', cpus: [cpu ?? 'another CPU'], libc: null }
}
