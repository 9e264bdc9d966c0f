import { types } from 'node:util'
import { wellFormed } from '../api/arguments'
import type { Calls } from '../api/calls'
import { argumentType } from '../api/errors'
import type { Sql } from './sql'

/** The values of a call without parameters. */
export const NONE: readonly unknown[] = []

/** The values of a call, and whether the shared memory has them. */
export interface Values {
  values: readonly unknown[]
  placed: boolean
}

/** Throws unless the argument is SQL. */
export function checkSql(sql: unknown): asserts sql is string {
  if (typeof sql !== 'string') throw argumentType('Expected first argument to be a string')
  wellFormed(sql, 'the SQL')
}

/**
 * Puts the values of a call's parameters into `target`. Values of common types are placed in the shared memory at once,
 * where they stay until the next call of the addon.
 *
 * @param given - an array of values, or an object with a value for each named parameter
 */
export function take(target: Values, calls: Calls, sql: Sql, given: unknown): void {
  const { parameters } = sql
  if (given === undefined || given === null) {
    if (parameters.plain !== 0) target.values = parameters.arrange([])
    return
  }
  if (Array.isArray(given)) {
    if (given.length === parameters.plain && calls.put(given) === given.length) {
      target.values = given
      target.placed = true
    } else target.values = parameters.arrange(given)
    return
  }
  if (typeof given !== 'object' || !isPlain(given))
    throw argumentType(
      'Expected the parameters to be an array of values, or an object with named values: pass [value] for a single value',
    )
  if (isSignal((given as { signal?: unknown }).signal))
    throw argumentType('"signal" belongs into the last argument: pass [] for a statement without parameters')
  target.values = parameters.arrange([given])
}

/** Returns the values with copies of the bytes, which the caller may change while the call waits. */
export function copied(values: readonly unknown[]): readonly unknown[] {
  if (values.length === 0) return NONE
  return values.map((value) => (types.isUint8Array(value) ? new Uint8Array(value) : value))
}

/** Returns whether an object was created by `{}` or `Object.create(null)`, in any realm. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Returns whether a value is an AbortSignal, of any realm. */
export function isSignal(value: unknown): value is AbortSignal {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as AbortSignal).aborted === 'boolean' &&
    typeof (value as AbortSignal).addEventListener === 'function' &&
    typeof (value as AbortSignal).removeEventListener === 'function'
  )
}
