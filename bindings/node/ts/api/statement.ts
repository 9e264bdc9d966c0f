import type { Reader, Shape } from './build-row'
import {
  AHEAD,
  BIGINTS,
  CHANGES,
  DIRECT,
  DONE,
  LAYOUT,
  LIMIT,
  list,
  ONLY_FIRST,
  PASSED,
  ROWID,
  ROWS,
  VALUES,
} from './calls'
import { argumentType, busy, fromNative } from './errors'
import { RowIterator, Run } from './iterator'
import { enumerable } from './objects'
import type { Prepared } from './prepared'
import type { Session } from './session'
import type { ColumnDefinition, RunResult } from './values'

/** The rows that a call reads at most. The shared memory ends most batches before. */
const MAX_ROWS = 4096

/** The arguments of a call without parameters. */
const NONE: unknown[] = []

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
  readonly database: Owner
  /** The given SQL, without the key of a `PRAGMA key` and similar statements. */
  readonly source: string
  /** Whether the statement returns rows, which `get`, `all` and `iterate` require. */
  readonly reader: boolean
  /** Whether the statement leaves the database as it is. */
  readonly readonly: boolean
  /** Whether an iterator of the statement has not ended. */
  readonly busy: boolean = false

  readonly #session: Session
  #prepared: Prepared
  #shape: Shape = 'object'
  #flags: number
  /** The reader of the rows whose layout has this version. */
  #reader: Reader | undefined
  #version = 0
  readonly #reads: boolean
  readonly #writes: boolean
  #bound = false
  /** The run that an iterator reads. Not the iterator itself, which could then never be collected. */
  #run: Run | undefined

  /** @internal */
  constructor(
    session: Session,
    prepared: Prepared,
    about: { database: Owner; source: string; reads: boolean; unbound?: boolean },
  ) {
    this.#prepared = prepared
    this.#session = session
    this.#flags = session.bigints ? BIGINTS : 0
    this.#reads = about.reads || prepared.reads
    this.#writes = !prepared.readonly
    this.#bound = about.unbound === true
    // Plain properties: definitions would take several times as long as the rest.
    this.database = about.database
    this.source = about.source
    this.reader = this.#reads
    this.readonly = prepared.readonly
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
    const { calls } = this.#session
    try {
      calls.run(this.#prepared.handle, this.#callFlags(values), list, ...values)
    } catch (error) {
      throw fromNative(error)
    }
    const { numbers, bigints } = calls
    const rowid = (this.#flags & BIGINTS) === 0 ? numbers[ROWID] : bigints[ROWID]
    return { changes: numbers[CHANGES] as number, lastInsertRowid: rowid as number | bigint }
  }

  /**
   * Returns the first row, or undefined.
   *
   * @throws {SqliteError} with SQLite's code if the statement fails.
   * @throws {TypeError} for a statement that returns no rows.
   */
  get(...parameters: Parameters): Result | undefined {
    this.#mustRead()
    const values = this.#begin(parameters, this.#writes)
    const { calls } = this.#session
    try {
      const value = calls.get(this.#prepared.handle, this.#callFlags(values), list, ...values)
      if (calls.ints[ROWS] === 0) return undefined
      if (calls.ints[LAYOUT] === DIRECT) return value as Result
      return this.#currentReader().one(value, calls.ints[VALUES] as number) as Result
    } catch (error) {
      throw fromNative(error)
    }
  }

  /**
   * Returns every row.
   *
   * @throws {SqliteError} with SQLite's code if the statement fails.
   * @throws {TypeError} for a statement that returns no rows.
   */
  all(...parameters: Parameters): Result[] {
    this.#mustRead()
    const values = this.#begin(parameters, this.#writes)
    const { calls } = this.#session
    const flags = this.#callFlags(values) | (MAX_ROWS << LIMIT)
    const rows: Result[] = []
    try {
      let value = calls.start(this.#prepared.handle, flags, list, ...values)
      this.#append(rows, value)
      while (calls.ints[DONE] === 0) {
        value = calls.more(this.#prepared.handle, flags, list)
        this.#append(rows, value)
      }
    } catch (error) {
      // Without enough of the stack, a batch has no rows, and the statement would stay in its run.
      this.#abandon(flags)
      throw fromNative(error)
    }
    return rows
  }

  /**
   * Returns an iterator of the rows, of which it has at most a few hundred in memory.
   *
   * Until the iterator ends, or the loop is left by `break`, `return` or an exception, other statements can read the
   * database, but nothing can write or close it. An iterator that the program lets go of ends when it is collected.
   *
   * @throws {TypeError} for a statement that returns no rows.
   */
  iterate(...parameters: Parameters): IterableIterator<Result> {
    this.#mustRead()
    const values = this.#begin(parameters, this.#writes)
    const session = this.#session
    const { calls } = session
    const prepared = this.#prepared
    const flags = this.#callFlags(values)
    try {
      calls.start(prepared.handle, flags, list, ...values)
    } catch (error) {
      throw fromNative(error)
    }
    const read = (rows: unknown[], limit: number): boolean => {
      try {
        this.#append(rows, calls.more(prepared.handle, flags | AHEAD | (limit << LIMIT), list))
      } catch (error) {
        throw fromNative(error)
      }
      return calls.ints[DONE] !== 0
    }
    // The whole end is one call of the addon, after which nothing can fail: a full stack would leave the run open for good.
    const run = new Run(session, read, () => {
      calls.end(prepared.handle, flags, list)
      session.iterators--
      prepared.taken = this.#bound
      this.#run = undefined
      ;(this as unknown as { busy: boolean }).busy = false
    })
    const iterator = new RowIterator<Result>(run, this)
    run.begun = true
    session.iterators++
    prepared.taken = true
    this.#run = run
    ;(this as unknown as { busy: boolean }).busy = true
    return iterator
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
      if (values.length > 0) {
        this.#prepared.native.bind(values)
        // Values that stay bound are this statement's alone.
        this.#session.forget(this.#prepared)
        this.#prepared.taken = true
      }
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
    this.#flags = toggle ? this.#flags | BIGINTS : this.#flags & ~BIGINTS
    return this
  }

  /** Returns the columns of the rows and their origins. */
  columns(): ColumnDefinition[] {
    this.#mustRead('The columns() method is only for statements that return data')
    this.#session.ready()
    try {
      return this.#prepared.native
        .columns()
        .map(({ name, column = null, table = null, database = null, type = null }) => ({
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
    if (!this.#bound || !this.#session.open) return this.#prepared.source
    try {
      return this.#prepared.native.expanded() ?? this.#prepared.source
    } catch (error) {
      throw fromNative(error)
    }
  }

  /** Ends an iterator that reads from the statement, as `using` does at the end of its block. */
  [Symbol.dispose](): void {
    this.#run?.finish()
  }

  /** Checks that a call may begin, and puts its parameters into the shared memory. Returns the arguments of the call. */
  #begin(parameters: unknown[], writes: boolean): unknown[] {
    const session = this.#session
    let prepared = this.#prepared
    if (
      session.blocked ||
      this.#run !== undefined ||
      prepared.taken ||
      !prepared.reusable ||
      (writes && session.iterators !== 0)
    ) {
      this.#free(writes)
      prepared = this.#prepared
    }
    if (this.#bound) {
      if (parameters.length > 0) throw argumentType('This statement already has bound parameters')
      return NONE
    }
    if (parameters.length === prepared.parameters.plain && session.calls.put(parameters)) return parameters
    const values = prepared.parameters.arrange(parameters)
    // A getter or a proxy among the parameters may have called anything.
    this.#free(writes)
    if (!session.calls.put(values)) session.calls.putAsArguments(values.length)
    return values
  }

  /** Throws unless a run may begin now, and makes sure that no other statement's run is in its way. */
  #free(writes: boolean): void {
    const session = this.#session
    session.ready()
    if (this.#run !== undefined) throw busy('This statement')
    if (writes && session.iterators !== 0 && !session.unsafe) throw busy()
    if (!this.#prepared.reusable) session.forgetPrepared()
    else if (this.#prepared.taken && !this.#bound) this.#use(this.#prepareAgain())
  }

  /** Ends a run that failed, unless the addon did so. */
  #abandon(flags: number): void {
    try {
      this.#session.calls.end(this.#prepared.handle, flags, list)
    } catch {}
  }

  #prepareAgain(): Prepared {
    try {
      return this.#session.prepareAgain(this.#prepared.source)
    } catch (error) {
      throw fromNative(error)
    }
  }

  #use(prepared: Prepared): void {
    this.#prepared = prepared
    this.#version = 0
  }

  #callFlags(values: unknown[]): number {
    return this.#flags | (values.length > 0 ? PASSED : 0)
  }

  /** Appends the rows of the last call. */
  #append(rows: unknown[], value: unknown): void {
    const { ints } = this.#session.calls
    const count = ints[ROWS] as number
    if (count > 0) this.#currentReader().many(rows, count, value, ints[VALUES] as number)
  }

  /** Returns the reader for the rows of the last call. */
  #currentReader(): Reader {
    const version = this.#session.calls.ints[LAYOUT] as number
    if (this.#reader === undefined || version !== this.#version) {
      this.#reader = this.#prepared.reader(this.#flags, this.#shape)
      this.#version = version
    }
    return this.#reader
  }

  /** Throws unless the form of the rows can be set now, which a closed database does not prevent. */
  #settable(): void {
    this.#session.outsideCallbacks()
    if (this.#run !== undefined) throw busy('This statement')
  }

  #mustRead(message = 'This statement does not return data. Use run() instead'): void {
    if (!this.#reads) throw argumentType(message)
  }

  #reshape(method: string, shape: Shape, toggle: boolean): Statement<Owner, Parameters, unknown> {
    this.#mustRead(`The ${method}() method is only for statements that return data`)
    if (typeof toggle !== 'boolean') throw argumentType('Expected first argument to be a boolean')
    this.#settable()
    if (toggle) this.#shape = shape
    else if (this.#shape === shape) this.#shape = 'object'
    this.#flags = this.#shape === 'value' ? this.#flags | ONLY_FIRST : this.#flags & ~ONLY_FIRST
    this.#version = 0
    return this as Statement<Owner, Parameters, unknown>
  }
}

enumerable(Statement.prototype)

/** The statement whose calls take `BindParameters`: the list of their arguments, or the type of the only argument. */
export type StatementOf<Owner, BindParameters, Result> = BindParameters extends unknown[]
  ? Statement<Owner, BindParameters, Result>
  : Statement<Owner, [BindParameters], Result>
