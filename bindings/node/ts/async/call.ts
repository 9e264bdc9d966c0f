import type { Shape } from '../api/build-row'
import { CHANGES, DIRECT, DONE, LAYOUT, ROWID, ROWS, VALUES } from '../api/calls'
import { fromNative } from '../api/errors'
import { alone } from './alone'
import { closed } from './errors'
import {
  BIGINTS,
  DONE_REPLY,
  FAILED,
  GET,
  ONLY_FIRST,
  OUTCOME,
  PREPARE,
  PROGRESS,
  READERS,
  type Receiver,
  ROWS_REPLY,
  WRITER,
} from './hub'
import { copied, NONE } from './parameters'
import type { Routed, Scope } from './scope'
import { type Abortable, unwatch, watch } from './signal'
import type { Sql } from './sql'
import { captureCaller, located } from './stack'

const nothing = (): void => undefined
let resolver: (value: unknown) => void = nothing
let rejecter: (error: unknown) => void = nothing
/** Gives the functions of a new promise to its call, without a closure per call. */
function executor(resolve: (value: unknown) => void, reject: (error: unknown) => void): void {
  resolver = resolve
  rejecter = reject
}

/** A call of a method: a job for a thread, and the promise of its result. */
export class Call implements Routed, Receiver, Abortable {
  readonly scope: Scope
  kind: number
  readonly holds: boolean = false
  readonly promise: Promise<unknown>
  shared = false
  reads = false
  /** `true` if no reader may be open while the call runs. */
  alone = false
  sql: Sql | undefined
  flags: number
  shape: Shape = 'object'
  lane: number = WRITER
  /** The values of the parameters. */
  values: readonly unknown[] = NONE
  /** `true` if the shared memory has the values. */
  placed = false
  /** 0 until the job is sent. */
  ticket = 0
  /** Called once no reply is expected any more. */
  onLeft: (() => void) | undefined
  /** The ticket of a series of jobs, such as the steps of a backup, which the caller forgets. */
  series = 0
  signal: AbortSignal | undefined
  /** Calls `progress` of the caller. */
  progress: ((value: unknown) => void) | undefined
  /** Sends a job that is not SQL. */
  send: ((lane: number, ticket: number) => void) | undefined
  /** The stack of the caller. */
  declare readonly stack?: string
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
  #rows: unknown[] | undefined
  /** The reason of the signal that has interrupted the call. */
  #aborted: { reason: unknown } | undefined
  /** Rejects the promise of a call that waits for the readers to close. */
  #giveUp: ((reason: unknown) => void) | undefined
  /** `true` once the promise is settled. */
  #settled = false
  /** `true` once no reply is expected any more. */
  #left = false

  constructor(scope: Scope, kind: number, method: unknown) {
    this.scope = scope
    this.kind = kind
    this.flags = kind | scope.flags
    this.promise = new Promise(executor)
    this.resolve = resolver
    this.reject = rejecter
    // The functions would keep the promise and its rows alive until the next call.
    resolver = rejecter = nothing
    if (method !== undefined) captureCaller(this, method)
  }

  /** `true` once no reply is expected any more. */
  get hasLeft(): boolean {
    return this.#left
  }

  get connection(): object {
    return this.scope.session
  }

  /** Turns a call for all rows into one for the first value of the first row. */
  first(): void {
    this.flags += GET - this.kind
    this.flags |= ONLY_FIRST
    this.kind = GET
    this.shape = 'value'
  }

  /** Admits the call, and starts it or lets it wait. Rejects the call if it is not admitted. */
  begin(): void {
    const { session } = this.scope
    session.enter()
    this.scope.joined()
    try {
      const { signal } = this
      if (signal !== undefined) {
        if (signal.aborted) throw signal.reason
        watch(signal, this)
      }
      this.scope.route(this)
    } catch (error) {
      this.#leave(false)
      throw error
    }
  }

  /** Sends the job. */
  start(): void {
    if (this.alone && this.scope.outer === undefined) this.#startAlone()
    else this.#submit()
  }

  keep(): void {
    if (this.placed && this.values.length > 0) this.values = this.sql?.parameters.arrange(this.values) ?? NONE
    this.placed = false
    this.values = copied(this.values)
  }

  fail(error: Error): void {
    const settled = this.#settled
    this.#leave(false)
    if (!settled) this.reject(located(error, this.stack))
  }

  discard(reason: unknown): void {
    const settled = this.#settled
    this.#leave(false)
    if (!settled) this.reject(reason)
  }

