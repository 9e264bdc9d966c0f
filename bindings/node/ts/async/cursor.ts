import type { Shape } from '../api/build-row'
import { DONE, ROWS, VALUES } from '../api/calls'
import { fromNative } from '../api/errors'
import { alone } from './alone'
import { closed } from './errors'
import { BIGINTS, END, HOLD, MORE, ONLY_FIRST, READERS, type Receiver, ROWS_REPLY, START, WRITER } from './hub'
import { copied, NONE } from './parameters'
import { release } from './request'
import type { Dependent, Routed, Scope } from './scope'
import { type Abortable, unwatch, watch } from './signal'
import type { Sql } from './sql'
import { captureCaller, located } from './stack'

/** The maximum number of rows in a batch. */
const MAX_BATCH = 128

/** Takes the rows of a cursor. */
export interface Consumer extends Abortable, Dependent {
  /** Takes a batch. The last batch is `complete`. */
  arrived(rows: unknown[], complete: boolean): void
  /** Takes the error that has ended the cursor. */
  failed(error: unknown): void
}

/** The statement and the caller of a cursor. */
export interface CursorOptions {
  sql: Sql
  shape: Shape
  bigints: boolean
  signal: AbortSignal | undefined
  /** The public method that was called. */
  method: unknown
}

/**
 * An open statement on a thread, which sends its rows in batches on request.
 *
 * The first batch has one row, and each later one has at most twice as many rows as the batch before, up to 128 rows or
 * 256 KiB. On a reader, the cursor holds the reader until the statement has ended.
 */
export class Cursor implements Routed, Receiver {
  readonly kind: number = START
  readonly holds: boolean = true
  readonly scope: Scope
  readonly sql: Sql
  readonly shared: boolean
  readonly reads: boolean
  lane: number = WRITER
  values: readonly unknown[] = NONE
  placed = false
  declare readonly stack?: string
  readonly #consumer: Consumer
  readonly #signal: AbortSignal | undefined
  readonly #shape: Shape
  readonly #flags: number
  #limit = 1
  /** 0 until the statement is sent. */
  #ticket = 0
  /** `true` while a batch is requested. */
  #requested = false
  /** `true` until the first batch has arrived: the call counts for the limit. */
  #counted = false
  /** `true` once the statement has ended on its thread, or its end is sent. */
  #ended = false
  /** `true` once the consumer wants no more rows. */
  #left = false
  /** Called with the first reply, for a statement that runs alone. */
  #answered: (() => void) | undefined

  constructor(scope: Scope, consumer: Consumer, { sql, shape, bigints, signal, method }: CursorOptions) {
    this.scope = scope
    this.sql = sql
    this.shared = sql.reads
    this.reads = sql.reads
    this.#consumer = consumer
    this.#signal = signal
    this.#shape = shape
    this.#flags = scope.flags | (bigints ? BIGINTS : 0) | (shape === 'value' ? ONLY_FIRST : 0)
    captureCaller(this, method)
  }

  get connection(): object {
    return this.scope.session
  }

  /** `true` while a batch is requested. */
  get requested(): boolean {
    return this.#requested
  }

