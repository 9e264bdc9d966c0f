import type { NativeStatement } from '../load/native'
import { type BuildRow, buildRow, type Shape } from './build-row'
import { argumentType, busy, fromNative } from './errors'
import { RowIterator, Run } from './iterator'
import { enumerable, uncloneable } from './objects'
import { Parameters as ParametersOf } from './parameters'
import type { Session } from './session'
import type { ColumnDefinition, RunResult } from './values'

/**
 * A prepared statement, which `Database.prepare` returns.
 *
 * Each call takes the values of the parameters: one by one or in an array for `?`, in an object for `:name`, `@name` and
 * `$name` (without the prefix). {@link BindArgument} lists the types.
 *
 * After its database is closed, every call of a statement throws a TypeError with the code `STRONGROOM_CLOSED`. Until
 * its iterator ends, every other call throws one with the code `STRONGROOM_BUSY`.
 *
 * @typeParam Owner - the class of the database
 * @typeParam Parameters - the arguments of the calls
 * @typeParam Result - the type of a row, which nothing checks: `unknown` requires a cast
 */
export class Statement<Owner, Parameters extends unknown[] = unknown[], Result = unknown> {
  /** The database that prepared the statement. */
  declare readonly database: Owner
  /** The given SQL, without the key of a `PRAGMA key` and similar statements. */
  declare readonly source: string
  /** Whether the statement returns rows, which `get`, `all` and `iterate` require. */
  declare readonly reader: boolean
  /** Whether the statement leaves the database as it is. */
  declare readonly readonly: boolean
  /** Whether an iterator of the statement has not ended. */
  declare readonly busy: boolean

  readonly #native: NativeStatement
  readonly #session: Session
  #parameters: ParametersOf | undefined
  #shape: Shape | 'value' = 'object'
  #build: BuildRow | undefined
  #bigints: boolean
  #bound = false
  #running = false
  /** The run that an iterator reads. Not the iterator itself, which could then never be collected. */
  #run: Run<unknown> | undefined

  /** @internal */
  constructor(
    session: Session,
    native: NativeStatement,
    about: { database: Owner; source: string; reads: boolean; unbound?: boolean },
  ) {
    this.#native = native
    this.#session = session
    this.#bigints = session.bigints
    const own = (value: unknown) => ({ value, enumerable: true })
    Object.defineProperties(this, {
      database: own(about.database),
      source: own(about.source),
      reader: own(about.reads || native.columnCount > 0),
      readonly: own(native.readonly),
      busy: { get: () => this.#running && session.open, enumerable: true },
    })
    this.#bound = about.unbound === true
    uncloneable(this)
  }

  /**
   * Runs the statement to its end.
   *
   * @throws {SqliteError} with SQLite's code if the statement fails; its changes are undone.
   * @throws {TypeError} or {RangeError} for wrong parameters, before anything runs.
   * @example
   * ```js
   * const { changes, lastInsertRowid } = insert.run('joey', 2)
   * ```
   */
  run(...parameters: Parameters): RunResult {
    const values = this.#begin(parameters, true)
    let result: unknown
    try {
      result = this.#native.run(values, runResult, this.#bigints)
    } catch (error) {
      throw fromNative(error)
    }
    return result as RunResult
  }

  /**
   * Returns the first row, or undefined.
   *
   * @throws {SqliteError} with SQLite's code if the statement fails.
   * @throws {TypeError} for a statement that returns no rows.
   */
  get(...parameters: Parameters): Result | undefined {
    this.#mustRead()
    const values = this.#begin(parameters, !this.readonly)
    let row: unknown
    try {
      row = this.#native.get(values, this.#builder(), this.#rebuild, this.#bigints)
    } catch (error) {
      throw fromNative(error)
    }
    return row as Result | undefined
  }

  /**
   * Returns every row.
   *
   * @throws {SqliteError} with SQLite's code if the statement fails.
   * @throws {TypeError} for a statement that returns no rows.
   */
  all(...parameters: Parameters): Result[] {
    this.#mustRead()
    const values = this.#begin(parameters, !this.readonly)
    let rows: unknown[]
    try {
      rows = this.#native.all(values, this.#builder(), this.#rebuild, this.#bigints)
    } catch (error) {
      throw fromNative(error)
    }
    return rows as Result[]
  }

  /**
   * Returns an iterator that reads a row at a time.
   *
   * Until the iterator ends, or the loop is left by `break`, `return` or an exception, other statements can read the
   * database, but nothing can write or close it. An iterator that the program lets go of ends when it is collected.
   *
   * @throws {TypeError} for a statement that returns no rows.
   */
  iterate(...parameters: Parameters): IterableIterator<Result> {
    this.#mustRead()
    const values = this.#begin(parameters, !this.readonly)
    const native = this.#native
    const session = this.#session
    try {
      native.start(values)
    } catch (error) {
      throw fromNative(error)
    }
    this.#running = true
    session.iterators++
    const run = new Run<Result>(
      () => session.ready(),
      () => {
        let row: unknown
        try {
          row = native.next(this.#builder(), this.#rebuild, this.#bigints)
        } catch (error) {
          throw fromNative(error)
        }
        return row as Result | undefined
      },
      () => {
        session.outsideCallbacks()
        this.#running = false
        session.iterators--
        native.reset(values !== undefined)
        this.#run = undefined
      },
    )
    this.#run = run
    return new RowIterator(run, this)
  }

  /**
   * Binds values for all later calls, which then take no parameters.
   *
   * @throws {TypeError} for a statement that has bound values already.
   */
  bind(...parameters: Parameters): this {
    if (this.#bound) throw argumentType('The bind() method can only be invoked once per statement object')
    const values = this.#begin(parameters, false)
    try {
      if (values !== undefined) this.#native.bind(values)
    } catch (error) {
      throw fromNative(error)
    }
    this.#bound = true
    return this
  }

  /**
   * Sets whether a row is the value of its first column alone.
   *
   * @typeParam Value - the type of the value; the type of a row stays without it
   */
  pluck(toggle?: boolean): this
  pluck<Value>(toggle?: boolean): Statement<Owner, Parameters, Value>
  pluck(toggle = true): Statement<Owner, Parameters, unknown> {
    return this.#reshape('pluck', 'value', toggle)
  }

  /**
   * Sets whether a row is an object with an object for each table, and one named `$` for expressions.
   *
   * @typeParam Tables - the type of the object; the type of a row stays without it
   */
  expand(toggle?: boolean): this
  expand<Tables extends object>(toggle?: boolean): Statement<Owner, Parameters, Tables>
  expand(toggle = true): Statement<Owner, Parameters, unknown> {
    return this.#reshape('expand', 'expanded', toggle)
  }

  /**
   * Sets whether a row is an array of its columns' values.
   *
   * @typeParam Values - the type of the array; the type of a row stays without it
   */
  raw(toggle?: boolean): this
  raw<Values extends unknown[]>(toggle?: boolean): Statement<Owner, Parameters, Values>
  raw(toggle = true): Statement<Owner, Parameters, unknown> {
    return this.#reshape('raw', 'array', toggle)
  }

  /** Sets whether INTEGER values and `lastInsertRowid` are bigints, or numbers, which are inexact beyond 2^53. */
  safeIntegers(toggle = true): this {
    if (typeof toggle !== 'boolean') throw argumentType('Expected first argument to be a boolean')
    this.#settable()
    this.#bigints = toggle
    return this
  }

  /** Returns the columns of the rows and their origins. */
  columns(): ColumnDefinition[] {
    this.#mustRead('The columns() method is only for statements that return data')
    this.#session.ready()
    try {
      return this.#native.columns().map(({ name, column = null, table = null, database = null, type = null }) => ({
        name,
        column,
        table,
        database,
        type,
      }))
    } catch (error) {
      throw fromNative(error)
    }
  }

