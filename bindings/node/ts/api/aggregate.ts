import { argumentCount, type Callback, lengthOf, nameArgument, register, sqlValue } from './callbacks'
import { argumentType } from './errors'
import { nativeOptions, notEmpty, type RegistrationOptions, registrationOptions } from './function'
import type { Session } from './session'

// biome-ignore lint/suspicious/noConfusingVoidType: a function that changes the value in place returns nothing
type Next<T> = T | void

/**
 * The type of a row's first value: the type of the elements if the state is an array, as in @types/better-sqlite3.
 * TypeScript infers `never[]` for a `start` of `[]`. `next` then has the type `never`, which code can still push to the
 * array.
 */
// biome-ignore lint/suspicious/noExplicitAny: the types of the arguments are the caller's
type First<T> = T extends (infer Element)[] ? Element : any

/** Options of {@link Database.aggregate}. */
export interface AggregateOptions<T = unknown> extends RegistrationOptions {
  /** The value before the first row, or a function that returns the value for each group. Default: null. */
  start?: T | (() => T)
  /** Returns the value with a row added, or undefined to keep the value: the function can change an object in place. */
  // biome-ignore lint/suspicious/noExplicitAny: the types of the arguments are the caller's
  step: (total: T, next: First<T>, ...values: any[]) => Next<T>
  /**
   * Returns the value with a row removed, by the rules of `step`. An aggregate with `inverse` is also a window
   * function.
   */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  inverse?: ((total: T, ...values: any[]) => Next<T>) | undefined
  /** Returns the aggregate's result from the final value. Default: the value itself. */
  result?: ((total: T) => unknown) | undefined
}

/** The value of a group, which the addon passes from one callback to the next. */
interface State {
  value: unknown
}

/** Checks the arguments of `aggregate`, and creates the aggregate. */
export function defineAggregate(session: Session, name: unknown, options: unknown): void {
  const sqlName = nameArgument(name)
  if (typeof options !== 'object' || options === null)
    throw argumentType('Expected second argument to be an options object')
  notEmpty(sqlName)
  const start = 'start' in options ? options.start : null
  const step = callbackOption(options, 'step')
  if (step === undefined) throw argumentType('Missing required option "step"')
  const inverse = callbackOption(options, 'inverse')
  const result = callbackOption(options, 'result')
  const registered = registrationOptions(sqlName, options)
  const count = registered.varargs
    ? undefined
    : argumentCount(Math.max(0, Math.max(lengthOf(step), inverse === undefined ? 0 : lengthOf(inverse)) - 1))
  session.idle()
  const advance =
    (callback: Callback) =>
    (state: State, ...values: unknown[]): void =>
      session.callback(() => {
        const value = callback(state.value, ...values)
        if (value !== undefined) state.value = value
      })
  const callbacks = [
    () => session.callback((): State => ({ value: typeof start === 'function' ? start() : start })),
    advance(step),
    inverse && advance(inverse),
    ({ value }: State) => session.callback(() => sqlValue(result === undefined ? value : result(value))),
  ]
  register(session, callbacks, (registration) => {
    session.native.aggregate(nativeOptions(session, registered, count, registration), callbacks)
  })
}

function callbackOption(options: object, name: string): Callback | undefined {
  const value = name in options ? (options as Record<string, unknown>)[name] : undefined
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'function') throw argumentType(`Expected the "${name}" option to be a function`)
  return value as Callback
}
