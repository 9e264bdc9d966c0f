import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { type Platform, platforms } from './platforms'

/** This package's package.json. Bundlers include the file, because the argument of `require` is a literal. */
export const packageJson: {
  readonly name: string
  readonly version: string
  readonly engines?: { readonly node?: string }
} = require('../../package.json')

/** The path of this file, as the module system or the bundler reports it. */
export const ownFile: string | undefined = typeof __filename === 'string' ? __filename : undefined

/** The folder of this file, or undefined in a bundle. */
export const home: string | undefined = ownFolder()

/**
 * Returns the folder of this file, or undefined in a bundle. A bundle may have this file's name, but has no
 * package.json of this package two folders above it. Bun writes this file's path on the bundling machine into the
 * bundle. Only `module.filename` then shows that Node did not load this file.
 */
function ownFolder(): string | undefined {
  if (!ownFile || !isAbsolute(ownFile) || basename(ownFile) !== 'installation.js') return undefined
  if (module.filename !== ownFile) return undefined
  // In Deno, `require` may read the file even if the program may not.
  const above = readable(() => createRequire(ownFile)('../../package.json') as { name?: unknown })
  return above?.name === packageJson.name ? dirname(ownFile) : undefined
}

/** Returns the name under which this package is installed, which may be an alias. */
export function installedAs(home: string): string {
  const [, name] = /[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)[\\/]dist[\\/]load$/.exec(home) ?? []
  return name ?? packageJson.name
}

/** Returns the files that `require` looks for, innermost folder first. */
export function candidates(from: string): string[] {
  if (isAbsolute(from)) return [from]
  if (!home) return []
  if (from.startsWith('.')) return [join(home, from)]
  return parents(home)
    .filter((folder) => basename(folder) !== 'node_modules')
    .map((folder) => join(folder, 'node_modules', from, 'package.json'))
}

/** Returns the file that `require` loads, if it exists. */
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

/** Returns the other platforms whose addons are installed. */
export function installedInstead(own: Platform): Platform[] {
  const dist = home ? (readable(() => readdirSync(join(home as string, '..'))) ?? []) : []
  return platforms
    .filter(({ name }) => name !== own.name)
    .filter(
      ({ name, packageName }) => dist.includes(`bindings_node.${name}.node`) || resolved(`${packageName}/package.json`),
    )
}

/** Returns the project's lock file, and whether it lists the package of a platform. */
export function lockFile({ packageName }: Platform): { readonly file: string; readonly complete: boolean } | undefined {
  const names = ['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock']
  const file = projects()
    .flatMap((project) => names.map((name) => join(project, name)))
    .find((candidate) => readable(() => existsSync(candidate)))
  const text = file && readable(() => readFileSync(file, 'utf8'))
  if (!text) return undefined
  // The bare name is in every lock file, among the dependencies of `strongroom`.
  const entries = [`node_modules/${packageName}"`, `${packageName}@`]
  return { file, complete: entries.some((entry) => text.includes(entry)) }
}

/** Returns the folders whose node_modules contain this package, innermost first. */
function projects(): string[] {
  return parents(home ?? '/')
    .filter((folder) => basename(folder) === 'node_modules')
    .map((folder) => dirname(folder))
}

/** Returns a folder and its parent folders, without the root. */
function parents(folder: string): string[] {
  return dirname(folder) === folder ? [] : [folder, ...parents(dirname(folder))]
}

/**
 * Returns the result of a read, or undefined if the read fails: a failure must not hide the error that the loader
 * explains.
 */
export function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
