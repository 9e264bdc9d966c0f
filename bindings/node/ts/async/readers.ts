import { closed, type Ending, readersHeld } from './errors'
import type { Hub } from './hub'
import { type Entry, finish } from './line'
import { Request } from './request'

/** The addon's functions for readers. */
interface Native {
  addReader(ticket: number): number
  dropReaders(ticket: number): void
}

/** Needs a reader of its own for several calls. */
type Holder = Omit<Entry, 'shared'>

/**
 * The reading connections.
 *
 * A reader takes calls from the queue that all readers share. `iterate`, `read` and `backup` hold a reader until they
 * end. At most one hold per reader is sent to the threads: the others wait here.
 */
export class Readers {
  readonly #hub: Hub
  readonly #native: Native
  readonly #connection: object
  readonly #wanted: number
  readonly #patience: number
  #open = 0
  /** `false` while readers are opened and closed: the writer then serves every read. */
  #serving = false
  /** `true` once the writer must serve everything. */
  #retired = false
  #closed = false
  /** Ends once the readers that were last dropped have closed. */
  #dropping: Promise<unknown> | undefined
  #jobs = 0
  #holds = 0
  readonly #waiting = new Set<Holder>()
  readonly #timers = new Map<Holder, NodeJS.Timeout>()
  /** Called whenever a call has left. */
  readonly #watchers = new Set<() => void>()

  constructor(
    hub: Hub,
    native: Native,
    { connection, wanted, patience }: { connection: object; wanted: number; patience: number },
  ) {
    this.#hub = hub
    this.#native = native
    this.#connection = connection
    this.#wanted = wanted
    this.#patience = patience
  }

  /** The number of open readers. */
  get open(): number {
    return this.#open
  }

  /** `true` if readers take `iterate` and `read`. */
  get serving(): boolean {
    return this.#serving
  }

  /** `true` if a reader can take a call now or once its present call has ended. */
  get free(): boolean {
    return this.#serving && this.#holds < this.#open
  }

  /** Counts a call that a reader takes, until {@link left}. */
  joined(): void {
    this.#jobs++
  }

  left(): void {
    this.#jobs--
    this.#settle()
  }

  /** Starts a holder once a reader can be held for it. Each started holder calls {@link released} once. */
  hold(holder: Holder): void {
    if (this.#holds < this.#open) {
      this.#holds++
      holder.start()
      return
    }
    holder.keep()
    this.#waiting.add(holder)
    const timer = setTimeout(() => {
      if (this.remove(holder)) holder.fail(readersHeld())
    }, this.#patience)
    this.#timers.set(holder, timer)
  }

  /** Removes a waiting holder. Returns whether it was waiting. */
  remove(holder: Holder): boolean {
    clearTimeout(this.#timers.get(holder))
    this.#timers.delete(holder)
    return this.#waiting.delete(holder)
  }

  released(): void {
    this.#holds--
    const next = this.#waiting.values().next().value
    if (next !== undefined && this.#holds < this.#open) {
      this.remove(next)
      this.#holds++
      next.start()
    }
    this.#settle()
  }

  /** Rejects every waiting holder. */
  clear(ending: Ending): void {
    for (const holder of [...this.#waiting]) {
      this.remove(holder)
      finish(holder, ending)
    }
  }

  /** Notes that the connections are closed: nothing waits for the end of a call any more. */
  close(): void {
    this.#closed = true
    this.#settle()
  }

  /** Opens the readers. A reader that cannot be opened is left out: the writer serves everything without readers. */
  async start(): Promise<void> {
    if (this.#retired || this.#open > 0) return
    const opening: Promise<unknown>[] = []
    for (let i = 0; i < this.#wanted; i++)
      opening.push(Request.reply(this.#hub, this.#connection, (ticket) => void this.#native.addReader(ticket)))
    const results = await Promise.allSettled(opening)
    this.#open = results.filter(({ status }) => status === 'fulfilled').length
    if (this.#retired) await this.stop(undefined)
    else this.#serving = this.#open > 0
  }

  /** Sends all later reads to the writer. */
  retire(): void {
    if (this.#retired) return
    this.#retired = true
    this.#serving = false
    if (this.#open > 0) void this.stop(undefined).catch(() => {})
  }

  /**
   * Closes the readers once their calls have ended. Throws if a hold does not end within `patience` milliseconds; the
   * readers then continue.
   */
  async stop(patience: number | undefined): Promise<void> {
    this.#serving = false
    if (this.#open === 0) {
      await this.#dropping
      return
    }
    try {
      await this.#quiet(patience)
    } catch (error) {
      this.#serving = !this.#retired
      throw error
    }
    if (this.#open > 0) {
      this.#open = 0
      this.#dropping = Request.reply(this.#hub, this.#connection, (ticket) => this.#native.dropReaders(ticket))
    }
    await this.#dropping
  }

  /** Waits until no call runs on a reader. */
  #quiet(patience: number | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const isBusy = this.#jobs > 0 || this.#holds > 0 || this.#waiting.size > 0
        if (isBusy && !this.#closed) return
        clearTimeout(timer)
        this.#watchers.delete(look)
        if (isBusy) reject(closed())
        else resolve()
      }
      const timer =
        patience === undefined
          ? undefined
          : setTimeout(() => {
              // A call that runs to its end by itself is not limited.
              if (this.#holds === 0) return
              this.#watchers.delete(look)
              reject(readersHeld())
            }, patience)
      this.#watchers.add(look)
      look()
    })
  }

  #settle(): void {
    for (const look of this.#watchers) look()
  }
}
