import { type BuildRow, buildRow, type Shape } from './build-row'
import type { Database } from './database'
import { argumentType, busy, fromNative } from './errors'
import { RowIterator } from './iterator'
import type { NativeStatement } from './native'
import { Parameters as ParametersOf } from './parameters'
import type { Session } from './session'
import type { BindArgument, ColumnDefinition, Row, RunResult, SqlValue } from './values'

/**
 * A prepared statement, made by {@link Database.prepare}.
 *
 * Values for its parameters are passed to each call: one by one or in an array for `?`, in an object for `:name`,
 * `@name` and `$name` (without the prefix). See {@link BindArgument} for what can be bound.
 *
 * A statement belongs to its database: once that is closed, every call throws a TypeError with the code
 * `STRONGROOM_CLOSED`. While one of its iterators is under way it cannot be used again (`STRONGROOM_BUSY`).
 *
 * @typeParam Parameters - the arguments that its calls take
 * @typeParam Result - what a row is
 */
export class Statement<Parameters extends readonly unknown[] = BindArgument[], Result = Row> {
  /** The database that prepared it. */
  declare readonly database: Database
  /** Its SQL, as given, but for the key of a `PRAGMA key` and the like, which is left out. */
  declare readonly source: string
  /** Whether it gives rows: `get`, `all` and `iterate` are for such statements only. */
  declare readonly reader: boolean
  /** Whether it leaves the database as it is. */
  declare readonly readonly: boolean

  readonly #native: NativeStatement
  readonly #session: Session
  #parameters: ParametersOf | undefined
  #shape: Shape | 'value' = 'object'
  #build: BuildRow | undefined
  #bigints: boolean
  #bound = false
  #running = false

  /** @internal */
  constructor(
    session: Session,
    native: NativeStatement,
    about: { database: Database; source: string; reads: boolean },
  ) {
    this.#native = native
    this.#session = session
    this.#bigints = session.bigints
    const own = (value: unknown) => ({ value, enumerable: true })
    Object.defineProperties(this, {
      database: { value: about.database },
      source: own(about.source),
      reader: own(about.reads || native.columnCount > 0),
      readonly: own(native.readonly),
      uncloneable: own(Symbol('a strongroom Statement belongs to its thread: prepare it again in the other one')),
    })
  }

  /** Whether one of its iterators is under way. */
  get busy(): boolean {
    return this.#running
  }

  /**
   * Runs the statement to its end.
   *
   * @throws {SqliteError} with SQLite's code when it fails; what it had done is undone.
   * @throws {TypeError} or {RangeError} when the parameters are wrong; nothing has run then.
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
      throw this.#session.failed(error)
    }
    this.#session.report()
    return result as RunResult
  }

  /**
   * The first row, or undefined where there is none.
   *
   * @throws {SqliteError} with SQLite's code when it fails.
   * @throws {TypeError} for a statement that gives no rows.
   */
  get(...parameters: Parameters): Result | undefined {
    this.#mustRead()
    const values = this.#begin(parameters, !this.readonly)
    let row: unknown
    try {
      row = this.#native.get(values, this.#builder(), this.#rebuild, this.#bigints)
    } catch (error) {
      throw this.#session.failed(error)
    }
    this.#session.report()
    return row as Result | undefined
  }

  /**
   * Every row.
   *
   * @throws {SqliteError} with SQLite's code when it fails.
   * @throws {TypeError} for a statement that gives no rows.
   */
  all(...parameters: Parameters): Result[] {
    this.#mustRead()
    const values = this.#begin(parameters, !this.readonly)
    let rows: unknown[]
    try {
      rows = this.#native.all(values, this.#builder(), this.#rebuild, this.#bigints)
    } catch (error) {
      throw this.#session.failed(error)
    }
    this.#session.report()
    return rows as Result[]
  }

  /**
   * The rows one by one, each read when it is asked for.
   *
   * Until the iterator has come to its end or is left (`break`, `return`, an exception in the loop), its database can
   * be read by other statements, but neither written nor closed.
   *
   * @throws {TypeError} for a statement that gives no rows.
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
    return new RowIterator<Result>(
      () => {
        session.ready()
        let row: unknown
        try {
          row = native.next(this.#builder(), this.#rebuild, this.#bigints)
        } catch (error) {
          throw session.failed(error)
        }
        session.report()
        return row as Result | undefined
      },
      () => {
        this.#running = false
        session.iterators--
        native.reset(values !== undefined)
      },
    )
  }

  /**
   * Binds values for good: later calls take no parameters. Once per statement.
   *
   * @throws {TypeError} when it was bound before.
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

  /** With `true`, rows are the value of their first column alone. */
  pluck(toggle?: true): Statement<Parameters, SqlValue>
  pluck(toggle: boolean): Statement<Parameters, unknown>
  pluck(toggle = true): Statement<Parameters, unknown> {
    return this.#reshape('pluck', 'value', toggle)
  }

  /** With `true`, rows are arrays of their columns' values. */
  raw(toggle?: true): Statement<Parameters, SqlValue[]>
  raw(toggle: boolean): Statement<Parameters, unknown>
  raw(toggle = true): Statement<Parameters, unknown> {
    return this.#reshape('raw', 'array', toggle)
  }

  /** With `true`, INTEGER values and `lastInsertRowid` are bigints; otherwise numbers, inexact beyond 2^53. */
  safeIntegers(toggle = true): this {
    if (typeof toggle !== 'boolean') throw argumentType('the argument of safeIntegers() must be a boolean')
    this.#free()
    this.#bigints = toggle
    return this
  }

  /** What its columns are, and where they come from. */
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

  /** Checks that a call may begin, and arranges its parameters. */
  #begin(parameters: readonly unknown[], writes: boolean): unknown[] | undefined {
    this.#free()
    if (writes) this.#session.idle()
    if (this.#bound) {
      if (parameters.length > 0) throw argumentType('This statement already has bound parameters')
      return undefined
    }
    this.#parameters ??= new ParametersOf(this.#native.parameters())
    const values = this.#parameters.arrange(parameters)
    // A getter or a proxy among the parameters can have run anything meanwhile.
    this.#free()
    if (writes) this.#session.idle()
    return values.length === 0 ? undefined : values
  }

  #free(): void {
    this.#session.ready()
    if (this.#running) throw busy('This statement')
  }

  #mustRead(message = 'This statement does not return data. Use run() instead'): void {
    if (!this.reader) throw argumentType(message)
  }

  #reshape(method: string, shape: Shape | 'value', toggle: boolean): Statement<Parameters, unknown> {
    this.#mustRead(`The ${method}() method is only for statements that return data`)
    if (typeof toggle !== 'boolean') throw argumentType(`the argument of ${method}() must be a boolean`)
    this.#free()
    if (toggle) this.#shape = shape
    else if (this.#shape === shape) this.#shape = 'object'
    this.#build = undefined
    return this as Statement<Parameters, unknown>
  }

  #builder(): BuildRow | undefined {
    if (this.#shape === 'value') return undefined
    this.#build ??= buildRow(this.#shape, this.#native.names())
    return this.#build
  }

  /** Called by the addon when a change of the schema has changed the columns. */
  readonly #rebuild = (names: string[]): BuildRow | undefined => {
    this.#build = this.#shape === 'value' ? undefined : buildRow(this.#shape, names)
    return this.#build
  }
}

function runResult(changes: number, lastInsertRowid: number | bigint): RunResult {
  return { changes, lastInsertRowid }
}
