import type { NativeDatabase, NativeOpenOptions } from '../load/native'
import { Callbacks } from './callbacks'
import { Calls, type Handle, list } from './calls'
import { busy, closed, fromNative } from './errors'
import { Prepared } from './prepared'

type Addon = typeof import('../load/native')

/**
 * The property that holds a database's session. Unlike a private field, a property also works through a proxy and on
 * objects that inherit from the database.
 */
export const SESSION: unique symbol = Symbol('session')

/** The maximum number of statements cached for callers that prepare the same SQL again. */
const MAX_PREPARED = 100

/** The state that a database shares with its statements and transactions. */
export class Session {
  /** The number of iterators that have not ended. */
  iterators = 0
  /** `true` if new statements return bigints. */
  bigints = false
  /** `true` if changes are allowed while an iterator reads. */
  unsafe = false
  /** `true` while no call may begin: the database is closed, or a statement is running a callback. */
  blocked = false
  readonly native: NativeDatabase
  readonly calls: Calls
  /** The functions that SQL can call. */
  readonly callbacks: Callbacks = new Callbacks()
  #open = true
  #format: NativeDatabase['format'] = 'plain'
  #inCallback = false
  #undoing = false
  readonly #controls = new Map<string, Handle>()
  /**
   * Statements by their SQL. The least recently prepared statement is first. The engine's own cache has only
   * unreferenced statements, so it does not help a program that keeps a statement and prepares the same SQL again.
   */
  readonly #prepared = new Map<string, Prepared>()

  /** Opens the connection, which calls `verbose` with the SQL of each statement before the statement runs. */
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
    this.calls = Calls.of(addon)
    // Vue's `reactive` wraps the objects in properties, except objects that are not extensible.
    Object.preventExtensions(this)
  }

  get open(): boolean {
    return this.#open
  }

  /** The format of the main database, also after the database is closed. */
  get format(): NativeDatabase['format'] {
    if (this.#open) this.#format = this.native.format
    return this.#format
  }

  /** `true` while a transaction is open. */
  get inTransaction(): boolean {
    return this.#open && this.native.inTransaction
  }

  /** Throws unless the database can be used now. */
  ready(): void {
    if (!this.#open) throw closed()
    this.outsideCallbacks()
  }

  /** `true` while a statement runs a callback. */
  get inCallback(): boolean {
    return this.#inCallback
  }

  /** Throws while a statement runs a callback. */
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

  /** Returns the cached statement of this SQL, or a new statement if a caller has taken the cached statement. */
  prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql)
    if (known !== undefined) {
      if (known.taken) return this.prepareAgain(sql)
      this.#prepared.delete(sql)
      this.#prepared.set(sql, known)
      return known
    }
    const prepared = this.prepareAgain(sql)
    if (prepared.reusable) {
      if (this.#prepared.size >= MAX_PREPARED) this.#prepared.delete(this.#prepared.keys().next().value as string)
      this.#prepared.set(sql, prepared)
    }
    return prepared
  }

  /** Removes a statement from the cache. Callers that have the statement still share it. */
  forget(prepared: Prepared): void {
    if (this.#prepared.get(prepared.source) === prepared) this.#prepared.delete(prepared.source)
  }

  /** Returns a new statement of this SQL. */
  prepareAgain(sql: string): Prepared {
    return new Prepared(this.calls, this.native.prepare(sql), sql)
  }

  /** Runs a call of the addon that may change the meaning of statements. */
  change(call: () => void): void {
    try {
      call()
    } catch (error) {
      throw fromNative(error)
    } finally {
      this.forgetPrepared()
    }
  }

  /** Empties the cache of statements: their meaning may change with the schema and the functions. */
  forgetPrepared(): void {
    this.#prepared.clear()
  }

  /** Runs a statement that begins or ends a transaction. */
  control(sql: string): void {
    // A failed transaction function may leave an iterator open, which must not prevent the rollback. SQLite then ends
    // the iterator with an error.
    const undoes = sql.startsWith('ROLLBACK')
    if (undoes || sql.startsWith('RELEASE')) this.ready()
    else this.idle()
    try {
      let statement = this.#controls.get(sql)
      if (statement === undefined) {
        statement = this.prepareAgain(sql).handle
        this.#controls.set(sql, statement)
      }
      this.calls.run(statement, 0, list)
    } catch (error) {
      throw fromNative(error)
    } finally {
      // The transaction may have changed the schema.
      if (undoes) this.forgetPrepared()
    }
  }

  /** Runs statements that undo a transaction. An error of `verbose` does not stop the statements. */
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
    void this.format
    try {
      this.native.close()
    } catch (error) {
      throw fromNative(error)
    }
    this.#open = false
    this.blocked = true
    this.calls.wipe()
    this.#controls.clear()
    this.#prepared.clear()
    this.callbacks.clear()
  }

  /** Runs an addon call that calls back into JavaScript. The database cannot be used until the call returns. */
  callback<T>(run: () => T): T {
    const outer = this.#inCallback
    this.#inCallback = true
    this.blocked = true
    try {
      return run()
    } finally {
      this.#inCallback = outer
      this.blocked = outer || !this.#open
    }
  }
}
