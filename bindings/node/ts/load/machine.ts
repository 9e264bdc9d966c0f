import { Buffer } from 'node:buffer'
import { closeSync, openSync, readSync } from 'node:fs'

/** The system and the runtime of this process. */
interface Machine {
  /** The operating system, as `process.platform` names it. */
  readonly os: string
  /** The CPU, as `process.arch` names it. */
  readonly cpu: string
  /** The C library on Linux, else null. `unknown` if the runtime does not report the C library. */
  readonly libc: 'glibc' | 'musl' | 'unknown' | null
  /** The version of glibc, if the C library is glibc. */
  readonly glibc: string | undefined
  /** A description: `linux-x64 with glibc 2.36, Node 20.20.2`. */
  readonly text: string
}

interface Libc {
  readonly libc: 'glibc' | 'musl' | 'unknown'
  readonly glibc?: string
}

let known: Libc | undefined

export const machine: Machine = {
  os: process.platform,
  cpu: process.arch,
  libc: process.platform === 'linux' ? (interpreterLibc() ?? reported().libc) : null,
  get glibc() {
    return process.platform === 'linux' ? reported().glibc : undefined
  },
  get text() {
    const { os, cpu, libc, glibc } = machine
    const withLibc = libc && libc !== 'unknown' ? ` with ${glibc ? `glibc ${glibc}` : libc}` : ''
    return `${os}-${cpu}${withLibc}, ${runtime()}`
  },
}

/**
 * Detects the C library by the name of this program's dynamic linker, which is near the start of the program's file.
 * Takes a tenth of the time of Node's report.
 */
function interpreterLibc(): 'glibc' | 'musl' | undefined {
  // Deno would ask the user for permission to read the file.
  if (process.versions['deno']) return undefined
  try {
    const descriptor = openSync(process.execPath, 'r')
    try {
      const start = Buffer.alloc(4096)
      const text = start.toString('latin1', 0, readSync(descriptor, start, 0, start.length, 0))
      // The paths of the psABIs and of musl: /lib64/ld-linux-x86-64.so.2, /lib/ld-musl-aarch64.so.1.
      if (/\/ld-linux-[\w-]+\.so\.\d\0/.test(text)) return 'glibc'
      return /\/ld-musl-[\w-]+\.so\.\d\0/.test(text) ? 'musl' : undefined
    } finally {
      closeSync(descriptor)
    }
  } catch {
    return undefined
  }
}

/** Returns the C library that Node's report names. The report takes milliseconds. */
function reported(): Libc {
  known ??= ownLibc()
  return known
}

function ownLibc(): Libc {
  let before: boolean | undefined
  const report = process.report as typeof process.report & { excludeNetwork?: boolean }
  try {
    before = report.excludeNetwork
    report.excludeNetwork = true
    const { header } = report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
    const glibc = header.glibcVersionRuntime
    return glibc ? { libc: 'glibc', glibc } : { libc: 'musl' }
  } catch {
    // The report throws in Deno without --allow-sys.
    return { libc: 'unknown' }
  } finally {
    if (before !== undefined) report.excludeNetwork = before
  }
}

/** Returns the version of Node, and of Electron, Bun or Deno if the process runs in one of them. */
function runtime(): string {
  const { node, electron, bun, deno } = process.versions
  const other = electron ? `Electron ${electron}` : bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : undefined
  return other ? `${other} (Node ${node})` : `Node ${node}`
}
