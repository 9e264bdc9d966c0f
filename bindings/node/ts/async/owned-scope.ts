import { Call } from './call'
import { type Entry as Context, enter, leave, presentContext } from './context'
import { type Ending, errorOf, ownBounds, rolledBack, transactionEnded } from './errors'
import { CONTROL, EXEC, PREPARE, WRITER } from './hub'
import { type Entry, finish, Line } from './line'
import { type LongWarning, warnIfLong } from './long-warning'
import { Request } from './request'
import { type Dependent, type Routed, Scope } from './scope'
import { type Abortable, unwatch, watch } from './signal'
import { captureCaller, located } from './stack'

type State = 'waiting' | 'beginning' | 'open' | 'finishing' | 'ended'
type Outcome = { value: unknown } | { error: unknown }

/** The options of a scope that runs a callback. */
export interface OwnedOptions {
  outer: Scope
  signal: AbortSignal | undefined
  /** The public method that was called. */
  method: unknown
  /** `true` for a callback that is not the caller's: it may call the database, and no warning is emitted. */
  internal?: boolean
  /** Calls the callback with the public object of the scope. */
  work: (scope: OwnedScope) => unknown
}

/**
 * A transaction or a snapshot: owns a connection while a callback runs.
 *
 * The calls of the callback have a line of their own. The scope ends once the callback has settled and the calls of the
 * line have ended, or when its signal aborts or the database closes.
 */
export abstract class OwnedScope extends Scope implements Abortable, Dependent, Entry {
  abstract readonly kind: 'transaction' | 'read'
  abstract readonly shared: boolean
  readonly line: Line = new Line(undefined)
  readonly outer: Scope
  lane: number = WRITER
  readonly promise: Promise<unknown>
  declare readonly stack?: string
  readonly #work: OwnedOptions['work']
  readonly #signal: AbortSignal | undefined
  readonly #internal: boolean
  readonly #inContext = presentContext()
  #resolve!: (value: unknown) => void
  #reject!: (error: unknown) => void
  #state: State = 'waiting'
  #context: Context | undefined
  #warning: LongWarning | undefined
  /** The number of calls that wait or run in the scope. */
  #calls = 0
  #idle: (() => void) | undefined
  /** The signal's abort, `close`, or the end of the transaction around this one. */
  #stopped: Ending | undefined
  /** `true` once SQLite has ended the transaction. */
  #lost = false
  readonly #cursors = new Set<Dependent>()
  /** The last statement of the scope itself. */
  protected control: Request | undefined

  constructor({ outer, signal, method, work, internal = false }: OwnedOptions) {
    super(outer.session, outer.owner)
    this.outer = outer
    this.#work = work
    this.#signal = signal
    this.#internal = internal
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    captureCaller(this, method)
  }

  /** Gets a connection, and calls {@link start}. */
  protected abstract acquire(): void
  /** Stops waiting for a connection. Returns whether the scope was waiting. */
  protected abstract withdraw(): boolean
  /** Begins the transaction on the connection. */
  protected abstract begin(): Promise<void>
  protected abstract commit(): Promise<void>
  protected abstract rollback(): Promise<void>
  /** Gives the connection back. */
  protected abstract release(): void

