import { argumentType, fromNative } from './errors'
import { addon } from './loader'
import { type Options, openRequest, wellFormed } from './options'
import { Session } from './session'
import { Statement } from './statement'
import { type Transaction, transaction } from './transaction'
import type { BindArgument, Row, SqlValue } from './values'

/** Found in every statement that holds a key (and in harmless ones): the addon knows which do, and leaves the key out. */
const MAY_HOLD_KEY = /key|sqlcipher_export/i

/**
 * A connection to a database: a file, or memory.
 *
 * It belongs to the thread that opened it. Another thread opens the file again; to post a connection or a statement
 * there throws a DataCloneError.
 *
 * @example
 * ```js
 * const db = new Database('cats.db', { key: crypto.randomBytes(32) })
 * db.exec('CREATE TABLE cats (name TEXT, age INTEGER)')
 * db.prepare('INSERT INTO cats VALUES (?, ?)').run('joey', 2)
 * ```
 */
export class Database {
  /** The path as it was given. */
  declare readonly name: string
  /** Whether the database is in memory, and gone when it is closed. */
  declare readonly memory: boolean
  /** Whether it was opened with `readonly`. */
  declare readonly readonly: boolean
  readonly #session: Session

  /**
   * Opens a database, and creates the file where there is none.
   *
   * With `key` or `passphrase` the key is checked here. Without, nothing is read before the first statement, so that
   * `db.pragma("key = '...'")` is possible; the file is not encrypted unless that is done.
   *
   * @param path - the file; `:memory:` or nothing for a database in memory
   * @throws {TypeError} for an argument or option of a wrong type, an unknown option, or a NUL in the path.
   * @throws {RangeError} for a key of a wrong length, and numbers outside their range.
   * @throws {SqliteError} `STRONGROOM_WRONG_KEY`; `STRONGROOM_NOT_ENCRYPTED` for a plain file opened with a key;
   * `SQLITE_NOTADB`; `SQLITE_CANTOPEN` for a missing folder, or a missing file with `fileMustExist`.
   */
  constructor(path?: string | null, options?: Options | null) {
    const request = openRequest(path, options)
    try {
      this.#session = new Session(new addon.NativeDatabase(request.native), request.verbose)
    } catch (error) {
      throw fromNative(error)
    } finally {
      // The copy that was made of a passphrase given as a string.
      if (typeof options?.passphrase === 'string') request.native.passphrase?.fill(0)
    }
    const own = (value: unknown) => ({ value, enumerable: true })
    Object.defineProperties(this, {
      name: own(request.name),
      memory: own(request.memory),
      readonly: own(request.readonly),
      uncloneable: own(Symbol('a strongroom Database belongs to its thread: open the file again in the other one')),
    })
    this.#session.report()
  }

  /** Whether it has not been closed. */
  get open(): boolean {
    return this.#session.open
  }

  /** Whether a transaction is under way. */
  get inTransaction(): boolean {
    return this.#session.open && this.#session.native.inTransaction
  }

  /**
   * Prepares a statement, to be run as often as you like.
   *
   * @param sql - exactly one SQL statement
   * @typeParam P - the arguments of the statement's calls, or the object with its named parameters
   * @typeParam Result - what a row is
   * @throws {SqliteError} `SQLITE_ERROR` for wrong SQL, `STRONGROOM_MULTIPLE_STATEMENTS`, `STRONGROOM_NO_STATEMENT`.
   */
  prepare<P extends readonly unknown[] | object = BindArgument[], Result = Row>(
    sql: string,
  ): P extends readonly unknown[] ? Statement<P, Result> : Statement<[P], Result> {
    return this.#prepare(sql, false) as P extends readonly unknown[] ? Statement<P, Result> : Statement<[P], Result>
  }

  /**
   * Runs every statement in `sql`, without parameters and without results; stops at the first that fails.
   *
   * @throws {SqliteError} with SQLite's code when a statement fails; those before it stand.
   */
  exec(sql: string): this {
    this.#checkSql(sql)
    this.#session.idle()
    try {
      this.#session.native.exec(sql)
    } catch (error) {
      throw this.#session.failed(error)
    }
    this.#session.report()
    return this
  }

  /**
   * Runs a PRAGMA, and gives its rows; with `simple` the first value of the first row.
   *
   * @param source - what follows the word PRAGMA
   * @example
   * ```js
   * db.pragma('journal_mode = WAL')
   * const version = db.pragma('user_version', { simple: true })
   * ```
   */
  pragma(source: string, options: { simple: true }): SqlValue | undefined
  pragma(source: string, options?: { simple?: false } | null): Row[]
  pragma(source: string, options?: { simple?: boolean } | null): SqlValue | undefined | Row[]
  pragma(source: string, options?: { simple?: boolean } | null): SqlValue | undefined | Row[] {
    if (typeof source !== 'string') throw argumentType('Expected first argument to be a string')
    if (typeof (options ?? {}) !== 'object') throw argumentType('Expected second argument to be an options object')
    const simple = options?.simple ?? false
    if (typeof simple !== 'boolean') throw argumentType('Expected the "simple" option to be a boolean')
    this.#session.idle()
    const statement = this.#prepare(`PRAGMA ${source}`, true)
    return simple ? statement.pluck().get() : statement.all()
  }

  /**
   * Wraps a function so that each call runs in a transaction: committed when it returns, rolled back when it throws.
   *
   * Within another transaction it is a savepoint. The function cannot be async: everything on the connection between
   * its first and last statement belongs to the transaction. `.deferred`, `.immediate` and `.exclusive` begin it in
   * the way that they say.
   *
   * @throws {TypeError} for an async or a generator function; the wrapped function throws one when a promise is returned.
   * @example
   * ```js
   * const insertAll = db.transaction((cats) => {
   *   for (const cat of cats) insert.run(cat)
   * })
   * ```
   */
  transaction<F extends (...args: never[]) => unknown>(work: F): Transaction<F> {
    return transaction(this, this.#session, work)
  }

  /** Whether statements prepared from now on give INTEGER values as bigints. */
  defaultSafeIntegers(toggle = true): this {
    if (typeof toggle !== 'boolean') throw argumentType('the argument of defaultSafeIntegers() must be a boolean')
    this.#session.ready()
    this.#session.bigints = toggle
    return this
  }

  /**
   * Closes the connection and ends its statements; a transaction that is open is rolled back. Again is harmless.
   *
   * @throws {TypeError} while an iterator reads from it, with the code `STRONGROOM_BUSY`.
   */
  close(): this {
    this.#session.close()
    return this
  }

  #prepare(sql: string, reads: boolean): Statement<BindArgument[], Row> {
    this.#checkSql(sql)
    this.#session.ready()
    try {
      const native = this.#session.native.prepare(sql)
      const source = MAY_HOLD_KEY.test(sql) ? native.source : sql
      return new Statement(this.#session, native, { database: this, source, reads })
    } catch (error) {
      throw this.#session.failed(error)
    }
  }

  #checkSql(sql: unknown): void {
    if (typeof sql !== 'string') throw argumentType('Expected first argument to be a string')
    wellFormed(sql, 'the SQL')
  }
}
