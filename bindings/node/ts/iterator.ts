/** What every built-in iterator inherits from; newer versions of Node have `map`, `filter` and so on there. */
const IteratorPrototype: object = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))

/** The rows of a statement, one by one. */
export class RowIterator<Result> implements IterableIterator<Result> {
  readonly #step: () => Result | undefined
  readonly #end: () => void
  #done = false

  /**
   * @param step - reads the next row; undefined at the end
   * @param end - called once, when nothing more will be read
   */
  constructor(step: () => Result | undefined, end: () => void) {
    this.#step = step
    this.#end = end
  }

  next(): IteratorResult<Result, undefined> {
    if (this.#done) return { done: true, value: undefined }
    let value: Result | undefined
    try {
      value = this.#step()
    } catch (error) {
      // A call from within another one is refused, and the iterator goes on after it.
      if ((error as { code?: unknown }).code !== 'STRONGROOM_BUSY') this.#finish()
      throw error
    }
    if (value !== undefined) return { done: false, value }
    this.#finish()
    return { done: true, value: undefined }
  }

  return(): IteratorResult<Result, undefined> {
    this.#finish()
    return { done: true, value: undefined }
  }

  [Symbol.iterator](): this {
    return this
  }

  #finish(): void {
    if (this.#done) return
    this.#end()
    this.#done = true
  }
}
Object.setPrototypeOf(RowIterator.prototype, IteratorPrototype)
