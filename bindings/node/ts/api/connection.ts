import { wellFormed } from './arguments'
import type { Database } from './database'
import { argumentType, fromNative } from './errors'
import { wipe } from './key'
import { uncloneable } from './objects'
import { type Options, openRequest, type PragmaOptions } from './options'
import { SESSION, Session } from './session'
import { Statement, type StatementOf } from './statement'
import { type Transaction, transaction, type Work } from './transaction'
import type { Row } from './values'

/** Opens and closes a database, and runs SQL. {@link Database} adds keys, other files and functions. */
export class Connection {
  /** The path that the constructor got, or `:memory:` for an image. */
  declare readonly name: string
  /** `true` if the database is in memory. `close` then frees it. */
  declare readonly memory: boolean
  /** `true` if the database was opened with `readonly`. */
  declare readonly readonly: boolean
  /**
   * The format in which the database is stored: `plain` (without encryption), `sqlcipher` or `strongroom`. Before
   * `PRAGMA key`, an encrypted database counts as plain.
   */
  declare readonly format: 'plain' | 'sqlcipher' | 'strongroom'
  /** `true` until the database is closed. */
  declare readonly open: boolean
  /** `true` while a transaction is open. */
  declare readonly inTransaction: boolean
  /** @internal */
  declare readonly [SESSION]: Session

  /**
   * Opens a database, and creates the file if it does not exist.
   *
   * With `key`, `passphrase` or `recovery` the constructor checks the secret. Without these options the constructor refuses a file in
   * the Strongroom format, and otherwise reads nothing, so `db.pragma("key = '...'")` can set the key first. A database
   * that gets no key is not encrypted.
   *
   * @param path - the file; `:memory:` or nothing for an in-memory database; or an image (the bytes of a database
   * file), which is copied into memory
   * @throws {TypeError} for an argument or option of the wrong type, an unknown option, or a NUL in the path.
   * @throws {RangeError} for a key of the wrong length and for numbers out of range.
   * @throws {SqliteError} `STRONGROOM_WRONG_KEY`; `STRONGROOM_NOT_ENCRYPTED` for a plain file opened with a key;
   * `STRONGROOM_KEY_REQUIRED`, `STRONGROOM_OTHER_FORMAT`, `STRONGROOM_DAMAGED_HEADER` and `STRONGROOM_DAMAGED_PAGE` for
   * a file in the Strongroom format, or with `format`; `STRONGROOM_RECOVERY_CODE` for a typing error in a recovery code;
   * `STRONGROOM_UNKNOWN_SLOT` for `slot`; `STRONGROOM_KEY_RECOVERY` and `STRONGROOM_KEY_SLOT` for a database without key
   * slots; `SQLITE_NOTADB`; `SQLITE_CANTOPEN` for a missing folder, or a missing file with `fileMustExist`.
   */
  constructor(path?: string | Uint8Array | null, options?: Options | null) {
    const { name, memory, readonly, verbose, addon, native } = openRequest(path, options)
    let session: Session
    try {
      session = new Session(addon, native, verbose)
    } catch (error) {
      throw fromNative(error)
    } finally {
      wipe(native.key)
    }
    Object.defineProperties(this, {
      [SESSION]: { value: session },
      name: { get: () => name, enumerable: true },
      open: { get: () => session.open, enumerable: true },
      inTransaction: { get: () => session.inTransaction, enumerable: true },
      readonly: { get: () => readonly, enumerable: true },
      memory: { get: () => memory, enumerable: true },
      // better-sqlite3 has no such property, and programs may compare the enumerable ones.
      format: { get: () => session.format },
    })
    uncloneable(this)
  }

  /**
   * Prepares a statement, which can run any number of times.
   *
   * @param sql - exactly one SQL statement
   * @typeParam BindParameters - the list of the arguments of the statement's calls, or the type of the only argument
   * @typeParam Result - the type of a row, which is not checked: `unknown` requires a cast
   * @throws {SqliteError} `SQLITE_ERROR` for invalid SQL.
   * @throws {RangeError} with the code `STRONGROOM_MULTIPLE_STATEMENTS` or `STRONGROOM_NO_STATEMENT`.
   */
  prepare<BindParameters = unknown[], Result = unknown>(sql: string): StatementOf<Database, BindParameters, Result> {
    return prepare(this, sql, { reads: false }) as StatementOf<Database, BindParameters, Result>
  }

