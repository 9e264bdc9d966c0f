import type { NativeFunctionOptions } from '../load/native'
import { wellFormed } from './arguments'
import { argumentCount, type Callback, lengthOf, nameArgument, ownBoolean, register, sqlValue } from './callbacks'
import { argumentType } from './errors'
import type { Session } from './session'

/** Options of {@link Database.function} and {@link Database.aggregate}. */
export interface RegistrationOptions {
  /** Accepts any number of arguments. Default: false, which accepts as many arguments as the function declares. */
  varargs?: boolean | undefined
  /** Declares that equal arguments give equal results, as an index or a generated column requires. Default: false. */
  deterministic?: boolean | undefined
  /**
   * Passes INTEGER arguments as bigints. Default: the setting of {@link Database.defaultSafeIntegers} when the function
   * is created.
   */
  safeIntegers?: boolean | undefined
  /** Prevents views, triggers and other parts of the schema from calling the function. Default: false. */
  directOnly?: boolean | undefined
}

/** Checks the arguments of `function`, and creates the function. */
export function defineFunction(session: Session, name: unknown, options: unknown, callback: unknown): void {
  const [given, fn] = typeof options === 'function' ? [{}, options] : [options ?? {}, callback]
  const sqlName = nameArgument(name)
  if (typeof fn !== 'function') throw argumentType('Expected last argument to be a function')
  if (typeof given !== 'object') throw argumentType('Expected second argument to be an options object')
  notEmpty(sqlName)
  const registered = registrationOptions(sqlName, given)
  const count = registered.varargs ? undefined : argumentCount(lengthOf(fn as Callback))
  session.idle()
  const call = (...values: unknown[]) => session.callback(() => sqlValue((fn as Callback)(...values)))
  register(session, call, (registration) => {
    session.native.function(nativeOptions(session, registered, count, registration), call)
  })
}

/** The checked options of a function. */
export interface Registered {
  name: string
  varargs: boolean
  deterministic: boolean
  directOnly: boolean
  safeIntegers: boolean | undefined
}

/** Checks the options that functions and aggregates share. */
export function registrationOptions(name: string, given: object): Registered {
  const safeIntegers = ownBoolean(given, 'safeIntegers', undefined)
  const deterministic = ownBoolean(given, 'deterministic', false)
  const directOnly = ownBoolean(given, 'directOnly', false)
  const varargs = ownBoolean(given, 'varargs', false)
  return { name, varargs, deterministic, directOnly, safeIntegers }
}

/** Returns the options of a function for the addon. */
export function nativeOptions(
  session: Session,
  { name, deterministic, directOnly, safeIntegers }: Registered,
  count: number | undefined,
  registration: number,
): NativeFunctionOptions {
  const bigints = safeIntegers ?? session.bigints
  const options = { name, deterministic, directOnly, bigints, registration }
  return count === undefined ? options : { ...options, arguments: count }
}

/** Throws for an empty function name, and for a name with a lone surrogate. */
export function notEmpty(name: string): void {
  if (name === '') throw argumentType('User-defined function name cannot be an empty string')
  wellFormed(name, 'the name of the function')
}
