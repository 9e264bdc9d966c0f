import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { platforms } from './platforms'

/** This package's package.json; a literal, so that bundlers take it along. */
export const packageJson: { readonly version: string; readonly engines?: { readonly node?: string } } =
  require('../package.json')

/** Where this package's code is, unless a bundler has put it into a file of its own. */
export const home: string | undefined =
  typeof __filename === 'string' && isAbsolute(__filename) && basename(__filename) === 'installation.js'
    ? dirname(__filename)
    : undefined

/** The file that `require` takes for a module, if there is one. */
export function resolved(from: string): string | undefined {
  if (isAbsolute(from)) return from
  if (!home) return undefined
  if (from.startsWith('.')) return join(home, from)
  try {
    return createRequire(join(home, 'loader.js')).resolve(from)
  } catch {
    return undefined
  }
}

/** The names of the other platforms whose addons are installed. */
export function installedInstead(own: string): string[] {
  const beside = home ? (readable(() => readdirSync(home as string)) ?? []) : []
  return platforms
    .map(({ name }) => name)
    .filter((name) => name !== own)
    .filter((name) => beside.includes(`bindings_node.${name}.node`) || resolved(`@strongroom/${name}/package.json`))
}

/** The lock file of the project that this package is installed in, and whether it has the package of a platform. */
export function lockFile(platform: string): { readonly file: string; readonly complete: boolean } | undefined {
  const names = ['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock']
  for (let folder = home; folder; folder = dirname(folder) === folder ? undefined : dirname(folder)) {
    const file = names.map((name) => join(folder as string, name)).find((candidate) => existsSync(candidate))
    if (!file) continue
    const text = readable(() => readFileSync(file, 'utf8'))
    if (text === undefined) return undefined
    // The bare name stands among the dependencies of strongroom in any case.
    const entries = [`node_modules/@strongroom/${platform}"`, `@strongroom/${platform}@`]
    return { file, complete: entries.some((entry) => text.includes(entry)) }
  }
  return undefined
}

/** What a file or folder has, unless this process may not read it: that must not hide the error to be explained. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
