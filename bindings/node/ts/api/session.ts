import type { NativeDatabase, NativeOpenOptions, NativeStatement } from '../load/native'
import { Callbacks } from './callbacks'
import { busy, closed, fromNative } from './errors'

type Addon = typeof import('../load/native')

/**
 * The key of a database's session. A property, unlike a private field, is found through a proxy and by objects that inherit
 * from the database.
 */
export const SESSION: unique symbol = Symbol('session')

/** The state that a database shares with its statements and transactions: the addon's handle and the running calls. */
export class Session {
  /** The number of iterators that have not ended. */
  iterators = 0
  /** Whether new statements return bigints. */
  bigints = false
  /** Whether changes are allowed while an iterator reads. */
  unsafe = false
  readonly native: NativeDatabase
  /** The functions that SQL can call. */
  readonly callbacks: Callbacks = new Callbacks()
  #open = true
  #inCallback = false
  #undoing = false
  readonly #controls = new Map<string, NativeStatement>()

  /** Opens the connection. `verbose` is called with the SQL of each statement before the statement runs. */
  constructor(addon: Addon, options: NativeOpenOptions, verbose: ((sql: string) => unknown) | undefined) {
    const show = (sql: string): void => {
      try {
        this.callback(() => verbose?.(sql))
      } catch (error) {
        if (!this.#undoing) throw error
      }
    }
    if (verbose !== undefined) this.callbacks.hold(show)
    this.native = new addon.NativeDatabase(options, verbose && show)
    // Vue's `reactive` wraps the objects that it finds in properties, except for those that cannot be extended.
    Object.preventExtensions(this)
  }

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
    this.outsideCallbacks()
  }

  /** Whether a function runs that a statement has called. */
  get inCallback(): boolean {
    return this.#inCallback
  }

  /** Throws while a function runs that a statement has called. */
  outsideCallbacks(): void {
    if (this.#inCallback) throw busy()
  }

  /** Throws unless the database can be used now and no iterator reads from it. */
  idle(): void {
    this.ready()
    if (this.iterators !== 0) throw busy()
  }

  /** Throws unless the database can be changed now. */
  mutable(): void {
    this.ready()
    if (this.iterators !== 0 && !this.unsafe) throw busy()
  }

  /** Runs a statement that begins or ends a transaction. */
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
      throw fromNative(error)
    }
  }

  /** Runs statements that undo a transaction, which an error of `verbose` must not stop. */
  undo(...statements: string[]): void {
    this.#undoing = true
    try {
      for (const sql of statements) this.control(sql)
    } finally {
      this.#undoing = false
    }
  }

  close(): void {
    if (!this.#open) return
    this.idle()
    try {
      this.native.close()
    } catch (error) {
      throw fromNative(error)
    }
    this.#open = false
    this.#controls.clear()
    this.callbacks.clear()
  }

  /** Runs a call of the addon that calls back, during which the database cannot be used. */
  callback<T>(run: () => T): T {
    const outer = this.#inCallback
    this.#inCallback = true
    try {
      return run()
    } finally {
      this.#inCallback = outer
    }
  }
}

function ignore(): void {}
