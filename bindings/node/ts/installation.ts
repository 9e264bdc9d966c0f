import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { platforms } from './platforms'

/** This package's package.json; a literal, so that bundlers take it along. */
export const packageJson: {
  readonly name: string
  readonly version: string
  readonly engines?: { readonly node?: string }
} = require('../package.json')

/** Where this package's code is, unless a bundler has put it into a file of its own. */
export const home: string | undefined = ownFolder()

/** A bundle can have any name, this file's as well; beside its folder it has no package.json of this package. */
function ownFolder(): string | undefined {
  if (typeof __filename !== 'string' || !isAbsolute(__filename) || basename(__filename) !== 'installation.js')
    return undefined
  // Through `require`, since Deno lets that read what it does not let the program read.
  const beside = readable(() => createRequire(__filename)('../package.json') as { name?: unknown })
  return beside?.name === packageJson.name ? dirname(__filename) : undefined
}

/** The files that `require` looks for where it takes a module from, from the innermost on. */
export function candidates(from: string): string[] {
  if (isAbsolute(from)) return [from]
  if (!home) return []
  if (from.startsWith('.')) return [join(home, from)]
  return parents(home)
    .filter((folder) => basename(folder) !== 'node_modules')
    .map((folder) => join(folder, 'node_modules', from, 'package.json'))
}

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

/** The lock file beside the node_modules that has this package, and whether it has the package of a platform. */
export function lockFile(platform: string): { readonly file: string; readonly complete: boolean } | undefined {
  const names = ['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock']
  const file = projects()
    .flatMap((project) => names.map((name) => join(project, name)))
    .find((candidate) => readable(() => existsSync(candidate)))
  const text = file && readable(() => readFileSync(file, 'utf8'))
  if (!text) return undefined
  // The bare name stands among the dependencies of strongroom in any case.
  const entries = [`node_modules/@strongroom/${platform}"`, `@strongroom/${platform}@`]
  return { file, complete: entries.some((entry) => text.includes(entry)) }
}

/** The folders whose node_modules this package is in, from the innermost on. */
function projects(): string[] {
  return parents(home ?? '/')
    .filter((folder) => basename(folder) === 'node_modules')
    .map((folder) => dirname(folder))
}

/** A folder and those that it is in, without the root. */
function parents(folder: string): string[] {
  return dirname(folder) === folder ? [] : [folder, ...parents(dirname(folder))]
}

/** What a file or folder has, unless this process may not read it: that must not hide the error to be explained. */
export function readable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
