// Generated from targets.json: node scripts/build.mjs finish

/** A platform with an addon. */
export interface Platform {
  readonly name: string
  /** The npm package of the addon. */
  readonly packageName: string
  /** The value of `process.platform`. */
  readonly os: string
  /** The value of `process.arch`. */
  readonly cpu: string
  /** The C library on Linux, else null. */
  readonly libc: 'glibc' | 'musl' | null
  /** The oldest version of glibc or macOS that the addon runs on, or null. */
  readonly floor: string | null
  /** Loads the addon beside the package's code. */
  local(): Outcome
  /** Loads the addon of the platform's package. */
  packaged(): Outcome
}

/** The result of a `require`. */
export type Outcome = { readonly loaded: unknown } | { readonly error: unknown }

// Bundlers follow a `require` only if its argument is a literal. Bundlers accept a missing module only if a `try`
// in the same function encloses the call.
export const platforms: readonly Platform[] = [
  {
    name: 'linux-x64-gnu',
    packageName: '@strongroom/linux-x64-gnu',
    os: 'linux',
    cpu: 'x64',
    libc: 'glibc',
    floor: '2.28',
    local() {
      try {
        return { loaded: require('../bindings_node.linux-x64-gnu.node') }
      } catch (error) {
        return { error }
      }
    },
    packaged() {
      try {
        return { loaded: require('@strongroom/linux-x64-gnu') }
      } catch (error) {
        return { error }
      }
    },
  },
  {
    name: 'linux-arm64-gnu',
    packageName: '@strongroom/linux-arm64-gnu',
    os: 'linux',
    cpu: 'arm64',
    libc: 'glibc',
    floor: '2.28',
    local() {
      try {
        return { loaded: require('../bindings_node.linux-arm64-gnu.node') }
      } catch (error) {
        return { error }
      }
    },
    packaged() {
      try {
        return { loaded: require('@strongroom/linux-arm64-gnu') }
      } catch (error) {
        return { error }
      }
    },
  },
  {
    name: 'linux-x64-musl',
    packageName: '@strongroom/linux-x64-musl',
    os: 'linux',
    cpu: 'x64',
    libc: 'musl',
    floor: null,
    local() {
      try {
        return { loaded: require('../bindings_node.linux-x64-musl.node') }
      } catch (error) {
        return { error }
      }
    },
    packaged() {
      try {
        return { loaded: require('@strongroom/linux-x64-musl') }
      } catch (error) {
        return { error }
      }
    },
  },
  {
    name: 'linux-arm64-musl',
    packageName: '@strongroom/linux-arm64-musl',
    os: 'linux',
    cpu: 'arm64',
    libc: 'musl',
    floor: null,
    local() {
      try {
        return { loaded: require('../bindings_node.linux-arm64-musl.node') }
      } catch (error) {
        return { error }
      }
    },
    packaged() {
      try {
        return { loaded: require('@strongroom/linux-arm64-musl') }
      } catch (error) {
        return { error }
      }
    },
  },
  {
    name: 'darwin-arm64',
    packageName: '@strongroom/darwin-arm64',
    os: 'darwin',
    cpu: 'arm64',
    libc: null,
    floor: '11.0',
    local() {
      try {
        return { loaded: require('../bindings_node.darwin-arm64.node') }
      } catch (error) {
        return { error }
      }
    },
    packaged() {
      try {
        return { loaded: require('@strongroom/darwin-arm64') }
      } catch (error) {
        return { error }
      }
    },
  },
  {
    name: 'darwin-x64',
    packageName: '@strongroom/darwin-x64',
    os: 'darwin',
    cpu: 'x64',
    libc: null,
    floor: '10.15',
    local() {
      try {
        return { loaded: require('../bindings_node.darwin-x64.node') }
      } catch (error) {
        return { error }
      }
    },
    packaged() {
      try {
        return { loaded: require('@strongroom/darwin-x64') }
      } catch (error) {
        return { error }
      }
    },
  },
  {
    name: 'win32-x64-msvc',
    packageName: '@strongroom/win32-x64-msvc',
    os: 'win32',
    cpu: 'x64',
    libc: null,
    floor: null,
    local() {
      try {
        return { loaded: require('../bindings_node.win32-x64-msvc.node') }
      } catch (error) {
        return { error }
      }
    },
    packaged() {
      try {
        return { loaded: require('@strongroom/win32-x64-msvc') }
      } catch (error) {
        return { error }
      }
    },
  },
  {
    name: 'win32-arm64-msvc',
    packageName: '@strongroom/win32-arm64-msvc',
    os: 'win32',
    cpu: 'arm64',
    libc: null,
    floor: null,
    local() {
      try {
        return { loaded: require('../bindings_node.win32-arm64-msvc.node') }
      } catch (error) {
        return { error }
      }
    },
    packaged() {
      try {
        return { loaded: require('@strongroom/win32-arm64-msvc') }
      } catch (error) {
        return { error }
      }
    },
  },
]
