import type { Iteration } from './iteration'

/** The prototype of every built-in asynchronous iterator. */
const AsyncIteratorPrototype: object = Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}).prototype)

/** Ends the iterations of collected iterators: an open statement holds its reader, or blocks writes. */
const abandoned = new FinalizationRegistry<Iteration>((iteration) => iteration.leave())

/**
 * Returns the rows of a statement one by one.
 *
 * The statement starts with the first call of `next`. The statement ends after its last row, or when `break`, `return`
 * or an exception leaves the loop. An iterator that the garbage collector finds unreferenced also ends its statement.
 */
export class AsyncRowIterator<Row> implements AsyncIterableIterator<Row> {
  readonly #iteration: Iteration | undefined
  /** Returns a promise that rejects with the error of invalid arguments. */
  #refused: (() => Promise<never>) | undefined

  /**
   * @param source - the statement, or the error of the first call of `next`
   * @internal
   */
  constructor(source: Iteration | (() => Promise<never>)) {
    if (typeof source === 'function') this.#refused = source
    else {
      this.#iteration = source
      abandoned.register(this, source, source)
    }
  }

  next(): Promise<IteratorResult<Row, undefined>> {
    if (this.#iteration !== undefined) return this.#iteration.next(this) as Promise<IteratorResult<Row, undefined>>
    const refused = this.#refused
    this.#refused = undefined
    return refused?.() ?? Promise.resolve({ done: true, value: undefined })
  }

  /** Ends the statement. The calls of `next` that wait for a row get the end. */
  return(value?: unknown): Promise<IteratorResult<Row, undefined>> {
    this.#refused = undefined
    if (this.#iteration !== undefined) {
      this.#iteration.leave()
      abandoned.unregister(this.#iteration)
    }
    return Promise.resolve({ done: true, value: value as undefined })
  }

  /** Ends the statement, and rejects with the error. */
  async throw(error?: unknown): Promise<IteratorResult<Row, undefined>> {
    await this.return()
    throw error
  }

  /** Ends the statement. `await using` calls this method at the end of its block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
Object.setPrototypeOf(AsyncRowIterator.prototype, AsyncIteratorPrototype)
