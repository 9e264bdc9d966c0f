import type { Shape } from './build-row'
import { argumentType, NO_ROWS } from './errors'
import { Execution } from './execution'
import { enumerable } from './objects'
import type { Prepared } from './prepared'
import type { Session } from './session'
import type { ColumnDefinition, RunResult } from './values'

/**
 * A prepared statement, which `Database.prepare` returns.
 *
 * Each call takes the values of the parameters: as arguments or an array for `?`, and as an object for `:name`, `@name`
 * and `$name` (without the prefix). {@link BindArgument} lists the types.
 *
 * Once the database is closed, a call that runs or binds the statement or reads its columns throws a TypeError with the
 * code `STRONGROOM_CLOSED`. While an iterator of the statement is open, a call that runs, binds or configures the
 * statement throws a TypeError with the code `STRONGROOM_BUSY`.
 *
 * @typeParam Owner - the class of the database
 * @typeParam Parameters - the arguments of the calls
 * @typeParam Result - the type of a row, which is not checked: `unknown` requires a cast
 */
export class Statement<Owner, Parameters extends unknown[] = unknown[], Result = unknown> {
  /** The database that prepared the statement. */
  readonly database: Owner
  /** The statement's SQL. The key of a `PRAGMA key` and similar statements is removed. */
  readonly source: string
  /** `true` if the statement returns rows, as `get`, `all` and `iterate` require. */
  readonly reader: boolean
  /** `true` if the statement leaves the database unchanged. */
  readonly readonly: boolean
  /** `true` while an iterator of the statement is open. */
  readonly busy: boolean = false

  readonly #execution: Execution
  readonly #reads: boolean

  /** @internal */
  constructor(
    session: Session,
    prepared: Prepared,
    about: { database: Owner; source: string; reads: boolean; unbound?: boolean },
  ) {
    this.#execution = new Execution(session, prepared, about.unbound === true)
    this.#reads = about.reads || prepared.reads
    // Plain assignments: `Object.defineProperty` would take several times as long as the rest of the constructor.
    this.database = about.database
    this.source = about.source
    this.reader = this.#reads
    this.readonly = prepared.readonly
  }

  /**
   * Runs the statement to its end.
   *
   * @throws {SqliteError} with SQLite's code if the statement fails. The statement's changes are rolled back.
   * @throws {TypeError} or {RangeError} for invalid parameters, before the statement runs.
   * @example
   * ```js
   * const { changes, lastInsertRowid } = insert.run('joey', 2)
   * ```
   */
  run(...parameters: Parameters): RunResult {
    return this.#execution.run(parameters)
  }

  /**
   * Returns the first row, or undefined.
   *
   * @throws {SqliteError} with SQLite's code if the statement fails.
   * @throws {TypeError} for a statement that returns no rows.
   */
  get(...parameters: Parameters): Result | undefined {
    this.#mustRead()
    return this.#execution.get(parameters) as Result | undefined
  }

  /**
   * Returns every row.
   *
   * @throws {SqliteError} with SQLite's code if the statement fails.
   * @throws {TypeError} for a statement that returns no rows.
   */
  all(...parameters: Parameters): Result[] {
    this.#mustRead()
    return this.#execution.all(parameters) as Result[]
  }

  /**
   * Returns an iterator of the rows. The iterator holds at most a few hundred rows in memory.
   *
   * The iterator ends after its last row, or when `break`, `return` or an exception leaves the loop. Until then other
   * statements can read the database, but nothing can write to it or close it. An unreferenced iterator ends when it is
   * garbage-collected.
   *
   * @throws {TypeError} for a statement that returns no rows.
   */
  iterate(...parameters: Parameters): IterableIterator<Result> {
    this.#mustRead()
    return this.#execution.iterate<Result>(parameters, this)
  }

  /**
   * Binds values for all later calls, which then take no parameters.
   *
   * @throws {TypeError} for a statement that already has bound values.
   */
  bind(...parameters: Parameters): this {
    this.#execution.bind(parameters)
    return this
  }

  /**
   * Sets whether rows are returned as the value of their first column.
   *
   * @typeParam Value - the type of the value; without this argument the type of a row does not change
   */
  pluck(toggle?: boolean): this
  pluck<Value>(toggle?: boolean): Statement<Owner, Parameters, Value>
  pluck(toggle = true): Statement<Owner, Parameters, unknown> {
    return this.#reshape('pluck', 'value', toggle)
  }

  /**
   * Sets whether a row is an object with an object for each table, and an object named `$` for expressions.
   *
   * @typeParam Tables - the type of the object; without this argument the type of a row does not change
   */
  expand(toggle?: boolean): this
  expand<Tables extends object>(toggle?: boolean): Statement<Owner, Parameters, Tables>
  expand(toggle = true): Statement<Owner, Parameters, unknown> {
    return this.#reshape('expand', 'expanded', toggle)
  }

  /**
   * Sets whether a row is an array of its columns' values.
   *
   * @typeParam Values - the type of the array; without this argument the type of a row does not change
   */
  raw(toggle?: boolean): this
  raw<Values extends unknown[]>(toggle?: boolean): Statement<Owner, Parameters, Values>
  raw(toggle = true): Statement<Owner, Parameters, unknown> {
    return this.#reshape('raw', 'array', toggle)
  }

  /** Sets whether INTEGER values and `lastInsertRowid` are bigints. Numbers are inexact beyond 2^53. */
  safeIntegers(toggle = true): this {
    if (typeof toggle !== 'boolean') throw argumentType('Expected first argument to be a boolean')
    this.#execution.setBigints(toggle)
    return this
  }

  /** Returns the columns of the rows and their origins. */
  columns(): ColumnDefinition[] {
    this.#mustRead('The columns() method is only for statements that return data')
    return this.#execution.columns()
  }

  /** Returns the SQL, with the values that {@link bind} has bound. */
  toString(): string {
    return this.#execution.sql()
  }

  /** Ends an iterator that reads from the statement. `using` calls this method at the end of its block. */
  [Symbol.dispose](): void {
    this.#execution.finish()
  }

  #mustRead(message = NO_ROWS): void {
    if (!this.#reads) throw argumentType(message)
  }

  #reshape(method: string, shape: Shape, toggle: boolean): Statement<Owner, Parameters, unknown> {
    this.#mustRead(`The ${method}() method is only for statements that return data`)
    if (typeof toggle !== 'boolean') throw argumentType('Expected first argument to be a boolean')
    this.#execution.reshape(shape, toggle)
    return this as Statement<Owner, Parameters, unknown>
  }
}

enumerable(Statement.prototype)

/** A statement whose calls take `BindParameters`: the list of the arguments, or the type of the only argument. */
export type StatementOf<Owner, BindParameters, Result> = BindParameters extends unknown[]
  ? Statement<Owner, BindParameters, Result>
  : Statement<Owner, [BindParameters], Result>
