import type { AggregateOptions } from './aggregate'
import type { AttachOptions } from './attach'
import type { BackupMetadata, BackupOptions } from './backup'
import type { CheckOptions, CheckResult } from './check'
import { Connection } from './connection'
import type { RegistrationOptions } from './function'
import type { KeyOptions } from './key'
import type { KeySlots } from './keys'
import { enumerable } from './objects'
import type { RekeyOptions } from './rekey'
import type { SerializeOptions } from './serialize'
import { SESSION } from './session'
import type { VirtualTableContext, VirtualTableOptions } from './table'

/** Modules that few programs use. The first use loads each module, so that the package loads faster. */
const lazy = {
  aggregate: (): typeof import('./aggregate') => require('./aggregate'),
  attach: (): typeof import('./attach') => require('./attach'),
  backup: (): typeof import('./backup') => require('./backup'),
  check: (): typeof import('./check') => require('./check'),
  extension: (): typeof import('./extension') => require('./extension'),
  function: (): typeof import('./function') => require('./function'),
  keys: (): typeof import('./keys') => require('./keys'),
  rekey: (): typeof import('./rekey') => require('./rekey'),
  serialize: (): typeof import('./serialize') => require('./serialize'),
  table: (): typeof import('./table') => require('./table'),
}

/**
 * A connection to a database file or to an in-memory database.
 *
 * A connection belongs to the thread that opened it. Another thread must open the file itself: posting a connection or
 * a statement to another thread throws a DataCloneError.
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
   * Changes the key atomically. Afterwards only the new key, `to`, opens the file.
   *
   * The call waits up to `timeout` for the locks of other connections, rewrites every page in one transaction, and
   * reads every page back. Even after a crash the file opens with either the old key or the new key, and has every row.
   * After an error this connection continues with the old key. Other connections get `STRONGROOM_KEY_CHANGED` at their
   * next statement. The journal needs as much free disk space as the file.
   *
   * In the Strongroom format, the call changes only the key slot that opened the file, and other connections continue.
   * The slot keeps its id and its label. {@link keys} changes the other slots.
   *
   * `to` is a key with cipher options. Options that change the layout of pages (`pageSize`, `cipherCompatibility`,
   * `hmacAlgorithm`, ...) need a new file: use `Database.migrate`.
   *
   * @throws {SqliteError} `SQLITE_BUSY` if a lock is not available within `timeout`; `SQLITE_FULL`; `SQLITE_READONLY`;
   * `STRONGROOM_IN_TRANSACTION`; `STRONGROOM_NOT_ENCRYPTED`; `STRONGROOM_REKEY_LAYOUT`; `STRONGROOM_CANCELLED`;
   * `STRONGROOM_REKEY_UNVERIFIED` if the file has the new key but could not be read back.
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
   * The key slots of a file in the Strongroom format: several keys, passphrases and recovery codes open one file.
   *
   * The methods throw `STRONGROOM_NO_SLOTS` for a database in another format or in memory.
   *
   * @example
   * ```js
   * const { code } = db.keys.add({ recovery: true, label: 'printed on paper' })
   * console.log(db.keys.list())
   * ```
   */
  get keys(): KeySlots {
    return lazy.keys().keySlots(this[SESSION])
  }

  /**
   * Attaches another database, and checks its key. SQL then refers to the database's tables as `name.table`.
   *
   * With `key` or `passphrase` the database has its own key, and with `plain` it has no key. Otherwise the database has
   * the key and the cipher options of the main database. A new file also gets the salt of the main database, so the
   * same passphrase opens it. An existing file opens without its own `passphrase` only if it has the same raw key or
   * the salt of the main database.
   *
   * @param path - the file, not parsed as a URI; `:memory:` or an empty string for an in-memory database
   * @param name - the name of the database in SQL
   * @throws {SqliteError} as the constructor does; `STRONGROOM_ATTACH_NAME` for `main`, `temp` or a name in use;
   * `STRONGROOM_ATTACH_LIMIT` for more than 10 databases; `STRONGROOM_ATTACH_ENCODING`; `STRONGROOM_IN_TRANSACTION`.
   * After an error the database is not attached.
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
   * Verifies the authentication of each page, the structure (SQLite's integrity check) and foreign keys.
   *
   * The result lists the damage, and the connection stays usable. The check reads the committed state of the file
   * through its own connection, and does not see the changes of an open transaction. An old version of a page passes
   * authentication. The integrity check finds the old page only if the page contradicts other pages.
   *
   * @throws {SqliteError} `SQLITE_BUSY` for a lock; `STRONGROOM_KEY_CHANGED` if another connection changed the key;
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
   * Copies the database into a file while the database is in use. Replaces an existing database at `path`.
   *
   * The copy has the key and the cipher settings of its source, unless the options contain `key`, `passphrase` or
   * `plain`. The copy is a single file, even if the database is in WAL mode. {@link BackupOptions} describes the
   * details.
   *
   * @returns the number of pages, and 0 as `remainingPages`
   * @throws {TypeError} for an argument or option of the wrong type, an unknown option, or an empty path.
   * @throws {SqliteError} `STRONGROOM_TARGET_IS_SOURCE`; `STRONGROOM_IN_USE` for a file that another connection or
   * another backup uses; `STRONGROOM_TARGET_HAS_JOURNAL`; `STRONGROOM_RESERVED_NAME` for a name such as `a.db-wal`;
   * `SQLITE_NOTADB` for an existing file that is not a database; `SQLITE_CANTOPEN` for a missing folder; `SQLITE_FULL`; `SQLITE_BUSY`.
   * @example
   * ```js
   * await db.backup('copy.db', { progress: ({ remainingPages }) => console.log(remainingPages) })
   * ```
   */
  backup(path: string, options?: BackupOptions | null): Promise<BackupMetadata> {
    return lazy.backup().backup(this[SESSION], path, options)
  }

  /**
   * Returns the database as the bytes of a database file, which `new Database(bytes)` opens.
   *
   * The image is plaintext, even if the database is encrypted, unless `encrypted` is true or the options contain `key`
   * or `passphrase`. An encrypted image opens with the given key, or with the database's own key. The method writes no
   * file. The image includes the changes of an open transaction, and is in journal mode DELETE. A plain image of an
   * encrypted database keeps the bytes that the cipher reserves on each page, and cannot be vacuumed. `backup` with
   * `plain: true` makes a copy that can be vacuumed.
   *
   * @throws {SqliteError} `STRONGROOM_NOT_ENCRYPTED` for `encrypted` without a key on a plain database;
   * `STRONGROOM_OTHER_LAYOUT` for a key whose cipher settings need a page layout other than the database's.
   * @throws {TypeError} with the code `STRONGROOM_BUSY` while an iterator reads from the database.
   */
  serialize(options?: SerializeOptions | null): Buffer {
    return lazy.serialize().serialize(this[SESSION], options)
  }

  /**
   * Creates an SQL function, or replaces the function with the same name and number of arguments.
   *
   * For each argument, the function gets a number, a string, a Buffer, null, or a bigint with `safeIntegers`. The
   * function returns a value of these types; undefined is NULL. The database cannot be used until the function returns.
   * If the function throws, the statement ends and its call throws the same exception.
   *
   * @throws {TypeError} and {RangeError} for invalid arguments and options; a TypeError with the code `STRONGROOM_BUSY`
   * while an iterator reads from the database.
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
   * Creates an SQL aggregate. With the option `inverse`, the aggregate is also a window function.
   * {@link AggregateOptions} describes the callbacks. The rules of {@link function} apply to each callback.
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
   * Creates a virtual table. If the second argument is a function, creates a module instead. Each CREATE VIRTUAL TABLE
   * then calls the function with the statement's arguments as strings.
   *
   * A statement that needs no more rows, for example because of LIMIT, calls the generator's `return()`. If `return()`
   * throws, the exception is ignored, because the statement already has its result.
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
   * Loads an SQLite extension, which adds its functions and virtual tables to this connection.
   *
   * The operating system resolves the path. A relative path with a separator starts at the current folder. The system
   * searches its library folders for a name without a separator. The suffix (`.so`, `.dylib`, `.dll`) is optional. An
   * extension is native code that can do everything that the process can. SQL cannot load an extension:
   * `load_extension()` fails.
   *
   * @param path - the library
   * @param entryPoint - the function that initialises the extension; by default `sqlite3_extension_init`, or a name
   * derived from the file name, such as `sqlite3_vec_init` for `vec0.so`
   * @throws {SqliteError} `SQLITE_ERROR` if the library does not exist, does not load, is for another system, lacks the
   * entry point, or returns an error. The changes that an extension made before its error remain.
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
// better-sqlite3 has no such property, and programs may read the enumerable ones.
Object.defineProperty(Database.prototype, 'keys', { enumerable: false })
Object.defineProperty(Database.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value: shown,
  configurable: true,
})

/** Returns the object that `console.log` prints for a database: its properties and their values. */
function shown(this: Database): object {
  const { name, open, inTransaction, readonly, memory } = this
  // `inspect` prints the name of an object's constructor. Returning a Database would recurse.
  const Shown = { Database: class {} }.Database
  return Object.assign(new Shown(), { name, open, inTransaction, readonly, memory })
}
