import { existsSync } from 'node:fs'
import { resolve, toNamespacedPath } from 'node:path'
import { type Attempt, WrongAddon } from './attempt'
import { cutShort } from './cut-short'
import { packageJson, readable, resolved } from './installation'
import { loadError, notLoaded } from './load-error'
import { machine } from './machine'
import { older } from './older'
import { type Outcome, type Platform, platforms } from './platforms'

type Addon = typeof import('./native')

/** The addon, loaded when this module is. */
export const addon: Addon = load()

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
  throw notLoaded(attempts)
}

type Candidate = Omit<Attempt, 'error'> & { load(): Outcome }

/** Where the addon can be, in the order in which it is tried. */
function places(): Candidate[] {
  // Deno throws without --allow-env.
  const override = readable(() => process.env['STRONGROOM_LIBRARY'])
  if (override) {
    // Nor does it name the working directory without --allow-read.
    const file = readable(() => resolve(override)) ?? override
    return [{ place: 'override', from: file, load: () => open(file) }]
  }
  return ownPlatforms().flatMap((platform): Candidate[] => [
    { place: 'local', from: `./bindings_node.${platform.name}.node`, platform, load: platform.local },
    { place: 'package', from: `@strongroom/${platform.name}`, platform, load: platform.packaged },
  ])
}

/** What `require` does with an addon; a path that is no literal would make a bundler complain, and lead it astray. */
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

/** The platform of this machine; those for each C library, where the own one is unknown: a foreign one does not load. */
function ownPlatforms(): Platform[] {
  const { os, cpu, libc } = machine
  const found = platforms.filter(
    (known) => known.os === os && known.cpu === cpu && (known.libc === libc || libc === 'unknown'),
  )
  if (found.length > 0) return found
  throw loadError(
    `strongroom has no addon for ${machine.text}; there is one for ${platforms.map(({ name }) => name).join(', ')}.\n` +
      'To use one that you have built yourself, name its file in STRONGROOM_LIBRARY.',
  )
}

/** An addon of another version would fail later, and less clearly. */
function wrong(loaded: unknown): WrongAddon | undefined {
  const { version } = loaded as { version?: unknown }
  if (typeof version !== 'function') return new WrongAddon("it is not strongroom's addon", undefined)
  const found = String(version())
  if (found === packageJson.version) return undefined
  return new WrongAddon(`it is of version ${found}, this package of version ${packageJson.version}`, found)
}

/** An older Node loads the addon all the same, and fails at some later call of a function that it lacks. */
function checkNode(): void {
  const needed = /\d+(\.\d+)*/.exec(packageJson.engines?.node ?? '')?.[0]
  if (needed && older(process.versions.node, needed))
    throw loadError(`strongroom needs Node ${needed} or later; this is ${machine.text}. Update Node.`)
}