  /** Returns the SQL, with the values of parameters that {@link bind} has bound. */
  toString(): string {
    if (!this.#bound || !this.#session.open) return this.source
    try {
      return this.#native.expanded() ?? this.source
    } catch (error) {
      throw fromNative(error)
    }
  }

  /** Ends an iterator that reads from the statement, as `using` does at the end of its block. */
  [Symbol.dispose](): void {
    this.#run?.finish()
  }

  /** Checks that a call may begin, and arranges its parameters. */
  #begin(parameters: readonly unknown[], writes: boolean): unknown[] | undefined {
    this.#free()
    if (writes) this.#session.mutable()
    if (this.#bound) {
      if (parameters.length > 0) throw argumentType('This statement already has bound parameters')
      return undefined
    }
    this.#parameters ??= new ParametersOf(this.#native.parameters())
    const values = this.#parameters.arrange(parameters)
    // A getter or a proxy among the parameters may have called anything.
    this.#free()
    if (writes) this.#session.mutable()
    return values.length === 0 ? undefined : values
  }

  /** Throws unless the form of the rows can be set now, which a closed database does not prevent. */
  #settable(): void {
    this.#session.outsideCallbacks()
    if (this.#running) throw busy('This statement')
  }

  #free(): void {
    this.#session.ready()
    if (this.#running) throw busy('This statement')
  }

  #mustRead(message = 'This statement does not return data. Use run() instead'): void {
    if (!this.reader) throw argumentType(message)
  }

  #reshape(method: string, shape: Shape | 'value', toggle: boolean): Statement<Owner, Parameters, unknown> {
    this.#mustRead(`The ${method}() method is only for statements that return data`)
    if (typeof toggle !== 'boolean') throw argumentType('Expected first argument to be a boolean')
    this.#settable()
    if (toggle) this.#shape = shape
    else if (this.#shape === shape) this.#shape = 'object'
    this.#build = undefined
    return this as Statement<Owner, Parameters, unknown>
  }

  #builder(): BuildRow | undefined {
    if (this.#shape === 'value') return undefined
    if (this.#build === undefined) {
      const names = this.#native.names()
      this.#build = buildRow(this.#shape, names, this.#shape === 'expanded' ? this.#native.tables() : undefined)
    }
    return this.#build
  }

  /** Called by the addon after a change of the schema has changed the columns. */
  readonly #rebuild = (names: string[], tables: (string | null | undefined)[]): BuildRow | undefined => {
    this.#build = this.#shape === 'value' ? undefined : buildRow(this.#shape, names, tables)
    return this.#build
  }
}

enumerable(Statement.prototype)

/** The statement whose calls take `BindParameters`: the list of their arguments, or the type of the only argument. */
export type StatementOf<Owner, BindParameters, Result> = BindParameters extends unknown[]
  ? Statement<Owner, BindParameters, Result>
  : Statement<Owner, [BindParameters], Result>

function runResult(changes: number, lastInsertRowid: number | bigint): RunResult {
  return { changes, lastInsertRowid }
}
