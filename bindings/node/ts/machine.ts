/** What this process runs on. */
interface Machine {
  /** As `process.platform` says it. */
  readonly os: string
  /** As `process.arch` says it. */
  readonly cpu: string
  /** The C library, where the system has more than one. */
  readonly libc: 'glibc' | 'musl' | null
  /** Its version, where it is glibc. */
  readonly glibc: string | undefined
  /** All of it in words: `linux-x64 with glibc 2.36, Node 20.20.2`. */
  readonly text: string
}

export const machine: Machine = look()

function look(): Machine {
  const { platform: os, arch: cpu } = process
  const glibc = os === 'linux' ? glibcVersion() : undefined
  const libc = os !== 'linux' ? null : glibc ? 'glibc' : 'musl'
  const withLibc = libc ? ` with ${glibc ? `glibc ${glibc}` : libc}` : ''
  return { os, cpu, libc, glibc, text: `${os}-${cpu}${withLibc}, ${runtime()}` }
}

/** Node's own report names glibc's version where there is one; without network details it takes a millisecond. */
function glibcVersion(): string | undefined {
  const report = process.report as typeof process.report & { excludeNetwork?: boolean }
  const before = report.excludeNetwork
  report.excludeNetwork = true
  try {
    const { header } = report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
    return header.glibcVersionRuntime
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
