import type { AggregateOptions } from './aggregate'
import type { AttachOptions } from './attach'
import type { BackupMetadata, BackupOptions } from './backup'
import type { CheckOptions, CheckResult } from './check'
import { Connection } from './connection'
import type { RegistrationOptions } from './function'
import type { KeyOptions } from './key'
import { enumerable } from './objects'
import type { RekeyOptions } from './rekey'
import type { SerializeOptions } from './serialize'
import { SESSION } from './session'
import type { VirtualTableContext, VirtualTableOptions } from './table'

/** The modules that few programs use. Each is loaded at its first use, which makes loading the package faster. */
const lazy = {
  aggregate: (): typeof import('./aggregate') => require('./aggregate'),
  attach: (): typeof import('./attach') => require('./attach'),
  backup: (): typeof import('./backup') => require('./backup'),
  check: (): typeof import('./check') => require('./check'),
  extension: (): typeof import('./extension') => require('./extension'),
  function: (): typeof import('./function') => require('./function'),
  rekey: (): typeof import('./rekey') => require('./rekey'),
  serialize: (): typeof import('./serialize') => require('./serialize'),
  table: (): typeof import('./table') => require('./table'),
}

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
export class Database extends Connection {
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
    lazy.rekey().rekey(this[SESSION], to, options)
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
    lazy.attach().attach(this[SESSION], path, name, options)
    return this
  }

  /**
   * Detaches a database.
   *
   * @throws {SqliteError} `STRONGROOM_NOT_ATTACHED`; `SQLITE_LOCKED` while a transaction uses the database.
   */
  detach(name: string): this {
    lazy.attach().detach(this[SESSION], name)
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
    return lazy.check().check(this[SESSION], options)
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
   * another backup uses; `STRONGROOM_TARGET_HAS_JOURNAL`; `STRONGROOM_RESERVED_NAME` for a name such as `a.db-wal`; `SQLITE_NOTADB` for an existing file that is not a database;
   * `SQLITE_CANTOPEN` for a missing folder; `SQLITE_FULL`; `SQLITE_BUSY`.
   * @example
   * ```js
   * await db.backup('copy.db', { progress: ({ remainingPages }) => console.log(remainingPages) })
   * ```
   */
  backup(path: string, options?: BackupOptions | null): Promise<BackupMetadata> {
    return lazy.backup().backup(this[SESSION], path, options)
  }

  /**
   * Returns the content of the database as the bytes of a database file, which `new Database(bytes)` opens.
   *
   * The image is plaintext, for an encrypted database as well, unless `encrypted` is true or a `key` or `passphrase` is
   * given. An encrypted image is an encrypted database file: written to a file, or passed to `new Database`, it opens with
   * the database's key, or with the given one. Nothing is written to a file here. The image includes the changes of an open
   * transaction, and is in journal mode DELETE. A plain image of an encrypted database keeps room for the cipher on its pages,
   * and cannot be vacuumed; a copy by `backup` with `plain: true` can.
   *
   * @throws {SqliteError} `STRONGROOM_NOT_ENCRYPTED` for `encrypted` without a key, on a database that has none;
   * `STRONGROOM_OTHER_LAYOUT` for a key with cipher settings that need other pages than the database has.
   * @throws {TypeError} with the code `STRONGROOM_BUSY` while an iterator reads from the database.
   */
  serialize(options?: SerializeOptions | null): Buffer {
    return lazy.serialize().serialize(this[SESSION], options)
  }

  /**
   * Creates an SQL function, or replaces the one of this name with as many arguments.
   *
   * The function gets a number, a string, a Buffer, null, or with `safeIntegers` a bigint for each argument, and returns such
   * a value; undefined is NULL. Until it returns, the database cannot be used. An exception ends the statement, and is thrown
   * by the statement's call.
   *
   * @throws {TypeError} and {RangeError} for arguments and options; a TypeError with the code `STRONGROOM_BUSY` while an
   * iterator reads from the database.
   * @example
   * ```js
   * db.function('add2', (a, b) => a + b)
   * db.prepare('SELECT add2(?, ?)').pluck().get(12, 4) // 16
   * ```
   */
  // biome-ignore lint/suspicious/noExplicitAny: the types of the arguments are the caller's
  function(name: string, callback: (...values: any[]) => unknown): this
  // biome-ignore lint/suspicious/noExplicitAny: as above
  function(name: string, options: RegistrationOptions | null | undefined, callback: (...values: any[]) => unknown): this
  function(name: string, options: unknown, callback?: unknown): this {
    lazy.function().defineFunction(this[SESSION], name, options, callback)
    return this
  }

  /**
   * Creates an SQL aggregate, or with `inverse` an aggregate and window function. {@link AggregateOptions} describes the
   * callbacks, to which the rules of {@link function} apply.
   *
   * @example
   * ```js
   * db.aggregate('addAll', { start: 0, step: (total, next) => total + next, inverse: (total, dropped) => total - dropped })
   * db.prepare('SELECT addAll(price) FROM product').pluck().get()
   * ```
   */
  aggregate<T>(name: string, options: AggregateOptions<T>): this {
    lazy.aggregate().defineAggregate(this[SESSION], name, options)
    return this
  }

  /**
   * Creates a virtual table, or with a function as the second argument a module that makes one for each
   * CREATE VIRTUAL TABLE. The function gets the arguments of the SQL as strings.
   *
   * A statement that needs no more rows, such as one with LIMIT, ends the generator by its `return()`. An exception of that
   * is ignored: the statement has its result.
   *
   * @example
   * ```js
   * db.table('sequence', {
   *   columns: ['value'],
   *   parameters: ['length', 'start'],
   *   *rows(length, start = 0) {
   *     for (let value = start; value < start + length; value++) yield { value }
   *   },
   * })
   * db.prepare('SELECT * FROM sequence(5)').pluck().all() // [0, 1, 2, 3, 4]
   * ```
   */
  table(
    name: string,
    definition: VirtualTableOptions | ((this: VirtualTableContext, ...words: string[]) => VirtualTableOptions),
  ): this {
    lazy.table().defineTable(this[SESSION], name, definition)
    return this
  }

  /**
   * Loads an extension of SQLite into this connection, which then has its functions and virtual tables.
   *
   * The operating system finds the library: a path with a separator is relative to the current folder, and a name alone is
   * looked for in the system's library folders. The suffix (`.so`, `.dylib`, `.dll`) may be left out. An extension is native
   * code that can do everything that the process can. SQL cannot load one: `load_extension()` is refused.
   *
   * @param path - the library
   * @param entryPoint - the function that initialises the extension; by default `sqlite3_extension_init`, or the one that
   * has its name from the file: `sqlite3_vec_init` for `vec0.so`
   * @throws {SqliteError} `SQLITE_ERROR` if the library does not exist, does not load, is for another system, has no such
   * function, or refuses. What an extension did before it refused stays.
   * @throws {TypeError} with the code `STRONGROOM_BUSY` while an iterator reads from the database.
   * @example
   * ```js
   * db.loadExtension('./my-extensions/compress.so')
   * ```
   */
  loadExtension(path: string, entryPoint?: string | null): this {
    lazy.extension().loadExtension(this[SESSION], path, entryPoint)
    return this
  }
}
enumerable(Database.prototype)
Object.defineProperty(Database.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value: shown,
  configurable: true,
})

/** Returns what `console.log` shows of a database: the values of the properties. */
function shown(this: Database): object {
  const { name, open, inTransaction, readonly, memory } = this
  // `inspect` names an object by the constructor that it is an instance of, and a Database itself would recurse.
  const Shown = { Database: class {} }.Database
  return Object.assign(new Shown(), { name, open, inTransaction, readonly, memory })
}
