// Generated from targets.json: node scripts/build.mjs finish

/** A platform that has an addon. */
export interface Platform {
  readonly name: string
  /** As `process.platform` says it. */
  readonly os: string
  /** As `process.arch` says it. */
  readonly cpu: string
  /** The C library, where the system has more than one. */
  readonly libc: 'glibc' | 'musl' | null
  /** The oldest version of the C library, or of macOS, that the addon runs on. */
  readonly floor: string | null
}

export const platforms: readonly Platform[] = [
  { name: 'linux-x64-gnu', os: 'linux', cpu: 'x64', libc: 'glibc', floor: '2.28' },
  { name: 'linux-arm64-gnu', os: 'linux', cpu: 'arm64', libc: 'glibc', floor: '2.28' },
  { name: 'linux-x64-musl', os: 'linux', cpu: 'x64', libc: 'musl', floor: null },
  { name: 'linux-arm64-musl', os: 'linux', cpu: 'arm64', libc: 'musl', floor: null },
  { name: 'darwin-arm64', os: 'darwin', cpu: 'arm64', libc: null, floor: '11.0' },
  { name: 'darwin-x64', os: 'darwin', cpu: 'x64', libc: null, floor: '10.15' },
  { name: 'win32-x64-msvc', os: 'win32', cpu: 'x64', libc: null, floor: null },
]
