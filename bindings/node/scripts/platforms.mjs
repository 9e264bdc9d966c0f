// The loader's table of platforms, from the one table of targets.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The text of ts/platforms.ts. */
export function platformsSource() {
  const file = fileURLToPath(new URL('../../../targets.json', import.meta.url))
  const rows = JSON.parse(readFileSync(file, 'utf8')).targets.map(({ platform, os, cpu, libc, floor }) => {
    const quoted = (value) => (value === null ? 'null' : `'${value}'`)
    return `  { name: '${platform}', os: '${os}', cpu: '${cpu}', libc: ${quoted(libc)}, floor: ${quoted(floor)} },\n`
  })
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
}

export const platforms: readonly Platform[] = [
${rows.join('')}]
`
}
