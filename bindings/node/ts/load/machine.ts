/** The system and the runtime of this process. */
interface Machine {
  /** The operating system, in the words of `process.platform`. */
  readonly os: string
  /** The CPU, in the words of `process.arch`. */
  readonly cpu: string
  /** The C library, on a system with several; unknown if the runtime does not tell. */
  readonly libc: 'glibc' | 'musl' | 'unknown' | null
  /** The version of glibc. */
  readonly glibc: string | undefined
  /** A description: `linux-x64 with glibc 2.36, Node 20.20.2`. */
  readonly text: string
}

export const machine: Machine = look()

function look(): Machine {
  const { platform: os, arch: cpu } = process
  const { libc, glibc } = os === 'linux' ? ownLibc() : { libc: null }
  const withLibc = libc && libc !== 'unknown' ? ` with ${glibc ? `glibc ${glibc}` : libc}` : ''
  return { os, cpu, libc, glibc, text: `${os}-${cpu}${withLibc}, ${runtime()}` }
}

/** Reads glibc's version from Node's report, which takes a millisecond without network details. */
function ownLibc(): { libc: 'glibc' | 'musl' | 'unknown'; glibc?: string } {
  let before: boolean | undefined
  const report = process.report as typeof process.report & { excludeNetwork?: boolean }
  try {
    before = report.excludeNetwork
    report.excludeNetwork = true
    const { header } = report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
    const glibc = header.glibcVersionRuntime
    return glibc ? { libc: 'glibc', glibc } : { libc: 'musl' }
  } catch {
    // Deno throws without --allow-sys.
    return { libc: 'unknown' }
  } finally {
    if (before !== undefined) report.excludeNetwork = before
  }
}

/** Names Node, and the runtime around it or in its place. */
function runtime(): string {
  const { node, electron, bun, deno } = process.versions
  const other = electron ? `Electron ${electron}` : bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : undefined
  return other ? `${other} (Node ${node})` : `Node ${node}`
}
