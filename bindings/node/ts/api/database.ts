import { addon } from '../load/loader'
import { wellFormed } from './arguments'
import { type AttachOptions, attach, detach } from './attach'
import { type BackupMetadata, type BackupOptions, backup } from './backup'
import { type CheckOptions, type CheckResult, check } from './check'
import { argumentType, fromNative } from './errors'
import { type KeyOptions, wipe } from './key'
import { type Options, openRequest } from './options'
import { type RekeyOptions, rekey } from './rekey'
import { type SerializeOptions, serialize } from './serialize'
import { Session } from './session'
import { Statement } from './statement'
import { type Transaction, transaction } from './transaction'
import type { BindArgument, Row, SqlValue } from './values'

/** Matches every statement with a key, and some without. The addon knows which have one, and removes the key. */
const MAY_HOLD_KEY = /key|sqlcipher_export/i

/**
 * A connection to a database in a file or in memory.
 *
 * A connection belongs to the thread that opened it, and another thread opens the file again. Posting a connection or a
 * statement to another thread throws a DataCloneError.
 *
 * @example
 * ```js
 * const db = new Database('cats.db', { key: crypto.randomBytes(32) })
 * db.exec('CREATE TABLE cats (name TEXT, age INTEGER)')
 * db.prepare('INSERT INTO cats VALUES (?, ?)').run('joey', 2)
 * ```
 */
export class Database {
  /** The given path, `:memory:` for an image. */
  declare readonly name: string
  /** Whether the database is in memory, which `close` frees. */
  declare readonly memory: boolean
  /** Whether the database was opened with `readonly`. */
  declare readonly readonly: boolean
  readonly #session: Session

