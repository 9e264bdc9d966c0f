import type { NativeDatabase, NativeStatement } from '../load/native'
import { busy, closed, fromNative } from './errors'

/** The state that a database shares with its statements and transactions: the addon's handle and the running calls. */
export class Session {
  /** The number of iterators that have not ended. */
  iterators = 0
  /** Whether new statements return bigints. */
  bigints = false
  #open = true
  #inCallback = false
  readonly #controls = new Map<string, NativeStatement>()

  constructor(
    readonly native: NativeDatabase,
    readonly verbose: ((sql: string) => unknown) | undefined,
  ) {}

  get open(): boolean {
    return this.#open
  }

  /** Whether a transaction is open. */
  get inTransaction(): boolean {
    return this.#open && this.native.inTransaction
  }

  /** Throws unless the database can be used now. */
  ready(): void {
    if (!this.#open) throw closed()
    if (this.#inCallback) throw busy()
  }

  /** Throws unless the database can be used now and no iterator reads from it. */
  idle(): void {
    this.ready()
    if (this.iterators !== 0) throw busy()
  }

  /** Runs a statement that begins or ends a transaction. `verbose` gets it with the next report. */
  control(sql: string): void {
    // Failed work may leave an iterator behind, which must not prevent the rollback; SQLite ends it with an error.
    if (sql.startsWith('ROLLBACK') || sql.startsWith('RELEASE')) this.ready()
    else this.idle()
    try {
      let statement = this.#controls.get(sql)
      if (statement === undefined) {
        statement = this.native.prepare(sql)
        this.#controls.set(sql, statement)
      }
      statement.run(undefined, ignore, false)
    } catch (error) {
      throw this.failed(error)
    }
  }

  close(): void {
    if (!this.#open) return
    this.idle()
    try {
      this.native.close()
    } catch (error) {
      throw this.failed(error)
    }
    this.#open = false
    this.#controls.clear()
  }

  /** Runs a call of the addon that calls back, during which the database cannot be used. */
  callback<T>(run: () => T): T {
    this.#inCallback = true
    try {
      return run()
    } finally {
      this.#inCallback = false
    }
  }

  /** Calls `verbose` with the SQL that has run. */
  report(): void {
    if (this.verbose === undefined) return
    const { verbose } = this
    const log = this.native.takeLog()
    this.callback(() => {
      for (const sql of log) verbose(sql)
    })
  }

  /** Reports the SQL that ran before an error of the addon. Returns the error to throw. */
  failed(error: unknown): unknown {
    this.reportAnyway()
    return fromNative(error)
  }

  /** Reports before an error is thrown, which matters more than an error of the callback. */
  reportAnyway(): void {
    try {
      this.report()
    } catch {}
  }
}

function ignore(): void {}