  /**
   * Runs every statement in `sql` up to the first statement that fails. The statements have no parameters, and their
   * rows are discarded.
   *
   * @throws {SqliteError} with SQLite's code if a statement fails. The changes of the preceding statements remain.
   */
  exec(sql: string): this {
    checkSql(sql)
    const session = this[SESSION]
    session.mutable()
    session.change(() => session.native.exec(sql))
    return this
  }

  /**
   * Runs a PRAGMA, and returns its rows. With `simple`, returns only the first value of the first row.
   *
   * @param source - the text after the word PRAGMA
   * @example
   * ```js
   * db.pragma('journal_mode = WAL')
   * const version = db.pragma('user_version', { simple: true })
   * ```
   */
  pragma(source: string, options?: PragmaOptions | null): unknown {
    if (typeof source !== 'string') throw argumentType('Expected first argument to be a string')
    if (typeof (options ?? {}) !== 'object') throw argumentType('Expected second argument to be an options object')
    const simple = options?.simple ?? false
    if (typeof simple !== 'boolean') throw argumentType('Expected the "simple" option to be a boolean')
    this[SESSION].mutable()
    const statement = prepare(this, `PRAGMA ${source}`, { reads: true })
    return simple ? statement.pluck().get() : statement.all()
  }

  /**
   * Returns the bytecode of a statement, or the statement's query plan if the SQL begins with `QUERY PLAN`.
   *
   * The statement's parameters need no values.
   *
   * @throws {SqliteError} `SQLITE_ERROR` for invalid SQL.
   * @example
   * ```js
   * const plan = db.explain('QUERY PLAN SELECT * FROM cats WHERE name = ?')
   * ```
   */
  explain(sql: string): Row[] {
    checkSql(sql)
    return prepare(this, `EXPLAIN ${sql}`, { reads: true, unbound: true }).all() as Row[]
  }

  /**
   * Wraps a function so that each call runs in a transaction. The transaction commits when the function returns, and
   * rolls back when the function throws.
   *
   * Inside another transaction, the call is a savepoint. The function cannot be async: the transaction would include
   * every other statement that the connection runs in the meantime. `.deferred`, `.immediate` and `.exclusive` begin
   * with `BEGIN DEFERRED`, `BEGIN IMMEDIATE` and `BEGIN EXCLUSIVE`.
   *
   * @throws {TypeError} for an async function or a generator function. The wrapped function throws a TypeError if the
   * function returns a promise.
   * @example
   * ```js
   * const insertAll = db.transaction((cats) => {
   *   for (const cat of cats) insert.run(cat)
   * })
   * ```
   */
  transaction<F extends Work>(work: F): Transaction<Database, F> {
    return transaction<Database, F>(this as unknown as Database, this[SESSION], work)
  }

  /**
   * Sets whether unsafe changes are allowed: changes while an iterator reads, and SQL that SQLite's defensive mode
   * forbids, such as `PRAGMA writable_schema`. An iterator that is already open still returns the rows that it has read
   * ahead.
   */
  unsafeMode(toggle = true): this {
    if (typeof toggle !== 'boolean') throw argumentType('Expected first argument to be a boolean')
    this[SESSION].ready()
    this[SESSION].native.defensive(!toggle)
    this[SESSION].unsafe = toggle
    return this
  }

  /** Sets whether statements prepared after this call return INTEGER values as bigints. */
  defaultSafeIntegers(toggle = true): this {
    if (typeof toggle !== 'boolean') throw argumentType('Expected first argument to be a boolean')
    this[SESSION].bigints = toggle
    return this
  }

  /**
   * Closes the connection, ends its statements and rolls back an open transaction. A second call does nothing.
   *
   * @throws {TypeError} with the code `STRONGROOM_BUSY` while an iterator reads from the database.
   */
  close(): this {
    this[SESSION].close()
    return this
  }

  /** Closes the connection. `using` calls this method at the end of its block. */
  [Symbol.dispose](): void {
    this.close()
  }
}

/** Prepares a statement of a database. */
function prepare(
  database: Connection,
  sql: string,
  { reads, unbound = false }: { reads: boolean; unbound?: boolean },
): Statement<Connection> {
  checkSql(sql)
  const session = database[SESSION]
  session.ready()
  try {
    const prepared = session.prepare(sql)
    return new Statement(session, prepared, { database, source: prepared.source, reads, unbound })
  } catch (error) {
    throw fromNative(error)
  }
}

function checkSql(sql: unknown): void {
  if (typeof sql !== 'string') throw argumentType('Expected first argument to be a string')
  wellFormed(sql, 'the SQL')
}
