import { existsSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve, toNamespacedPath } from 'node:path'
import { type Attempt, WrongAddon } from './attempt'
import { cutShort } from './cut-short'
import { home, ownFile, packageJson, readable, resolved } from './installation'
import { machine } from './machine'
import { older } from './older'
import { type Outcome, type Platform, platforms } from './platforms'

type Addon = typeof import('./native')

/** Loads the module that explains a failure. Most processes never need the module. */
const explaining = (): typeof import('./load-error') => require('./load-error')

let own: Addon | undefined

/**
 * Returns the addon. The first call loads the addon, so a program that only imports the package also runs where the
 * addon does not load. A program that names its own addon does not load the package's addon.
 */
export function addon(): Addon {
  own ??= load()
  return own
}

/** Loads the addon in a file that the caller names. */
export function addonAt(file: string): Addon {
  const outcome = open(file)
  const error = 'error' in outcome ? outcome.error : wrong(outcome.loaded)
  if (error !== undefined) throw error
  return (outcome as { loaded: Addon }).loaded
}

function load(): Addon {
  checkNode()
  const attempts: Attempt[] = []
  for (const { load, ...place } of places()) {
    const short = cutShort(resolved(place.from))
    const outcome = short ? { error: short } : load()
    const error = 'error' in outcome ? outcome.error : wrong(outcome.loaded)
    if (!error && 'loaded' in outcome) return outcome.loaded as Addon
    attempts.push({ ...place, error })
  }
  throw explaining().notLoaded(attempts)
}

type Candidate = Omit<Attempt, 'error'> & { load(): Outcome }

/** Returns the places of the addon in the order in which they are tried. */
function places(): Candidate[] {
  // Reading the environment throws in Deno without --allow-env.
  const override = readable(() => process.env['STRONGROOM_LIBRARY'])
  if (override) {
    // `resolve` throws in Deno without --allow-read.
    const file = readable(() => resolve(override)) ?? override
    return [{ place: 'override', from: file, load: () => open(file) }]
  }
  return ownPlatforms().flatMap((platform): Candidate[] => [
    { place: 'local', from: `${home ? '..' : '.'}/${fileOf(platform)}`, platform, load: () => local(platform) },
    { place: 'package', from: platform.packageName, platform, load: platform.packaged },
  ])
}

/**
 * Loads the addon beside the package's code. In a bundle, loads the file that the bundler copied, or else the file
 * beside the bundle with the addon's own name.
 */
function local(platform: Platform): Outcome {
  const outcome = platform.local()
  const folder = bundleFolder()
  if (!folder || 'loaded' in outcome) return outcome
  return open(join(folder, fileOf(platform)))
}

/**
 * Returns the folder of the bundle that contains this module, or undefined outside a bundle. All modules of a bundle
 * have the bundle's path. If two modules have different paths, the bundler (Bun) wrote the paths of the bundling
 * machine. The addon must not be loaded from such a path, where another user of this machine may have put a library.
 */
function bundleFolder(): string | undefined {
  if (home || !ownFile || typeof __filename !== 'string' || __filename !== ownFile) return undefined
  return isAbsolute(ownFile) ? dirname(ownFile) : undefined
}

function fileOf({ name }: Platform): string {
  return `bindings_node.${name}.node`
}

/** Loads an addon as `require` does. Bundlers warn about a `require` whose argument is not a literal. */
function open(file: string): Outcome {
  try {
    if (readable(() => existsSync(file)) === false)
      throw Object.assign(new Error(`Cannot find module '${file}'`), { code: 'MODULE_NOT_FOUND' })
    const module = { exports: {} }
    process.dlopen(module, toNamespacedPath(file))
    return { loaded: module.exports }
  } catch (error) {
    return { error }
  }
}

/**
 * Returns this machine's platform. If the C library is unknown, returns the platforms of all C libraries: an addon for
 * the wrong C library does not load.
 */
function ownPlatforms(): Platform[] {
  const { os, cpu, libc } = machine
  const found = platforms.filter(
    (known) => known.os === os && known.cpu === cpu && (known.libc === libc || libc === 'unknown'),
  )
  if (found.length > 0) return found
  throw explaining().loadError(
    `strongroom has no addon for ${machine.text}; it has addons for ${platforms.map(({ name }) => name).join(', ')}.\n` +
      'To use an addon that you built yourself, set STRONGROOM_LIBRARY to its path.',
  )
}

/** Returns an error for an addon of another version, which would otherwise fail later with a less clear error. */
function wrong(loaded: unknown): WrongAddon | undefined {
  const { version } = loaded as { version?: unknown }
  if (typeof version !== 'function') return new WrongAddon("the file is not strongroom's addon", undefined)
  const found = String(version())
  if (found === packageJson.version) return undefined
  return new WrongAddon(`the addon has version ${found}, and this package has version ${packageJson.version}`, found)
}

/** Throws if Node is too old. An old Node would load the addon, and a later call would fail for lack of a function. */
function checkNode(): void {
  const needed = /\d+(\.\d+)*/.exec(packageJson.engines?.node ?? '')?.[0]
  if (needed && older(process.versions.node, needed))
    throw explaining().loadError(
      `strongroom needs Node ${needed} or later, and this system is ${machine.text}. Update Node.`,
    )
}
