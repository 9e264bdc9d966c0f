import { types } from 'node:util'
import { argumentType, argumentValue, outOfRange } from './errors'

/** An options object with checked names and unchecked values. */
export type Given = Record<string, unknown>

/**
 * Returns the options object, or an empty one for undefined and null. Throws for an option that does not exist.
 *
 * @param refused - those of `names` that the caller refuses with an error of their own, so no error proposes them
 */
export function optionsObject(
  options: unknown,
  names: readonly string[],
  position = 'second',
  refused: readonly string[] = [],
): Given {
  return checked(options, names, position, () => true, refused)
}

/**
 * Returns the options object of a method of better-sqlite3, or an empty one for undefined and null.
 *
 * Throws for an option whose name looks like a misspelled option. Ignores other unknown options, as better-sqlite3
 * does: programs pass objects with options of their own.
 */
export function lenientOptions(options: unknown, names: readonly string[]): Given {
  const given = checked(options, names, 'second', (name, meant) => meant !== undefined || MAY_BE_A_KEY.test(name))
  for (const [name, value] of Object.entries(given)) {
    if (!names.includes(name) && holdsKey(value))
      throw argumentType(
        `the option "${name}" does not exist, but its value holds a key: pass "key", "passphrase" or "recovery" directly`,
      )
  }
  return given
}

function checked(
  options: unknown,
  names: readonly string[],
  position: string,
  isWrong: (name: string, meant: string | undefined) => boolean,
  refused: readonly string[] = [],
): Given {
  if (options === undefined || options === null) return {}
  if (typeof options !== 'object' || types.isPromise(options) || types.isMap(options) || Array.isArray(options))
    throw argumentType(`Expected ${position} argument to be an options object`)
  const proposed = names.filter((name) => !refused.includes(name))
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue
    const meant = proposed.find((known) => distance(known.toLowerCase(), name.toLowerCase()) <= 2)
    if (!isWrong(name, meant)) continue
    throw argumentType(
      `the option "${name}" does not exist: ${meant ? `use "${meant}"` : `the options are ${proposed.join(', ')}`}`,
    )
  }
  return options as Given
}

/**
 * Matches the names that other packages use for a key. Ignoring such an option would open a database without
 * encryption.
 */
const MAY_BE_A_KEY = /key|pass|phrase|^pwd?$|cipher|secret|encrypt|recover/i

/** Returns whether the value of an unknown option holds a key, which would otherwise be ignored. */
function holdsKey(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('key' in value || 'passphrase' in value || 'recovery' in value)
}

/** Returns the known name that a misspelled name resembles most, or undefined if none resembles the name. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const far = Math.round(name.length / 3)
  const distances = known.map((candidate) => distance(candidate.toLowerCase(), name.toLowerCase()))
  const least = Math.min(...distances)
  return least <= far ? known[distances.indexOf(least)] : undefined
}

/** Returns the number of letters to insert, remove or replace to turn one text into another (Levenshtein's distance). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replace = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}

/** Returns a boolean option, or false if the option is absent. */
export function boolean(given: Given, name: string): boolean {
  return optionalBoolean(given, name) ?? false
}

/** Returns a boolean option, or undefined if the option is absent. */
export function optionalBoolean(given: Given, name: string): boolean | undefined {
  const value = given[name] ?? undefined
  if (value !== undefined && typeof value !== 'boolean')
    throw argumentType(`Expected the "${name}" option to be a boolean`)
  return value
}

/** Returns an integer option, or undefined if the option is absent. Throws for a number outside the range. */
export function integer(given: Given, name: string, { min, max }: { min: number; max: number }): number | undefined {
  const value = given[name] ?? undefined
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value))
    throw argumentType(`Expected the "${name}" option to be an integer`)
  if (value < min || value > max) throw outOfRange(`the "${name}" option must be from ${min} to ${max}, not ${value}`)
  return value
}

/** Returns an option whose value is one of `values`, or undefined if the option is absent. */
export function oneOf<T extends string>(given: Given, name: string, values: readonly T[]): T | undefined {
  const value = given[name] ?? undefined
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw argumentType(`Expected the "${name}" option to be a string`)
  const found = values.find((known) => known === value)
  if (found === undefined) throw argumentValue(`the "${name}" option must be ${list(values)}, not "${value}"`)
  return found
}

/** Returns an option that is a function, or undefined if the option is absent. */
export function callback<F extends (...args: never[]) => unknown>(given: Given, name: string): F | undefined {
  const value = given[name] ?? undefined
  if (value !== undefined && typeof value !== 'function')
    throw argumentType(`Expected the "${name}" option to be a function`)
  return value as F | undefined
}

/** Returns the `attached` option: the name of one of the connection's databases. */
export function attached(given: Given): string {
  const name = given['attached'] ?? 'main'
  if (typeof name !== 'string') throw argumentType('Expected the "attached" option to be a string')
  if (name === '') throw argumentValue('The "attached" option cannot be an empty string')
  return name
}

/** Returns an argument that is a path. */
export function pathArgument(path: unknown, what: string, position = 'first'): string {
  if (typeof path !== 'string') throw argumentType(`Expected ${position} argument to be a string (${what})`)
  if (path.includes('\0')) throw argumentValue(`${what} holds a NUL character`)
  wellFormed(path, what)
  return path
}

/** Throws for a string with a lone surrogate. */
export function wellFormed(text: string, what: string): void {
  if (!text.isWellFormed()) throw argumentValue(`${what} holds a lone surrogate, which UTF-8 cannot store`)
}

function list(values: readonly string[]): string {
  return values
    .map((value) => `"${value}"`)
    .join(', ')
    .replace(/, ([^,]*)$/, ' or $1')
}
