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
import type { Prepared } from './prepared'
import type { Session } from './session'
import type { ColumnDefinition, RunResult } from './values'

/** The maximum number of rows per call. Most batches end earlier, when the shared memory is full. */
const MAX_ROWS = 4096

/** The arguments of a call without parameters. */
const NONE: unknown[] = []

/** Runs a statement: checks that a call may begin, passes parameters, and reads rows in the chosen shape. */
export class Execution {
  readonly #session: Session
  #prepared: Prepared
  #shape: Shape = 'object'
  #flags: number
  /** The reader of the rows whose layout has this version. */
  #reader: Reader | undefined
  #version = 0
  readonly #writes: boolean
  /** `true` if calls take no parameters. */
  #bound: boolean
  /** `true` if this execution has bound values to its prepared statement, and so no longer shares it. */
  #owns = false
  /** The run that an iterator reads. A reference to the iterator itself would prevent its collection. */
  #run: Run | undefined

  /** @param bound - true if calls take no parameters */
  constructor(session: Session, prepared: Prepared, bound: boolean) {
    this.#prepared = prepared
    this.#session = session
    this.#flags = session.bigints ? BIGINTS : 0
    this.#writes = !prepared.readonly
    this.#bound = bound
  }

  /** Runs the statement to its end. */
  run(parameters: unknown[]): RunResult {
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

  /** Returns the first row, or undefined. */
  get(parameters: unknown[]): unknown {
    const values = this.#begin(parameters, this.#writes)
    const { calls } = this.#session
    try {
      const value = calls.get(this.#prepared.handle, this.#callFlags(values), list, ...values)
      if (calls.ints[ROWS] === 0) return undefined
      if (calls.ints[LAYOUT] === DIRECT) return value
      return this.#currentReader().one(value, calls.ints[VALUES] as number)
    } catch (error) {
      throw fromNative(error)
    }
  }

  /** Returns every row. */
  all(parameters: unknown[]): unknown[] {
    const values = this.#begin(parameters, this.#writes)
    const { calls } = this.#session
    const flags = this.#callFlags(values) | (MAX_ROWS << LIMIT)
    const rows: unknown[] = []
    try {
      let value = calls.start(this.#prepared.handle, flags, list, ...values)
      this.#append(rows, value)
      while (calls.ints[DONE] === 0) {
        value = calls.more(this.#prepared.handle, flags, list)
        this.#append(rows, value)
      }
    } catch (error) {
      // After a stack overflow between two batches, the statement would still be running.
      this.#abandon(flags)
      throw fromNative(error)
    }
    return rows
  }

  /** Returns an iterator of the rows with the property `statement`. The statement is busy until the iterator ends. */
  iterate<Result>(parameters: unknown[], statement: { readonly busy: boolean }): RowIterator<Result> {
    const values = this.#begin(parameters, this.#writes)
    const session = this.#session
    const { calls } = session
    const prepared = this.#prepared
    const flags = this.#callFlags(values)
    const marked = statement as { busy: boolean }
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
    // A stack overflow must not leave a run half begun or half ended, so the assignments come last and call nothing.
    const run = new Run(session, read, () => {
      calls.end(prepared.handle, flags, list)
      session.iterators--
      prepared.taken = this.#owns
      this.#run = undefined
      marked.busy = false
    })
    const iterator = new RowIterator<Result>(run, statement)
    run.begun = true
    session.iterators++
    prepared.taken = true
    this.#run = run
    marked.busy = true
    return iterator
  }

  /** Ends the run of an open iterator. */
  finish(): void {
    this.#run?.finish()
  }

  /** Binds values for all later calls, which then take no parameters. */
  bind(parameters: unknown[]): void {
    if (this.#bound) throw argumentType('The bind() method can only be invoked once per statement object')
    const values = this.#begin(parameters, false)
    if (values.length > 0) {
      try {
        this.#prepared.native.bind(values)
      } catch (error) {
        throw fromNative(error)
      }
      this.#session.forget(this.#prepared)
      this.#prepared.taken = true
      this.#owns = true
    }
    this.#bound = true
  }

  /** Sets or unsets the shape of the rows. */
  reshape(shape: Shape, toggle: boolean): void {
    this.#settable()
    if (toggle) this.#shape = shape
    else if (this.#shape === shape) this.#shape = 'object'
    this.#flags = this.#shape === 'value' ? this.#flags | ONLY_FIRST : this.#flags & ~ONLY_FIRST
    this.#version = 0
  }

  /** Sets whether INTEGER values are bigints. */
  setBigints(toggle: boolean): void {
    this.#settable()
    this.#flags = toggle ? this.#flags | BIGINTS : this.#flags & ~BIGINTS
  }

  /** Returns the columns of the rows and their origins. */
  columns(): ColumnDefinition[] {
    this.#session.ready()
    // Another connection may have changed the schema after SQLite compiled the statement.
    if (this.#prepared.reusable && !this.#prepared.taken) {
      this.#session.forget(this.#prepared)
      this.#prepareAgain()
    }
    try {
      // The addon's array belongs to Node's main context. A test runner may have loaded this module in another context.
      return Array.from(
        this.#prepared.native.columns(),
        ({ name, column = null, table = null, database = null, type = null }) => ({
          name,
          column,
          table,
          database,
          type,
        }),
      )
    } catch (error) {
      throw fromNative(error)
    }
  }

  /** Returns the SQL, with the values that {@link bind} has bound. */
  sql(): string {
    const { native, source } = this.#prepared
    if (!this.#bound || !this.#session.open) return source
    try {
      return native.expanded() ?? source
    } catch (error) {
      throw fromNative(error)
    }
  }

  /**
   * Checks that a call may begin, and writes its parameters into the shared memory. Returns the arguments of the call.
   */
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
    const { calls } = session
    if (parameters.length === prepared.parameters.plain && calls.put(parameters) === parameters.length)
      return parameters
    const values = prepared.parameters.arrange(parameters)
    // A getter or a proxy among the parameters can run any code.
    this.#free(writes)
    calls.putAll(values)
    return values
  }

  /** Throws unless a run may begin now, and replaces a prepared statement that another execution has taken. */
  #free(writes: boolean): void {
    const session = this.#session
    session.ready()
    if (this.#run !== undefined) throw busy('This statement')
    if (writes && session.iterators !== 0 && !session.unsafe) throw busy()
    if (!this.#prepared.reusable) session.forgetPrepared()
    else if (this.#prepared.taken && !this.#owns) this.#prepareAgain()
  }

  /** Throws if the shape of the rows cannot be changed now. The database may be closed. */
  #settable(): void {
    this.#session.outsideCallbacks()
    if (this.#run !== undefined) throw busy('This statement')
  }

  /** Ends a run that failed. */
  #abandon(flags: number): void {
    try {
      this.#session.calls.end(this.#prepared.handle, flags, list)
    } catch {}
  }

  #prepareAgain(): void {
    try {
      this.#prepared = this.#session.prepareAgain(this.#prepared.source)
    } catch (error) {
      throw fromNative(error)
    }
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
}
