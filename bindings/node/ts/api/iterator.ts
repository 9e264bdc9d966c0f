/** The prototype of every built-in iterator, which has `map`, `filter` and others in newer versions of Node. */
const IteratorPrototype: object = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))

/**
 * A run of a statement, row by row.
 *
 * The statement refers to the run, and the run does not refer to the iterator, which can therefore be collected.
 */
export class Run<Result> {
  readonly #ready: () => void
  readonly #step: () => Result | undefined
  readonly #end: () => void
  #done = false

  /**
   * @param ready - throws while the iterator cannot be used; the run continues afterwards
   * @param step - reads the next row; returns undefined at the end
   * @param end - is called once, after the last read
   */
  constructor(ready: () => void, step: () => Result | undefined, end: () => void) {
    this.#ready = ready
    this.#step = step
    this.#end = end
  }

  get done(): boolean {
    return this.#done
  }

  /** Returns the next row, or undefined at the end. */
  next(): Result | undefined {
    if (this.#done) return undefined
    this.#ready()
    let value: Result | undefined
    try {
      value = this.#step()
    } catch (error) {
      this.finish()
      throw error
    }
    if (value === undefined) this.finish()
    return value
  }

  /** Ends the run. A second call does nothing. */
  finish(): void {
    if (this.#done) return
    this.#end()
    this.#done = true
  }
}

/** Ends the runs of iterators that were collected: an unfinished run blocks changes of its database. */
const abandoned = new FinalizationRegistry<Run<unknown>>((run) => {
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
  scheduled = true
  queueMicrotask(() => {
    scheduled = false
    for (const iterator of recent.splice(0)) register(iterator)
  })
}

/** The rows of a statement, one by one. */
export class RowIterator<Result> implements IterableIterator<Result> {
  readonly #run: Run<Result>
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
  constructor(run: Run<Result>, statement: object) {
    this.#run = run
    Object.defineProperty(this, 'statement', { value: statement, enumerable: true })
    watch(this)
  }

  next(): IteratorResult<Result, undefined> {
    const value = this.#run.next()
    return value === undefined ? this.#ended() : { done: false, value }
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
