import type { Session } from './session'

/** The prototype of every built-in iterator. Newer versions of Node define `map`, `filter` and others on it. */
const IteratorPrototype: object = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))

/** The maximum number of rows in a batch. */
const MAX_BATCH = 256

/**
 * A run of a statement, which reads rows in batches and returns them one by one.
 *
 * The first batch has one row, and each later batch has twice as many rows as the batch before. The run therefore reads
 * ahead at most one row more than the caller has already read. The addon ends a batch early if its rows are slow to
 * find.
 *
 * Reading ahead does not change the rows: until the run ends, nothing else can change the database, and the addon holds
 * the read transaction. The run reads one row at a time where a caller could observe the reading: on a connection with
 * functions of the caller, and in unsafe mode. The addon also reads one row at a time in a transaction that has
 * written.
 *
 * The statement refers to the run, but the run does not refer to the iterator. The iterator can therefore be collected.
 */
export class Run {
  /** `true` once the statement refers to the run. */
  begun = false
  readonly #session: Session
  readonly #read: (rows: unknown[], limit: number) => boolean
  readonly #end: () => void
  /** The rows of the batch, and the position of the next row. */
  #rows: unknown[] = []
  #next = 0
  #limit = 1
  /** `true` once the last row is read. */
  #complete = false
  #done = false

  /**
   * @param read - appends up to `limit` rows; returns whether the last row is among them
   * @param end - ends the run; `finish` may call it again if it throws
   */
  constructor(session: Session, read: (rows: unknown[], limit: number) => boolean, end: () => void) {
    this.#session = session
    this.#read = read
    this.#end = end
  }

  get done(): boolean {
    return this.#done
  }

  /** Returns the next row, or undefined at the end. */
  next(): unknown {
    if (this.#done) return undefined
    // Inside a callback `ready` throws, and the run can continue after the callback.
    if (this.#session.blocked) this.#session.ready()
    if (this.#next === this.#rows.length && !this.#fill()) {
      this.finish()
      return undefined
    }
    const row = this.#rows[this.#next]
    // Lets the garbage collector free a large row that the caller drops before the batch ends.
    this.#rows[this.#next++] = undefined
    return row
  }

  /** Reads the next batch, and returns whether the batch has a row. */
  #fill(): boolean {
    if (this.#complete) return false
    const { unsafe, callbacks } = this.#session
    const rows: unknown[] = []
    try {
      this.#complete = this.#read(rows, unsafe || callbacks.any ? 1 : this.#limit)
    } catch (error) {
      this.finish()
      throw error
    }
    this.#rows = rows
    this.#next = 0
    this.#limit = Math.min(2 * this.#limit, MAX_BATCH)
    return rows.length > 0
  }

  /** Ends the run. A second call does nothing. */
  finish(): void {
    if (this.#done || !this.begun) return
    this.#session.outsideCallbacks()
    this.#end()
    this.#done = true
    this.#rows = []
  }
}

/** Ends the runs of collected iterators: an unfinished run blocks changes to its database. */
const abandoned = new FinalizationRegistry<Run>((run) => {
  try {
    run.finish()
  } catch {}
})

/**
 * Iterators of the running task. Most iterators end in the task that started them, and registering an iterator costs
 * more than reading a row.
 */
const recent: RowIterator<unknown>[] = []
let scheduled = false
let register: (iterator: RowIterator<unknown>) => void

function watch(iterator: RowIterator<unknown>): void {
  recent.push(iterator)
  if (scheduled) return
  queueMicrotask(() => {
    scheduled = false
    for (const iterator of recent.splice(0)) register(iterator)
  })
  scheduled = true
}

/** Returns the rows of a statement one by one. */
export class RowIterator<Result> implements IterableIterator<Result> {
  readonly #run: Run
  #registered = false

  static {
    register = (iterator) => {
      if (iterator.#run.done) return
      iterator.#registered = true
      abandoned.register(iterator, iterator.#run, iterator.#run)
    }
  }

  /**
   * @param run - the rows
   * @param statement - the value of the iterator's property `statement`
   */
  constructor(run: Run, statement: object) {
    this.#run = run
    Object.defineProperty(this, 'statement', { value: statement, enumerable: true })
    watch(this)
  }

  next(): IteratorResult<Result, undefined> {
    const value = this.#run.next()
    return value === undefined ? this.#ended() : { done: false, value: value as Result }
  }

  return(): IteratorResult<Result, undefined> {
    this.#run.finish()
    return this.#ended()
  }

  [Symbol.dispose](): void {
    this.return()
  }

  [Symbol.iterator](): this {
    return this
  }

  #ended(): IteratorResult<Result, undefined> {
    if (this.#registered) abandoned.unregister(this.#run)
    else if (recent.at(-1) === this) recent.pop()
    return { done: true, value: undefined }
  }
}
Object.setPrototypeOf(RowIterator.prototype, IteratorPrototype)