  /**
   * Opens a database, and creates the file if it does not exist.
   *
   * With `key` or `passphrase` the constructor checks the key. Without them it reads nothing before the first statement,
   * which may be `db.pragma("key = '...'")`; otherwise the file is not encrypted.
   *
   * @param path - the file; `:memory:` or nothing for a database in memory; or an image, the bytes of a database file,
   * for a database in memory that is a copy of it
   * @throws {TypeError} for an argument or option of a wrong type, an unknown option, or a NUL in the path.
   * @throws {RangeError} for a key of a wrong length, and numbers out of range.
   * @throws {SqliteError} `STRONGROOM_WRONG_KEY`; `STRONGROOM_NOT_ENCRYPTED` for a plain file opened with a key;
   * `SQLITE_NOTADB`; `SQLITE_CANTOPEN` for a missing folder, or a missing file with `fileMustExist`.
   */
  constructor(path?: string | Uint8Array | null, options?: Options | null) {
    const request = openRequest(path, options)
    try {
      this.#session = new Session(new addon.NativeDatabase(request.native), request.verbose)
    } catch (error) {
      throw fromNative(error)
    } finally {
      wipe(request.native.key)
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

  /** Whether the database is open. */
  get open(): boolean {
    return this.#session.open
  }

  /** Whether a transaction is open. */
  get inTransaction(): boolean {
    return this.#session.inTransaction
  }

  /**
   * Prepares a statement, which can run any number of times.
   *
   * @param sql - exactly one SQL statement
   * @typeParam P - the arguments of the statement's calls, or the object with its named parameters
   * @typeParam Result - the type of a row
   * @throws {SqliteError} `SQLITE_ERROR` for wrong SQL, `STRONGROOM_MULTIPLE_STATEMENTS`, `STRONGROOM_NO_STATEMENT`.
   */
  prepare<P extends readonly unknown[] | object = BindArgument[], Result = Row>(
    sql: string,
  ): P extends readonly unknown[] ? Statement<Database, P, Result> : Statement<Database, [P], Result> {
    return this.#prepare(sql, { reads: false }) as P extends readonly unknown[]
      ? Statement<Database, P, Result>
      : Statement<Database, [P], Result>
  }

  /**
   * Runs every statement in `sql`, without parameters and results, up to the first that fails.
   *
   * @throws {SqliteError} with SQLite's code if a statement fails; the statements before it keep their effect.
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
   * Runs a PRAGMA. Returns its rows, or with `simple` the first value of the first row.
   *
   * @param source - the text after the word PRAGMA
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
    const statement = this.#prepare(`PRAGMA ${source}`, { reads: true })
    return simple ? statement.pluck().get() : statement.all()
  }

  /**
   * Wraps a function so that each call runs in a transaction: committed when the function returns, rolled back when it
   * throws.
   *
   * Inside another transaction, the call is a savepoint. The function cannot be async: the transaction covers everything
   * on the connection between the function's first and last statement. `.deferred`, `.immediate` and `.exclusive` run
   * the `BEGIN` of their name.
   *
   * @throws {TypeError} for an async or a generator function. The wrapped function throws one for a returned promise.
   * @example
   * ```js
   * const insertAll = db.transaction((cats) => {
   *   for (const cat of cats) insert.run(cat)
   * })
   * ```
   */
  transaction<F extends (...args: never[]) => unknown>(work: F): Transaction<Database, F> {
    return transaction<Database, F>(this, this.#session, work)
  }

  /**
   * Changes the key, all or nothing: afterwards `to` opens the file as it would open one that it created.
   *
   * The call waits up to `timeout` for the locks of other connections, rewrites every page in one transaction, and reads
   * every page back. Whatever happens meanwhile, the file opens with the old key or with the new one, and with every row;
   * after an error, this connection goes on with the old key. Other connections get `STRONGROOM_KEY_CHANGED` at their next
   * statement. The journal needs free space of the size of the file.
   *
   * `to` is a key with cipher options. Options that change the layout of pages (`pageSize`, `cipherCompatibility`,
   * `hmacAlgorithm`, ...) need a new file: use `Database.migrate`.
   *
   * @throws {SqliteError} `SQLITE_BUSY` for a lock that never comes; `SQLITE_FULL`; `SQLITE_READONLY`;
   * `STRONGROOM_IN_TRANSACTION`; `STRONGROOM_NOT_ENCRYPTED`; `STRONGROOM_REKEY_LAYOUT`; `STRONGROOM_CANCELLED`;
   * `STRONGROOM_REKEY_UNVERIFIED` if the file has the new key and could not be read back.
   * @example
   * ```js
   * db.rekey({ passphrase: 'a better one' }, { progress: ({ done, total }) => console.log(done / total) })
   * ```
   */
  rekey(to: KeyOptions, options?: RekeyOptions | null): this {
    rekey(this.#session, to, options)
    return this
  }

  /**
   * Attaches another database, whose tables are then `name.table` in SQL, and checks its key.
   *
   * With `key` or `passphrase` the database has a key of its own, with `plain` none. Otherwise it has the key and the cipher
   * options of the main database: a new file gets also its salt, so that the same passphrase opens it. An existing file opens
   * without its own `passphrase` only if it has the same raw key, or the salt of the main database.
   *
   * @param path - the file, taken literally; `:memory:` or an empty string for a database in memory
   * @param name - the name of the database in SQL
   * @throws {SqliteError} as the constructor; `STRONGROOM_ATTACH_NAME` for `main`, `temp` or a name in use;
   * `STRONGROOM_ATTACH_LIMIT` for more than 10; `STRONGROOM_ATTACH_ENCODING`; `STRONGROOM_IN_TRANSACTION`. Nothing is then
   * attached.
   * @example
   * ```js
   * db.attach('archive.db', 'archive', { passphrase: process.env.ARCHIVE_PASSPHRASE })
   * ```
   */
  attach(path: string, name: string, options?: AttachOptions | null): this {
    attach(this.#session, path, name, options)
    return this
  }

  /**
   * Detaches a database.
   *
   * @throws {SqliteError} `STRONGROOM_NOT_ATTACHED`; `SQLITE_LOCKED` while a transaction uses the database.
   */
  detach(name: string): this {
    detach(this.#session, name)
    return this
  }

  /**
   * Checks the authentication of each page, SQLite's integrity check and foreign keys.
   *
   * Damage is in the result, and the connection goes on as before. The check reads the committed state of the file through a
   * connection of its own, and sees no change of an open transaction. An old version of a page is authentic: only where it
   * contradicts other pages, the structure's check finds it.
   *
   * @throws {SqliteError} `SQLITE_BUSY` for a lock; `STRONGROOM_KEY_CHANGED` if another connection has changed the key;
   * `STRONGROOM_CANCELLED`; `STRONGROOM_NOT_ATTACHED`.
   * @example
   * ```js
   * const { ok, problems } = db.check()
   * if (!ok) for (const { kind, table, message } of problems) console.error(kind, table, message)
   * ```
   */
  check(options?: CheckOptions | null): CheckResult {
    return check(this.#session, options)
  }

  /**
   * Copies the database into a file while the database is in use. A database at `path` is replaced.
   *
   * The copy has the key and the cipher settings of its source, unless the options name a `key`, a `passphrase` or
   * `plain`. The copy is one file, for a database in WAL mode as well. {@link BackupOptions}
   * describes the details.
   *
   * @returns the number of pages, and 0 as `remainingPages`
   * @throws {TypeError} for an argument or option of a wrong type, an unknown option, or an empty path.
   * @throws {SqliteError} `STRONGROOM_TARGET_IS_SOURCE`; `STRONGROOM_IN_USE` for a file that another connection or
   * another backup uses; `STRONGROOM_TARGET_HAS_JOURNAL`; `SQLITE_NOTADB` for an existing file that is not a database;
   * `SQLITE_CANTOPEN` for a missing folder; `SQLITE_FULL`; `SQLITE_BUSY`.
   * @example
   * ```js
   * await db.backup('copy.db', { progress: ({ remainingPages }) => console.log(remainingPages) })
   * ```
   */
  backup(path: string, options?: BackupOptions | null): Promise<BackupMetadata> {
    return backup(this.#session, path, options)
  }

  /**
   * Returns the content of the database as the bytes of a database file, which `new Database(bytes)` opens.
   *
   * The image is plaintext, for an encrypted database as well, unless `encrypted` is true or a `key` or `passphrase` is
   * given. An encrypted image is an encrypted database file: written to a file, or passed to `new Database`, it opens with
   * the database's key, or with the given one. Nothing is written to a file here. The image includes the changes of an open
   * transaction, and is in journal mode DELETE.
   *
   * @throws {SqliteError} `STRONGROOM_NOT_ENCRYPTED` for `encrypted` without a key, on a database that has none;
   * `STRONGROOM_OTHER_LAYOUT` for a key with cipher settings that need other pages than the database has.
   * @throws {TypeError} with the code `STRONGROOM_BUSY` while an iterator reads from the database.
   */
  serialize(options?: SerializeOptions | null): Buffer {
    return serialize(this.#session, options)
  }

  /** Sets whether statements that are prepared later return INTEGER values as bigints. */
  defaultSafeIntegers(toggle = true): this {
    if (typeof toggle !== 'boolean') throw argumentType('the argument of defaultSafeIntegers() must be a boolean')
    this.#session.ready()
    this.#session.bigints = toggle
    return this
  }

  /**
   * Closes the connection, ends its statements and rolls back an open transaction. A second call does nothing.
   *
   * @throws {TypeError} with the code `STRONGROOM_BUSY` while an iterator reads from the database.
   */
  close(): this {
    this.#session.close()
    return this
  }

  #prepare(sql: string, { reads }: { reads: boolean }): Statement<Database, BindArgument[], Row> {
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
