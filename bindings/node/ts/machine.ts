/** What this process runs on. */
interface Machine {
  /** As `process.platform` says it. */
  readonly os: string
  /** As `process.arch` says it. */
  readonly cpu: string
  /** The C library, where the system has more than one; unknown where the runtime may not say. */
  readonly libc: 'glibc' | 'musl' | 'unknown' | null
  /** Its version, where it is glibc. */
  readonly glibc: string | undefined
  /** All of it in words: `linux-x64 with glibc 2.36, Node 20.20.2`. */
  readonly text: string
}

export const machine: Machine = look()

function look(): Machine {
  const { platform: os, arch: cpu } = process
  const { libc, glibc } = os === 'linux' ? ownLibc() : { libc: null }
  const withLibc = libc && libc !== 'unknown' ? ` with ${glibc ? `glibc ${glibc}` : libc}` : ''
  return { os, cpu, libc, glibc, text: `${os}-${cpu}${withLibc}, ${runtime()}` }
}

/** Node's own report names glibc's version where there is one; without network details it takes a millisecond. */
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
    // Deno makes no report without --allow-sys.
    return { libc: 'unknown' }
  } finally {
    if (before !== undefined) report.excludeNetwork = before
  }
}

/** Node, and what it is inside of, or what plays its part. */
function runtime(): string {
  const { node, electron, bun, deno } = process.versions
  const other = electron ? `Electron ${electron}` : bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : undefined
  return other ? `${other} (Node ${node})` : `Node ${node}`
}
