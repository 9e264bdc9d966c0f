import { busy, closed, fromNative } from './errors'
import type { NativeDatabase, NativeStatement } from './native'

/** What a database and its statements share: the addon's handle, and what is under way on it. */
export class Session {
  /** Iterators that have not come to their end. */
  iterators = 0
  /** Whether statements give bigints unless they are told otherwise. */
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

  /** Runs one of the statements that a transaction consists of; `verbose` hears of it with the next report. */
  control(sql: string): void {
    // To roll back must be possible under an iterator that the failed work left behind; SQLite ends it with an error.
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

  /** Calls `verbose` for what has run. */
  report(): void {
    if (this.verbose === undefined) return
    const log = this.native.takeLog()
    this.#inCallback = true
    try {
      for (const sql of log) this.verbose(sql)
    } finally {
      this.#inCallback = false
    }
  }

  /** The error to throw for one of the addon's, after `verbose` has heard of what ran before it. */
  failed(error: unknown): unknown {
    this.reportAnyway()
    return fromNative(error)
  }

  /** Calls `verbose` where an error is on its way already, which matters more than one of the callback. */
  reportAnyway(): void {
    try {
      this.report()
    } catch {}
  }
}

function ignore(): void {}
