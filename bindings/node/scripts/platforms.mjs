// The loader's table of platforms, from the one table of targets.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The text of ts/platforms.ts. */
export function platformsSource() {
  const file = fileURLToPath(new URL('../../../targets.json', import.meta.url))
  const rows = JSON.parse(readFileSync(file, 'utf8')).targets.map(row)
  return `// Generated from targets.json: node scripts/build.mjs finish

/** A platform that has an addon. */
export interface Platform {
  readonly name: string
  /** As \`process.platform\` says it. */
  readonly os: string
  /** As \`process.arch\` says it. */
  readonly cpu: string
  /** The C library, where the system has more than one. */
  readonly libc: 'glibc' | 'musl' | null
  /** The oldest version of the C library, or of macOS, that the addon runs on. */
  readonly floor: string | null
  /** Loads the addon from the file beside the code. */
  local(): Outcome
  /** Loads the addon from the platform's package. */
  packaged(): Outcome
}

/** What came of a \`require\`. */
export type Outcome = { readonly loaded: unknown } | { readonly error: unknown }

// Bundlers see a \`require\` only where its argument is a literal, and let the module be absent only where the call
// stands in a \`try\` of the same function.
export const platforms: readonly Platform[] = [
${rows.join('')}]
`
}

function row({ platform, os, cpu, libc, floor }) {
  const quoted = (value) => (value === null ? 'null' : `'${value}'`)
  return `  {
    name: '${platform}',
    os: '${os}',
    cpu: '${cpu}',
    libc: ${quoted(libc)},
    floor: ${quoted(floor)},
${attempt('local', `./bindings_node.${platform}.node`)}${attempt('packaged', `@strongroom/${platform}`)}  },
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
