import { wipe } from '../api/key'
import type { OpenRequest } from '../api/options'
import type { NativeAsyncDatabase } from '../load/native'
import { CLOSED, closed, queueFull } from './errors'
import { GET, Hub, ONLY_FIRST, WRITER } from './hub'
import { Line } from './line'
import { Readers } from './readers'
import { Request } from './request'
import type { Dependent } from './scope'
import { SqlCache } from './sql'

/** The checked arguments of `open`. */
export interface AsyncOpenRequest extends OpenRequest {
  readers: number
  maxQueue: number
  transactionWarning: number
}

/** The addon's report of an open connection. */
interface Opened {
  format: 'plain' | 'sqlcipher' | 'strongroom'
  readonly: boolean
  journal?: string
}

/** The connections of a database, and the state that its calls share. Holds no reference to the public object. */
export class Session {
  readonly hub: Hub
  readonly native: NativeAsyncDatabase
  /** The addon's handle of the database. */
  readonly handle: object
  readonly name: string
  readonly memory: boolean
  readonly readonly: boolean
  readonly timeout: number
  readonly transactionWarning: number
  /** The calls on the writer. */
  readonly line: Line
  readonly readers: Readers
  readonly sqls: SqlCache
  /** The cursors, transactions and snapshots that end with the database. */
  readonly dependents: Set<Dependent> = new Set<Dependent>()
  format: Opened['format'] = 'plain'
  /** `true` if new calls return bigints. */
  bigints = false
  /** `true` if the database is in WAL mode. */
  wal = false
  readonly #maxQueue: number
  readonly #wantsReaders: boolean
  /** The number of calls that wait or run. */
  #calls = 0
  #open = true
  #closing: Promise<void> | undefined

  private constructor(request: AsyncOpenRequest, started: { hub: Hub; native: NativeAsyncDatabase }) {
    const { hub, native } = started
    this.hub = hub
    this.native = native
    this.handle = native.handle()
    this.name = request.name
    this.memory = request.memory
    this.readonly = request.readonly
    this.timeout = request.native.timeout
    this.transactionWarning = request.transactionWarning
    this.#maxQueue = request.maxQueue
    this.#wantsReaders = request.readers > 0 && request.native.path !== undefined
    this.line = new Line(this.timeout)
    this.readers = new Readers(hub, native, { connection: this, wanted: request.readers, patience: this.timeout })
    this.sqls = new SqlCache(hub)
  }

  /** Opens the connections. Rejects with the error of the first one. */
  static async open(request: AsyncOpenRequest): Promise<Session> {
    let native: NativeAsyncDatabase | undefined
    const hub = Hub.of(request.addon)
    const opening = new Request(hub, {})
    opening.send((ticket) => {
      native = new request.addon.NativeAsyncDatabase(hub.handle, request.native, ticket)
    })
    // The addon has copied the key.
    wipe(request.native.key)
    const opened = (await opening.promise) as Opened
    const session = new Session(request, { hub, native: native as NativeAsyncDatabase })
    session.format = opened.format
    session.wal = opened.journal === 'wal'
    await session.openReaders()
    return session
  }

  get open(): boolean {
    return this.#open
  }

  /** Admits a call, until {@link leave}. */
  enter(): void {
    if (!this.#open) throw closed()
    if (this.#calls >= this.#maxQueue) throw queueFull(this.#maxQueue)
    this.#calls++
  }

  leave(): void {
    this.#calls--
  }

  /** Lets the readers run settings that the writer has run. */
  apply(settings: readonly string[]): void {
    if (this.#open) for (const setting of settings) this.native.setting(setting)
  }

  /** Opens the readers if the journal mode allows them. The caller has the line. */
  async openReaders(): Promise<void> {
    if (!this.#wantsReaders || !this.wal || this.readers.open > 0) return
    // With an exclusive lock, no other connection can read the file. After a change back to normal, SQLite releases the
    // lock at the end of the next read.
    if ((await this.#value('PRAGMA locking_mode')) === 'exclusive') return
    await this.#value('SELECT 1 FROM sqlite_schema LIMIT 1')
    await this.readers.start()
  }

  /** Closes the connections. The promise resolves after the threads have ended. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#open = false
    const request = new Request(this.hub, this)
    request.send((ticket) => this.native.close(ticket))
    this.readers.clear(CLOSED)
    for (const dependent of [...this.dependents]) dependent.stop(CLOSED)
    this.line.clear(CLOSED)
    try {
      await request.promise
    } finally {
      // The addon has dropped the jobs that were still waiting.
      for (const receiver of this.hub.receivers()) if (receiver.connection === this) receiver.dropped()
      this.readers.close()
      this.sqls.clear()
    }
  }

  /** Resolves once the database is closed. */
  async closed(): Promise<void> {
    try {
      await this.#closing
    } catch {}
  }

  /** Returns the first value of a query on the writer, or undefined if the query fails. */
  async #value(text: string): Promise<unknown> {
    const sql = this.sqls.get(text)
    try {
      return await Request.reply(this.hub, this, (ticket) =>
        this.hub.submit(this.handle, WRITER, ticket, GET | ONLY_FIRST, 0, sql.handle),
      )
    } catch {
      return undefined
    }
  }
}
