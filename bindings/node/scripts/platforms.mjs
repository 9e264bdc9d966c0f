// Generates the loader's table of platforms from targets.json.
import { packageOf, targets } from './targets.mjs'

/** Returns the text of ts/load/platforms.ts. */
export function platformsSource() {
  const rows = targets().map(row)
  return `// Generated from targets.json: node scripts/build.mjs finish

/** A platform with an addon. */
export interface Platform {
  readonly name: string
  /** The npm package of the addon. */
  readonly packageName: string
  /** The value of \`process.platform\`. */
  readonly os: string
  /** The value of \`process.arch\`. */
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

/** The result of a \`require\`. */
export type Outcome = { readonly loaded: unknown } | { readonly error: unknown }

// Bundlers follow a \`require\` only if its argument is a literal. Bundlers accept a missing module only if a \`try\`
// in the same function encloses the call.
export const platforms: readonly Platform[] = [
${rows.join('')}]
`
}

function row(target) {
  const { platform, os, cpu, libc, floor } = target
  const quoted = (value) => (value === null ? 'null' : `'${value}'`)
  return `  {
    name: '${platform}',
    packageName: '${packageOf(target)}',
    os: '${os}',
    cpu: '${cpu}',
    libc: ${quoted(libc)},
    floor: ${quoted(floor)},
${attempt('local', `../bindings_node.${platform}.node`)}${attempt('packaged', packageOf(target))}  },
`
}

function attempt(name, from) {
  return `    ${name}() {
      try {
        return { loaded: require('${from}') }
      } catch (error) {
        return { error }
      }
    },
`
}
