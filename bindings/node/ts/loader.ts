import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Platform, platforms } from './platforms'

type Addon = typeof import('./native')

/** One place where the addon was looked for, and what came of it. */
interface Attempt {
  from: string
  error: Error
}

/** The addon, loaded when this module is. */
export const addon: Addon = load()

function load(): Addon {
  const override = process.env['STRONGROOM_LIBRARY']
  const attempts: Attempt[] = []
  for (const from of override ? [resolve(override)] : candidates(platform())) {
    try {
      return checked(require(from), from)
    } catch (error) {
      attempts.push({ from, error: reason(error, from) })
    }
  }
  throw notLoaded(attempts, Boolean(override))
}

/** Where the addon of this platform can be, in the order in which it is tried. */
function candidates({ name }: Platform): string[] {
  return [join(__dirname, `bindings_node.${name}.node`), `@strongroom/${name}`]
}

/** The platform that this process runs on. */
function platform(): Platform {
  const { platform: os, arch: cpu } = process
  const libc = os === 'linux' ? libcName() : null
  const found = platforms.find((known) => known.os === os && known.cpu === cpu && known.libc === libc)
  if (found) return found
  const here = [os, cpu, libc].filter((part) => part !== null).join(' ')
  throw loadError(`strongroom has no addon for ${here}; there is one for ${platforms.map((p) => p.name).join(', ')}`)
}

/** Node's own report names glibc's version where there is one; without network details it takes a millisecond. */
function libcName(): 'glibc' | 'musl' {
  const report = process.report as typeof process.report & { excludeNetwork?: boolean }
  const before = report.excludeNetwork
  report.excludeNetwork = true
  try {
    const { header } = report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
    return header.glibcVersionRuntime ? 'glibc' : 'musl'
  } finally {
    if (before !== undefined) report.excludeNetwork = before
  }
}

/** An addon of another version would fail later, and less clearly. */
function checked(loaded: Addon, from: string): Addon {
  const { version } = require('../package.json') as { version: string }
  const found = typeof loaded.version === 'function' ? loaded.version() : 'unknown'
  if (found !== version) throw new Error(`it is of version ${found}, this package of version ${version}: ${from}`)
  return loaded
}

function reason(error: unknown, from: string): Error {
  const cause = error instanceof Error ? error : new Error(String(error))
  const missing = (cause as { code?: unknown }).code === 'MODULE_NOT_FOUND' && !existsSync(from)
  return missing ? new Error(from.startsWith('@') ? 'it is not installed' : 'there is no such file', { cause }) : cause
}

/** The error that shows every attempt, with the one that says most as its cause. */
function notLoaded(attempts: Attempt[], overridden: boolean): Error {
  const found = attempts.filter(({ error }) => error.cause === undefined)
  const cause = (found[0] ?? attempts[0])?.error
  const lines = attempts.map(({ from, error }) => `  - ${from}: ${error.message}`)
  const message = [
    `strongroom's addon could not be loaded (${process.platform}-${process.arch}, Node ${process.version}):`,
    ...lines,
    remedy(cause?.message ?? '', overridden),
  ].join('\n')
  return Object.assign(loadError(message), { cause, errors: attempts.map(({ error }) => error) })
}

function remedy(message: string, overridden: boolean): string {
  if (overridden) return 'STRONGROOM_LIBRARY names this file and nothing else is tried: correct it, or unset it.'
  if (message.includes('GLIBC_'))
    return `This system's glibc is too old: the addon needs ${platforms.find((p) => p.libc === 'glibc')?.floor}.`
  if (/invalid ELF header|wrong ELF class|not a valid Win32|incompatible architecture|mach-o/.test(message))
    return 'The file is for another platform: was node_modules copied from another machine? Install again on this one.'
  if (/not installed|no such file/.test(message))
    return 'Install again with optional dependencies: npm install --include=optional strongroom'
  return 'Install again; if it stays, please report it with this message.'
}

function loadError(message: string): Error {
  return Object.assign(new Error(message), { code: 'STRONGROOM_ADDON' })
}
