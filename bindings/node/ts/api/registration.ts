/** What SQLite knows about a function, an aggregate or a virtual table of the application. */
export interface RegistrationOptions {
  /** Whether the function takes any number of arguments. Default: false, which means the number of the parameters. */
  varargs?: boolean | undefined
  /** Whether equal arguments always give an equal result, which lets SQLite use indexes and call less often. Default: false. */
  deterministic?: boolean | undefined
  /** Whether INTEGER arguments are bigints. Default: that of `defaultSafeIntegers`. */
  safeIntegers?: boolean | undefined
  /** Whether the function is refused in views, triggers, indexes and other parts of the schema. Default: false. */
  directOnly?: boolean | undefined
}

/** The element of an array, or any other type itself. */
type ElementOf<T> = T extends (infer Element)[] ? Element : T

/**
 * An aggregate: the state before the first row, and the functions that add a row, take one away and return the result.
 *
 * @typeParam T - the type of the state
 */
export interface AggregateOptions<T = unknown> extends RegistrationOptions {
  /** The state before the first row, or a function that returns it. Default: null. */
  start?: T | (() => T)
  /** Adds a row. Returns the new state, or undefined to keep the old one. */
  // biome-ignore lint/suspicious/noExplicitAny lint/suspicious/noConfusingVoidType: a second argument can have any type, and a function without a return statement is valid
  step: (total: T, next: ElementOf<T>, ...more: any[]) => T | void
  /** Takes the row away that leaves the window, which makes the aggregate a window function. */
  // biome-ignore lint/suspicious/noExplicitAny lint/suspicious/noConfusingVoidType: as for `step`
  inverse?: ((total: T, dropped: any, ...more: any[]) => T | void) | undefined
  /** Returns the result of the aggregate. Default: the state. */
  result?: ((total: T) => unknown) | undefined
}

/** A virtual table, whose rows a generator makes while a query reads them. */
export interface VirtualTableOptions {
  /** A generator that gets the parameters, and yields rows as arrays or objects. */
  // biome-ignore lint/suspicious/noExplicitAny: the parameters have the types that the query gives
  rows: (...parameters: any[]) => Generator
  /** The names of the columns. */
  columns: string[]
  /** The names of the parameters, which are hidden columns. Default: `$1`, `$2` and so on for the parameters of `rows`. */
  parameters?: string[] | undefined
  /** Whether INTEGER parameters are bigints. Default: that of `defaultSafeIntegers`. */
  safeIntegers?: boolean | undefined
  /** Whether the table is refused in views and triggers. Default: false. */
  directOnly?: boolean | undefined
}