  /** Admits the scope, and begins it or lets it wait. Throws if it is not admitted. */
  run(): Promise<unknown> {
    const { session } = this
    session.enter()
    try {
      if (this.#signal?.aborted) throw this.#signal.reason
      if (this.#signal !== undefined) watch(this.#signal, this)
    } catch (error) {
      session.leave()
      throw error
    }
    session.dependents.add(this)
    this.outer.joined()
    this.acquire()
    return this.promise
  }

  start(): void {
    this.#state = 'beginning'
    this.begin().then(
      () => this.#opened(),
      (error) => {
        this.#end()
        this.#reject(this.#stopped === undefined ? located(error, this.stack) : errorOf(this.#stopped))
      },
    )
  }

  keep(): void {}

  fail(error: Error): void {
    this.#end()
    this.#reject(located(error, this.stack))
  }

  discard(reason: unknown): void {
    this.#end()
    this.#reject(reason)
  }

  abort(reason: unknown): void {
    // The calls of an internal callback have the signal themselves.
    if (!this.#internal || this.#state !== 'open') this.stop({ reason }, true)
  }

  /** Ends the scope: rejects the calls that wait, and rolls back. */
  stop(ending: Ending, interrupt = false): void {
    if (this.#state === 'ended' || this.#stopped !== undefined) return
    if (this.#state === 'waiting') {
      if (this.withdraw()) finish(this, ending)
      return
    }
    this.#stopped = ending
    this.#drop(ending, interrupt)
    if (this.#state === 'beginning' && interrupt) this.#cancelBegin()
    if (this.#state === 'open') this.#finish({ error: undefined })
  }

  override get live(): boolean {
    return super.live && this.#state === 'open' && !this.#lost
  }

  override ready(): void {
    if (this.#state === 'ended' || (this.#state === 'finishing' && this.#stopped === undefined))
      throw transactionEnded(this.kind, this.#stopped && errorOf(this.#stopped))
    super.ready()
    if (!this.live) throw transactionEnded(this.kind, this.#stopped && errorOf(this.#stopped))
  }

  joined(): void {
    this.#calls++
  }

  route(call: Routed): void {
    call.lane = this.lane
    // The addon refuses such a statement among those of an EXEC.
    if (call.kind !== EXEC && call.kind !== PREPARE && call.sql?.bounds) throw ownBounds()
    if (call.sql?.local) this.session.readers.retire()
    this.line.add(call)
  }

  left(replied: boolean): void {
    const { hub } = this.session
    // The completion of a backup has no connection, whose state the reply could show.
    if (replied && hub.thread === this.lane && !hub.inTransaction) this.lose()
    if (--this.#calls === 0) this.#idle?.()
  }

  opened(cursor: Dependent): void {
    this.#cursors.add(cursor)
  }

  closed(cursor: Dependent): void {
    this.#cursors.delete(cursor)
  }

  /** Notes that SQLite has ended the transaction, with all of its savepoints. */
  protected lose(): void {
    if (this.#lost) return
    this.#lost = true
    this.line.clear({ make: rolledBack })
    if (this.outer instanceof OwnedScope) this.outer.lose()
  }

  /** Runs a statement of the scope itself, such as one that begins or ends the transaction or a savepoint. */
  protected async execute(text: string, flags: number = CONTROL): Promise<void> {
    const { hub, handle, sqls } = this.session
    const sql = sqls.get(text)
    this.control = new Request(hub, this.session)
    this.control.send((ticket) => hub.submit(handle, this.lane, ticket, this.flags | flags, 0, sql.handle))
    await this.control.promise
  }

  #opened(): void {
    const { session } = this
    // From now on, the limit counts the calls inside instead of the scope.
    session.leave()
    this.#state = 'open'
    if (this.#stopped !== undefined) {
      this.#finish({ error: undefined })
      return
    }
    if (!this.#internal) this.#warning = warnIfLong(this.kind, session.transactionWarning, this.stack)
    const work = (context: Context | undefined): unknown => {
      this.#context = context
      return this.#work(this)
    }
    const run = (): unknown => (this.#internal ? work(undefined) : enter(this.outer, this.kind, work))
    new Promise((resolve) => resolve(this.#inContext(run))).then(
      (value) => this.#settled({ value }),
      (error) => this.#settled({ error }),
    )
  }

  /** Notes that the callback has settled. After `stop`, the outcome of the callback has no effect. */
  #settled(outcome: Outcome): void {
    if (this.#state === 'open') this.#finish(outcome)
  }

  #finish(outcome: Outcome): void {
    this.#state = 'finishing'
    const ended = { make: () => transactionEnded(this.kind) }
    if (this.#stopped === undefined && 'error' in outcome) this.#drop(ended, false)
    else this.#endCursors(ended)
    this.#close(outcome).then(
      (value) => {
        this.#end()
        this.#resolve(value)
      },
      (error) => {
        this.#end()
        this.#reject(error)
      },
    )
  }

  /** Commits or rolls back once the calls have ended. Returns the value of the callback, or throws its error. */
  async #close(outcome: Outcome): Promise<unknown> {
    if (this.#calls > 0) await new Promise<void>((resolve) => (this.#idle = resolve))
    let error: unknown
    if (this.#stopped === undefined && 'value' in outcome) {
      try {
        if (this.#lost) throw rolledBack()
        await this.commit()
        return outcome.value
      } catch (failure) {
        error = located(failure, this.stack)
      }
    } else if ('error' in outcome) error = outcome.error
    await this.#undo()
    throw this.#stopped === undefined ? error : errorOf(this.#stopped)
  }

  /** Rolls back. An error has no effect: SQLite has rolled back itself. */
  async #undo(): Promise<void> {
    try {
      if (this.session.open && !this.#lost) await this.rollback()
    } catch {}
    if (!this.session.open) await this.session.closed()
  }

  /** Rejects the calls that wait, and ends cursors and nested transactions. Calls that run continue or are interrupted. */
  #drop(ending: Ending, interrupt: boolean): void {
    this.line.clear(ending)
    const nested = this.line.owner
    if (nested instanceof OwnedScope) nested.stop(ending, interrupt)
    this.#endCursors(ending)
    if (!interrupt) return
    for (const receiver of this.session.hub.receivers())
      if (receiver instanceof Call && receiver.scope === this) receiver.abort(errorOf(ending), true)
  }

  #endCursors(ending: Ending): void {
    for (const cursor of [...this.#cursors]) cursor.stop(ending)
  }

  #cancelBegin(): void {
    if (this.control !== undefined && this.session.native.cancel(this.control.ticket) === 'waiting')
      this.control.dropped()
  }

  #end(): void {
    if (this.#state === 'ended') return
    if (this.#state === 'waiting' || this.#state === 'beginning') this.session.leave()
    const started = this.#state !== 'waiting'
    this.#state = 'ended'
    if (this.#context !== undefined) leave(this.#context)
    this.#warning?.stop()
    if (this.#signal !== undefined) unwatch(this.#signal, this)
    this.session.dependents.delete(this)
    if (started) this.release()
    this.outer.left(false)
  }
}
