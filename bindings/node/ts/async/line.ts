import { busy } from '../api/errors'
import { type Ending, iterateOpen } from './errors'

/** A call that waits in a line until it may start. */
export interface Entry {
  /** `true` for a call that only reads, which may start while an `iterate` is open. */
  readonly shared: boolean
  /** Starts the call. Must not throw. */
  start(): void
  /** Copies what the caller could change while the call waits. */
  keep(): void
  /** Rejects the call with an error of Strongroom, whose stack becomes that of the caller. */
  fail(error: Error): void
  /** Rejects the call with the reason of a signal. */
  discard(reason: unknown): void
}

/** Ends a call before its time. */
export function finish(entry: Omit<Entry, 'shared'>, ending: Ending): void {
  if ('make' in ending) entry.fail(ending.make())
  else entry.discard(ending.reason)
}

/**
 * The calls on one connection, or of one transaction, in their order.
 *
 * A call that starts goes to the connection's thread, whose queue keeps the order. A call waits here while an owner (a
 * transaction) has the line, or while it would write beside an open `iterate`. The calls behind it wait as well.
 */
export class Line {
  /** The time in milliseconds for which a write waits for the end of an `iterate`; undefined: it fails at once. */
  readonly #patience: number | undefined
  readonly #waiting = new Set<Entry>()
  readonly #iterates = new Set<object>()
  #owner: object | undefined
  /** When each waiting call came. */
  readonly #since = new WeakMap<Entry, number>()
  /** When the last owner left. */
  #freed = 0
  #timer: NodeJS.Timeout | undefined

  constructor(patience: number | undefined) {
    this.#patience = patience
  }

  /** The transaction that has the line. */
  get owner(): object | undefined {
    return this.#owner
  }

  /** `true` if no call waits and the line has no owner. */
  get free(): boolean {
    return this.#owner === undefined && this.#waiting.size === 0
  }

  /** Starts a call, or lets it wait behind the others. */
  add(entry: Entry): void {
    if (this.#waiting.size === 0 && this.#admits(entry)) {
      entry.start()
      return
    }
    if (this.#waiting.size === 0 && this.#refuses(entry)) {
      entry.fail(busy())
      return
    }
    entry.keep()
    this.#since.set(entry, performance.now())
    this.#waiting.add(entry)
    if (this.#waiting.size === 1) this.#watch(entry)
  }

  /** Removes a waiting call. Returns whether it was waiting. */
  remove(entry: Entry): boolean {
    const removed = this.#waiting.delete(entry)
    if (removed) this.#advance()
    return removed
  }

  /** Gives the line to an entry that starts. */
  take(owner: object): void {
    this.#owner = owner
  }

  /** Takes the line from its owner, and starts the calls that waited. */
  release(owner: object): void {
    if (this.#owner !== owner) return
    this.#owner = undefined
    this.#freed = performance.now()
    this.#advance()
  }

  /** Notes an `iterate` that is open on the connection. */
  opened(iterate: object): void {
    this.#iterates.add(iterate)
  }

  ended(iterate: object): void {
    if (this.#iterates.delete(iterate)) this.#advance()
  }

  /** Rejects every waiting call. */
  clear(ending: Ending): void {
    clearTimeout(this.#timer)
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const entry of waiting) finish(entry, ending)
  }

  #admits(entry: Entry): boolean {
    return this.#owner === undefined && (entry.shared || this.#iterates.size === 0)
  }

  #refuses(entry: Entry): boolean {
    return this.#patience === undefined && this.#owner === undefined && !entry.shared && this.#iterates.size > 0
  }

  #advance(): void {
    clearTimeout(this.#timer)
    while (this.#waiting.size > 0) {
      const entry = this.#waiting.values().next().value as Entry
      if (this.#admits(entry)) {
        this.#waiting.delete(entry)
        entry.start()
      } else if (this.#refuses(entry)) {
        this.#waiting.delete(entry)
        entry.fail(busy())
      } else {
        this.#watch(entry)
        return
      }
    }
  }

  /** Limits the time for which the first call waits for an `iterate`. */
  #watch(entry: Entry): void {
    if (this.#patience === undefined || this.#owner !== undefined) return
    clearTimeout(this.#timer)
    const from = Math.max(this.#since.get(entry) ?? 0, this.#freed)
    const left = Math.max(0, from + this.#patience - performance.now())
    this.#timer = setTimeout(() => {
      if (!this.#waiting.delete(entry)) return
      entry.fail(iterateOpen())
      this.#advance()
    }, left)
  }
}
