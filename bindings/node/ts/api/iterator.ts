import type { Session } from './session'

/** The prototype of every built-in iterator, which has `map`, `filter` and others in newer versions of Node. */
const IteratorPrototype: object = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))

/** The rows that a batch has at most. */
const MAX_BATCH = 256

/**
 * A run of a statement, which reads rows in batches and returns them one by one.
 *
 * The first batch has one row, and each later batch twice as many rows as the one before. So the run reads ahead at most one
 * row more than the caller has had. The addon ends a batch early if its rows take long to find.
 *
 * The rows are those of a reader that doesn't read ahead: until the run ends, nothing else can change the database, and the
 * addon holds the read transaction. If a caller could observe the reading itself, the run reads one row at a time: on a
 * connection with functions of the caller, in unsafe mode, and, by the addon, in a transaction that has written.
 *
 * The statement refers to the run, and the run does not refer to the iterator, which can therefore be collected.
 */
export class Run {
  /** Whether the statement counts the run as its own. */
  begun = false
  readonly #session: Session
  readonly #read: (rows: unknown[], limit: number) => boolean
  readonly #end: () => void
  /** The rows that were read, and the position of the next one. */
  #rows: unknown[] = []
  #next = 0
  #limit = 1
  /** Whether the last row has been read. */
  #complete = false
  #done = false

  /**
   * @param read - appends up to `limit` rows; returns whether they are the last ones
   * @param end - ends the run; it may throw, and is then called again
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
    // The run continues after the error.
    if (this.#session.blocked) this.#session.ready()
    if (this.#next === this.#rows.length && !this.#fill()) {
      this.finish()
      return undefined
    }
    const row = this.#rows[this.#next]
    // The caller may let go of a large row while the batch lasts.
    this.#rows[this.#next++] = undefined
    return row
  }

  /** Reads the next batch. Returns whether it has a row. */
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

/** Ends the runs of iterators that were collected: an unfinished run blocks changes of its database. */
const abandoned = new FinalizationRegistry<Run>((run) => {
  try {
    run.finish()
  } catch {}
})

/** Iterators of the running task. Most of them end in it, and registering each would cost more than a row. */
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

/** The rows of a statement, one by one. */
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
   * @param statement - the statement, which the iterator has as a property
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