  /** Requests the first batch. Throws if the statement cannot run now. */
  begin(): void {
    const { scope } = this
    scope.ready()
    if (this.#signal?.aborted) throw this.#signal.reason
    scope.session.enter()
    scope.joined()
    this.#counted = true
    this.#requested = true
    scope.opened(this.#consumer)
    try {
      if (this.#signal !== undefined) watch(this.#signal, this.#consumer)
      scope.route(this)
    } catch (error) {
      this.#settle(false)
      throw error
    }
  }

  /** Requests the next batch. */
  more(): void {
    this.#requested = true
    this.scope.joined()
    this.#send(MORE)
  }

  /** Ends the statement at once, and lets writes on the connection continue. */
  leave(): void {
    if (this.#left) return
    this.#left = true
    const { scope } = this
    const { session } = scope
    if (this.#signal !== undefined) unwatch(this.#signal, this.#consumer)
    if (this.#ticket === 0) {
      // The statement waits, or was never begun.
      if (this.#requested && (scope.line.remove(this) || session.readers.remove(this))) this.#settle(false)
    } else {
      // An interrupted write would end its transaction. The rows of a write are ready, so the end comes soon.
      if (this.#requested && this.shared && session.native.cancel(this.#ticket) === 'waiting') {
        if (this.lane === READERS) this.#ended = true
        this.#settle(false)
        if (this.lane === READERS) session.readers.released()
      }
      this.#end()
    }
    scope.line.ended(this)
    scope.closed(this.#consumer)
  }

  start(): void {
    if (this.lane !== READERS) this.scope.line.opened(this)
    if (!this.sql.solo || this.scope.outer !== undefined) {
      this.#open()
      return
    }
    alone(this.scope.session, this, () => {
      const answered = new Promise<void>((resolve) => {
        this.#answered = resolve
      })
      this.#open()
      return answered
    }).catch((error) => this.fail(error))
  }

  keep(): void {
    if (this.placed && this.values.length > 0) this.values = this.sql.parameters.arrange(this.values)
    this.placed = false
    this.values = copied(this.values)
  }

  fail(error: Error): void {
    this.discard(located(error, this.stack))
  }

  discard(error: unknown): void {
    if (this.#requested) this.#settle(false)
    this.#ended = true
    if (!this.#left) this.#consumer.failed(error)
  }

  receive(kind: number, value: unknown): void {
    const { hub, readers } = this.scope.session
    if (this.sql.solo) this.scope.session.wal = hub.wal
    if (kind === ROWS_REPLY) {
      let rows: unknown[] = []
      let failure: { error: unknown } | undefined
      try {
        rows = this.#read(value)
      } catch (error) {
        failure = { error }
      }
      if (this.sql.settings.length > 0) this.scope.session.apply(this.sql.settings)
      const complete = hub.calls.ints[DONE] !== 0
      if (this.lane === READERS) this.lane = hub.thread
      this.#settle(true)
      if (complete) {
        // A reader that is held stays held after the last row.
        if (this.lane === WRITER || this.scope.outer !== undefined) this.#ended = true
        else this.#end()
      }
      if (this.#left) this.#end()
      else if (failure !== undefined) this.#consumer.failed(failure.error)
      else this.#consumer.arrived(rows, complete)
    } else {
      this.#settle(true)
      this.#ended = true
      if (this.scope.outer === undefined && this.lane !== WRITER) {
        // A reader that failed in its first job is not held.
        if (this.lane === READERS) readers.released()
        else {
          this.#ended = false
          this.#end()
        }
      }
      if (!this.#left) this.#consumer.failed(located(fromNative(value), this.stack))
    }
    if (this.#ended) hub.forget(this.#ticket)
  }

  dropped(): void {
    // No reader has taken the first batch, which was to hold one.
    if (this.lane === READERS && this.#requested) this.scope.session.readers.released()
    this.fail(closed())
    this.scope.session.hub.forget(this.#ticket)
  }

  #read(value: unknown): unknown[] {
    const { hub } = this.scope.session
    const rows: unknown[] = []
    const count = hub.calls.ints[ROWS] as number
    if (count > 0 && !this.#left)
      this.sql.reader(hub, this.#shape).many(rows, count, value, hub.calls.ints[VALUES] as number)
    return rows
  }

  #open(): void {
    const { hub } = this.scope.session
    if (this.#left) {
      this.#settle(false)
      return
    }
    this.#ticket = hub.ticket(this)
    if (!this.placed) hub.calls.putAll(this.values)
    this.#send(START | (this.lane === READERS ? HOLD : 0), this.values)
    this.values = NONE
  }

  #send(kind: number, values: readonly unknown[] = NONE): void {
    const { hub, handle } = this.scope.session
    const limit = this.#limit
    this.#limit = Math.min(2 * limit, MAX_BATCH)
    hub.expect()
    try {
      hub.submit(handle, this.lane, this.#ticket, kind | this.#flags, limit, this.sql.handle, ...values)
    } catch (error) {
      hub.arrived()
      hub.forget(this.#ticket)
      this.#ticket = 0
      if (this.lane === READERS) this.scope.session.readers.released()
      this.fail(fromNative(error) as Error)
    }
  }

  /** Notes that the requested batch has arrived or will not come. */
  #settle(replied: boolean): void {
    if (!this.#requested) return
    this.#requested = false
    const { scope } = this
    if (this.#ticket !== 0) scope.session.hub.arrived()
    if (this.#counted) {
      this.#counted = false
      scope.session.leave()
    }
    this.#answered?.()
    scope.left(replied)
  }

  /** Ends the statement on its thread, unless it has ended or a reader has yet to take it. */
  #end(): void {
    if (this.#ended || this.lane === READERS) return
    this.#ended = true
    const { hub, handle, readers, open } = this.scope.session
    const held = this.lane !== WRITER && this.scope.outer === undefined
    if (open && held) release(this.scope.session, this.lane)
    else if (open) {
      try {
        hub.submit(handle, this.lane, this.#ticket, END | this.#flags, 0, undefined)
      } catch {}
    }
    if (held) readers.released()
    if (!this.#requested) hub.forget(this.#ticket)
  }
}
