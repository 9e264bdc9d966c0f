import { existsSync } from 'node:fs'
import { types } from 'node:util'
import { type Attempt, type Failure, noMain } from './attempt'
import { Denied, denied } from './denied'
import { candidates, home, readable, resolved } from './installation'
import { machine } from './machine'
import { remedies } from './remedies'

/**
 * Returns the error for failed attempts. The cause is the error of the attempt that found a file, or else the first
 * error.
 */
export function notLoaded(attempts: readonly Attempt[]): Error {
  const failures = attempts.map(lookAt) as [Failure, ...Failure[]]
  const { error: cause } = failures.find(({ absent }) => !absent) ?? failures[0]
  const message = [
    `strongroom could not load its addon on ${machine.text}. Tried:`,
    ...failures.map((failure) => `  - ${placeOf(failure)}: ${failure.error.message}`),
    ...remedies(failures),
  ].join('\n')
  return Object.assign(loadError(message), { cause, errors: failures.map(({ error }) => error) })
}

/** Returns an error of the loader. */
export function loadError(message: string): Error {
  return Object.assign(new Error(message), { code: 'STRONGROOM_ADDON' })
}

/**
 * Matches the errors for a missing module of Node, of Node's single executables (which require only built-in modules),
 * and of Bun's executables.
 */
const ABSENT = /^(MODULE_NOT_FOUND|ERR_UNKNOWN_BUILTIN_MODULE) |Cannot require module /

function lookAt(attempt: Attempt): Failure {
  const file = resolved(attempt.from)
  // A test runner may run this module in a context with its own Error class.
  const original = types.isNativeError(attempt.error) ? attempt.error : new Error(String(attempt.error))
  const { code } = original as { code?: unknown }
  const there =
    noMain(original) || (attempt.place !== 'package' && file !== undefined && readable(() => existsSync(file)))
  const absent = ABSENT.test(`${code} ${original.message}`) && !there
  // Node reports a file that the user may not access as missing. Node 24 reports such a package.json as invalid.
  const path =
    absent || code === 'ERR_INVALID_PACKAGE_CONFIG' ? candidates(attempt.from).map(denied).find(Boolean) : undefined
  if (path) return { ...attempt, file, absent: false, error: new Denied(path, original) }
  if (!absent) return { ...attempt, file, absent, error: firstLine(original) }
  return { ...attempt, file, absent: true, error: absence(attempt, original) }
}

function absence({ place }: Attempt, cause: Error): Error {
  if (!home && place !== 'override') return firstLine(cause)
  return new Error(place === 'package' ? 'the package is not installed' : 'the file does not exist', { cause })
}

/**
 * Shortens an error's message to its first line: Node appends the require stack, and some C libraries append a line
 * break.
 */
function firstLine(error: Error): Error {
  const [line = ''] = error.message.trim().split('\n')
  return line === error.message ? error : new Error(line, { cause: error })
}

/** Returns the path or the module that an attempt tried. */
function placeOf({ place, from, file }: Failure): string {
  return place === 'local' && file ? file : from
}
