import { type Consumer, Cursor, type CursorOptions } from './cursor'
import { type Ending, errorOf } from './errors'
import type { Scope } from './scope'
import { isLarge } from './size'
import { located } from './stack'

/** A call of `next` that waits for its row. */
interface Waiter {
  /** The iterator, which must not be collected while a call waits. */
  iterator: object
  resolve: (result: IteratorResult<unknown, undefined>) => void
  reject: (error: unknown) => void
}

/**
 * The rows of an `iterate`, one by one.
 *
 * The consumer has one batch, and at most one further batch is requested. After a batch with a large row, the next batch
 * is requested only when the consumer needs it. The iterator that the caller has refers to the iteration, but not the
 * other way round, so the iterator can be collected.
 */
export class Iteration implements Consumer {
  readonly #scope: Scope
  readonly cursor: Cursor
  /** The batch that the consumer reads, the position of its next row, and the batch after it. */
  #rows: unknown[] = []
  #next = 0
  #ahead: unknown[] | undefined
  #waiters: Waiter[] = []
  #begun = false
  /** `true` once the last batch has arrived. */
  #complete = false
  /** `true` once the consumer has reached the end or has left. */
  #over = false
  /** The error that the next call of `next` rejects with. */
  #failure: { error: unknown } | undefined

  constructor(scope: Scope, options: CursorOptions) {
    this.#scope = scope
    this.cursor = new Cursor(scope, this, options)
  }

  next(iterator: object): Promise<IteratorResult<unknown, undefined>> {
    if (this.#begun && !this.#over && !this.#scope.live) {
      try {
        this.#scope.ready()
      } catch (error) {
        return Promise.reject(error)
      }
    }
    return new Promise((resolve, reject) => {
      this.#waiters.push({ iterator, resolve, reject })
      if (!this.#begun) this.#begin()
      this.#serve()
    })
  }

  /** Ends the iteration, as `break` does. The calls of `next` that wait get the end. */
  leave(): void {
    this.#begun = true
    this.#finish()
    this.#serve()
  }

  /** Ends the iteration at once. The next call of `next` rejects with the reason. */
  abort(reason: unknown): void {
    if (this.#over) return
    this.#finish()
    this.#failure = { error: reason }
    this.#serve()
  }

  /** Ends the iteration with its scope. Later calls of `next` get the error of the scope. */
  stop(ending: Ending): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const { reject } of waiters)
      reject('make' in ending ? located(errorOf(ending), this.cursor.stack) : ending.reason)
    this.#rows = []
    this.#next = 0
    this.#ahead = undefined
    this.cursor.leave()
  }

  arrived(rows: unknown[], complete: boolean): void {
    this.#complete = complete
    if (this.#next < this.#rows.length) this.#ahead = rows
    else {
      this.#rows = rows
      this.#next = 0
    }
    this.#serve()
  }

  /** Takes the error of the statement, which comes after the rows that have arrived. */
  failed(error: unknown): void {
    if (this.#over) return
    this.#complete = true
    this.#failure = { error }
    this.#serve()
  }

  #begin(): void {
    this.#begun = true
    try {
      this.cursor.begin()
    } catch (error) {
      this.failed(error)
    }
  }

  /** Gives rows to the calls that wait, and requests more. */
  #serve(): void {
    while (this.#waiters.length > 0 && this.#answer(this.#waiters[0] as Waiter)) this.#waiters.shift()
    if (this.#over || this.#complete || this.#ahead !== undefined || this.cursor.requested) return
    if (this.#waiters.length > 0 || (this.#scope.live && this.#rows.length > 0 && !isLarge(this.#rows)))
      this.cursor.more()
  }

  /** Answers a call, and returns whether that was possible. */
  #answer({ resolve, reject }: Waiter): boolean {
    if (this.#next === this.#rows.length && this.#ahead !== undefined) {
      this.#rows = this.#ahead
      this.#next = 0
      this.#ahead = undefined
    }
    if (this.#next < this.#rows.length) {
      const value = this.#rows[this.#next]
      // Lets the garbage collector free a large row that the consumer drops before the batch ends.
      this.#rows[this.#next++] = undefined
      resolve({ done: false, value })
      return true
    }
    if (!this.#over && !this.#complete) return false
    const failure = this.#failure
    this.#finish()
    if (failure === undefined) resolve({ done: true, value: undefined })
    else reject(failure.error)
    return true
  }

  /** Ends the statement, and drops the rows. */
  #finish(): void {
    this.#failure = undefined
    if (this.#over) return
    this.#over = true
    this.#rows = []
    this.#next = 0
    this.#ahead = undefined
    this.cursor.leave()
  }
}
