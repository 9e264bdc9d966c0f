/** The prototype of every built-in iterator, which has `map`, `filter` and others in newer versions of Node. */
const IteratorPrototype: object = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))

/** The rows of a statement, one by one. */
export class RowIterator<Result> implements IterableIterator<Result> {
  readonly #ready: () => void
  readonly #step: () => Result | undefined
  readonly #end: () => void
  #done = false

  /**
   * @param ready - throws while the iterator cannot be used; the iterator continues afterwards
   * @param step - reads the next row; returns undefined at the end
   * @param end - is called once, after the last read
   * @param statement - the statement, which the iterator has as a property
   */
  constructor(ready: () => void, step: () => Result | undefined, end: () => void, statement: object) {
    this.#ready = ready
    this.#step = step
    this.#end = end
    Object.defineProperty(this, 'statement', { value: statement, enumerable: true })
  }

  next(): IteratorResult<Result, undefined> {
    if (this.#done) return { done: true, value: undefined }
    this.#ready()
    let value: Result | undefined
    try {
      value = this.#step()
    } catch (error) {
      this.#finish()
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

  [Symbol.dispose](): void {
    this.#finish()
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