  /**
   * Interrupts the call, or takes it out of its queue. The promise of a read rejects at once. A write has its true outcome,
   * unless `undone`: its transaction is rolled back.
   */
  abort(reason: unknown, undone = false): void {
    if (this.#settled) return
    if (this.ticket === 0) {
      if (this.scope.line.remove(this)) this.discard(reason)
      else {
        // The call waits for the readers to close.
        this.#leave(false)
        this.#giveUp?.(reason)
      }
    } else if (this.scope.session.native.cancel(this.ticket) === 'waiting') this.discard(reason)
    else if (this.shared || undone) {
      // The reply is still to come, and has no effect.
      this.#settled = true
      this.reject(reason)
    } else this.#aborted = { reason }
  }

  receive(kind: number, value: unknown): void {
    try {
      if (this.alone) this.scope.session.wal = this.scope.session.hub.wal
      if (kind === ROWS_REPLY) this.#receiveRows(value)
      else if (kind === PROGRESS) this.progress?.(value)
      else {
        if (kind === FAILED) {
          this.#failed(value)
          return
        }
        this.#end(kind === OUTCOME ? this.#outcome() : kind === DONE_REPLY ? undefined : value)
      }
    } catch (error) {
      // A stack overflow, or a lack of memory for the rows.
      this.#leave(true)
      this.reject(error)
    }
  }

  dropped(): void {
    this.fail(closed())
  }

  #submit(): void {
    const { hub, handle } = this.scope.session
    this.ticket = this.series === 0 ? hub.ticket(this) : this.series
    if (this.series !== 0) hub.assign(this.series, this)
    hub.expect()
    try {
      if (this.send !== undefined) this.send(this.lane, this.ticket)
      else {
        if (!this.placed) hub.calls.putAll(this.values)
        hub.submit(handle, this.lane, this.ticket, this.flags, 0, this.sql?.handle, ...this.values)
      }
    } catch (error) {
      this.#leave(false)
      this.reject(located(fromNative(error), this.stack))
    }
  }

  /** Runs while no reader is open. The promise is settled once the readers are open again. */
  #startAlone(): void {
    const { resolve, reject } = this
    const done = new Promise<unknown>((end, fail) => {
      this.resolve = end
      this.reject = fail
    })
    this.#giveUp = reject
    let sent = false
    alone(this.scope.session, this, async () => {
      if (this.#left) return undefined
      sent = true
      this.#submit()
      return done
    }).then(resolve, (error) => {
      this.#leave(false)
      reject(sent ? error : located(error, this.stack))
    })
  }

  #receiveRows(value: unknown): void {
    const { hub } = this.scope.session
    const { ints } = hub.calls
    const count = ints[ROWS] as number
    const values = ints[VALUES] as number
    if (this.kind === GET) {
      if (count === 0) this.#end(undefined)
      else if (ints[LAYOUT] === DIRECT) this.#end(value)
      else this.#end((this.sql as Sql).reader(hub, this.shape).one(value, values))
      return
    }
    this.#rows ??= []
    if (count > 0 && !this.#settled) (this.sql as Sql).reader(hub, this.shape).many(this.#rows, count, value, values)
    if (ints[DONE] !== 0) this.#end(this.#rows)
  }

  #outcome(): unknown {
    const { numbers, bigints } = this.scope.session.hub.calls
    const rowid = (this.flags & BIGINTS) === 0 ? numbers[ROWID] : bigints[ROWID]
    return { changes: numbers[CHANGES], lastInsertRowid: rowid }
  }

  #end(value: unknown): void {
    const settled = this.#settled
    const { sql, scope } = this
    if (sql !== undefined && sql.settings.length > 0 && this.kind !== PREPARE) scope.session.apply(sql.settings)
    this.#leave(true)
    if (!settled) this.resolve(value)
  }

  #failed(value: unknown): void {
    const settled = this.#settled
    this.#leave(true)
    if (settled) return
    const error = fromNative(value)
    const { code } = error as { code?: unknown }
    if (this.#aborted !== undefined && (code === 'SQLITE_INTERRUPT' || code === 'STRONGROOM_CANCELLED'))
      this.reject(this.#aborted.reason)
    else this.reject(located(error, this.stack))
  }

  /** Ends the accounts of the call. */
  #leave(replied: boolean): void {
    if (this.#left) return
    this.#left = true
    this.#settled = true
    const { scope, signal } = this
    const { session } = scope
    if (signal !== undefined) unwatch(signal, this)
    if (this.ticket !== 0) {
      if (this.series === 0) session.hub.forget(this.ticket)
      session.hub.arrived()
    }
    session.leave()
    if (this.lane === READERS) session.readers.left()
    scope.left(replied)
    this.onLeft?.()
  }
}
