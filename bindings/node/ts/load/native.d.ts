// Generated from the addon by scripts/declarations.mjs

/** A running backup. */
export declare class NativeBackup {
  /** Copies up to `pages` pages. */
  step(pages: number): NativeBackupProgress
  /** Completes the copy on another thread. The promise never rejects; `result` throws the error. */
  complete(): Promise<void>
  /** Returns how far the completion is, if it takes pages to complete the copy. */
  progress(): NativeBackupProgress | null
  /** Throws the error that the completion ended with, if there was one. */
  result(): void
  /** Removes the temporary file, and ends the completion soon. */
  cancel(): void
}

/** A connection to a database. */
export declare class NativeDatabase {
  /** Attaches a database, and checks its key. */
  attach(name: string, options: NativeAttachOptions): void
  /** Detaches a database. */
  detach(name: string): void
  /** Checks the database `schema`. Calls `progress(checked, total)`, which returns false to cancel. */
  check(schema: string, progress: (checked: number, total: number) => boolean): NativeCheckReport
  /**
   * Opens a database, and checks the key if there is one.
   *
   * `verbose` is called with the SQL of each statement before the statement runs, and stops it by throwing. The caller
   * keeps it alive.
   */
  constructor(options: NativeOpenOptions, verbose?: ((sql: string) => unknown) | undefined)
  /** Whether a transaction is open. */
  get inTransaction(): boolean
  /** Prepares the single statement in `sql`. */
  prepare(sql: string): NativeStatement
  /** Runs every statement in `sql`. */
  exec(sql: string): void
  /** Forbids or allows SQL that can damage the file. */
  defensive(on: boolean): void
  /** Starts a copy of the database `schema` into a file: with the source's key, with another one, or plain. */
  backup(schema: string, path: string, key: NativeKey | undefined | null, plain: boolean): NativeBackup
  /** Returns the bytes of the database `schema` as a plain database file. */
  serialize(schema: string): Buffer
  /** Returns the bytes of the database `schema` as an encrypted database file, with the source's key or another one. */
  serializeEncrypted(schema: string, key?: NativeKey | undefined | null): Buffer
  /** Closes the connection and finalizes its statements. */
  close(): void
  /** Loads an extension of SQLite, and calls the function `entryPoint`, or the one that SQLite chooses. */
  loadExtension(path: string, entryPoint?: string | undefined | null): void
  /** Creates or replaces an SQL function. The caller keeps `callback` alive. */
  function(options: NativeFunctionOptions, callback: (...values: never[]) => unknown): void
  /**
   * Creates or replaces an aggregate: `[start, step, inverse, result]`, with undefined for no window function. The
   * caller keeps each callback alive. `start` returns an object, which the others get as their first argument.
   */
  aggregate(options: NativeFunctionOptions, callbacks: readonly unknown[]): void
  /** Returns the registrations whose callbacks are no longer used. */
  takeReleased(): Array<number>
  /** Changes the key of the database `schema`. Calls `progress(done, total)`, which returns false to cancel. */
  rekey(schema: string, to: NativeKey, progress: (done: number, total: number) => boolean): void
  /**
   * Creates or replaces a module of virtual tables. The caller keeps `connect` alive.
   *
   * `connect(module, database, table, ...arguments)` returns a table: its `columns` and `parameters`, `directOnly`,
   * `bigints`, its `registration`, and three functions. `open(...parameters)` returns a cursor, whose `values` are those
   * of the current row, `next(cursor)` whether there is another row, and `close(cursor)` ends it early.
   */
  table(name: string, eponymous: boolean, registration: number, connect: (...words: string[]) => unknown): void
}

/**
 * A conversion that runs on a thread of its own.
 *
 * The thread never calls into Node, so that the end of a worker or of the process cannot disturb it.
 */
export declare class NativeMigration {
  /** Starts the conversion. */
  constructor(options: NativeMigrationOptions)
  /** Returns the result, or null while the conversion runs. Throws the error that ended the conversion. */
  poll(): NativeConverted | null
  /** Returns how far the conversion is, or null before the file is locked. */
  progress(): NativeMigrationProgress | null
  /** Ends the conversion soon, unless the new file has its name already. */
  cancel(): void
}

/** A prepared statement. */
export declare class NativeStatement {
  /** Returns the statement's SQL, without keys. */
  get source(): string
  /** Whether the statement leaves the database as it is. */
  get readonly(): boolean
  /** Returns the number of columns, 0 for a statement without rows. */
  get columnCount(): number
  /** Returns the names of the parameters with their prefixes, and null for a `?`. */
  parameters(): Array<string | undefined | null>
  /** Returns the columns of the rows and their origins. */
  columns(): Array<NativeColumn>
  /** Returns the handle by which the functions of `calls` know the statement. */
  handle(): object
  /** Whether callers that prepare the same SQL again can share the statement, as long as the schema stays. */
  get reusable(): boolean
  /** Returns the columns of the last rows of the form. */
  layout(bigints: boolean, onlyFirst: boolean): NativeLayout
  /** Returns the SQL with the values that are bound, without keys, or null if memory is short. */
  expanded(): string | null
  /** Binds one value to each parameter for all later calls. */
  bind(values: readonly unknown[]): void
}

/**
 * Returns `[slots, bytes, run, get, start, more, end, wipe]`: the shared memory, and the functions.
 *
 * # Errors
 *
 * Those of Node-API.
 */
export declare function calls(): unknown[]

/**
 * Returns the versions of the libraries.
 *
 * # Errors
 *
 * An error of the engine if a library cannot be initialised.
 */
export declare function libraryVersions(): NativeVersions

/** The options of an attached database. The TypeScript layer has checked each value and filled in the defaults. */
export interface NativeAttachOptions {
  /** The file. Without a path the database is in memory. */
  path?: string
  /** The key. Without a key, the database has that of the main database. */
  key?: NativeKey
  /** Use no key. */
  plain: boolean
  /** Refuse every change. */
  readonly: boolean
  /** Refuse to create the file. */
  mustExist: boolean
}

/** How far a backup is. */
export interface NativeBackupProgress {
  /** The number of pages to copy. */
  totalPages: number
  /** The number of pages that are still to be copied. */
  remainingPages: number
  /** Whether a lock or an open transaction prevents copying for now. */
  waiting: boolean
  /** Whether every page is copied. */
  copied: boolean
}

/** An error behind a thrown one. */
export interface NativeCause {
  /** The error's code, if it is one of the engine, of a key or of the codec. */
  code?: string
  /** The number of the operating system's error, except on Windows. */
  errno?: number
  /** The error's message. */
  message: string
}

/** A problem of a database. */
export interface NativeCheckProblem {
  /** The kind. */
  kind: 'page' | 'structure' | 'foreign-key'
  /** The number of the page, counted from 1. */
  page?: number
  /** The table. */
  table?: string
  /** The rowid of the row. */
  rowid?: bigint
  /** The message. */
  message: string
}

/** The result of a check. */
export interface NativeCheckReport {
  /** The number of pages. */
  pages: number
  /** Whether the authentication of each page was checked. */
  authenticated: boolean
  /** The problems. */
  problems: Array<NativeCheckProblem>
}

/** A column of a result and its origin. */
export interface NativeColumn {
  /** The column's name in the result. */
  name: string
  /** The table's column that this column shows, if it shows one. */
  column?: string
  /** The table of `column`. */
  table?: string
  /** The database of `table`. */
  database?: string
  /** The declared type of `column`. */
  type?: string
}

/** The result of a conversion. */
export interface NativeConverted {
  /** The number of tables. */
  tables: number
  /** The number of rows in the tables. */
  rows: number
  /** The number of pages. */
  pages: number
  /** Bytes per page. */
  pageSize: number
}

/** How SQL may call a function or an aggregate. */
export interface NativeFunctionOptions {
  /** The name in SQL. */
  name: string
  /** The number of arguments; none for any number. */
  arguments?: number
  /** Whether equal arguments give equal results. */
  deterministic: boolean
  /** Whether the schema may not call the function. */
  directOnly: boolean
  /** Whether INTEGER arguments are bigints. */
  bigints: boolean
  /** The number of the registration, which `takeReleased` returns once the callbacks are no longer used. */
  registration: number
}

/** A key with its cipher parameters. The TypeScript layer has checked each value. */
export interface NativeKey {
  /** A raw key of 32 bytes. */
  key?: Uint8Array
  /** A passphrase, from which SQLCipher derives the key. */
  passphrase?: Uint8Array
  /** The number of iterations of the key derivation. */
  kdfIter?: number
  /** Bytes per page. */
  pageSize?: number
  /** The major version of SQLCipher whose format and defaults apply. */
  cipherCompatibility?: number
  /** The hash function of the key derivation: `sha1`, `sha256` or `sha512`. */
  kdfAlgorithm?: string
  /** The hash function of each page's HMAC: `sha1`, `sha256` or `sha512`. */
  hmacAlgorithm?: string
  /** Whether an HMAC authenticates each page. */
  useHmac?: boolean
  /** The byte order of the page number in the HMAC: `le`, `be` or `native`. */
  hmacPgno?: string
  /** The number of iterations that derive the HMAC key. */
  fastKdfIter?: number
  /** The byte that masks the salt of the HMAC key. */
  hmacSaltMask?: number
  /** Bytes at the start of the file that are not encrypted. */
  plaintextHeaderSize?: number
  /** The salt, if it is not the first 16 bytes of the file. */
  salt?: Uint8Array
}

/** The columns of a statement's rows, and how their values cross. */
export interface NativeLayout {
  /** The names in the result. */
  names: Array<string>
  /** The table of each column, undefined for an expression. */
  tables: Array<string | undefined | null>
  /** How the values of each column crossed in the last rows of this form. `ts/api/build-row.ts` names the numbers. */
  kinds: Array<number>
}

/** The options of a conversion. The TypeScript layer has checked each value and filled in the defaults. */
export interface NativeMigrationOptions {
  /** The file. */
  path: string
  /** The key that the file has, if it is encrypted. */
  from?: NativeKey
  /** The key that the file is to have, if it is to be encrypted. */
  to?: NativeKey
  /** The path that is to name the original afterwards. */
  keep?: string
  /** How long to wait for another connection's lock, in milliseconds. */
  timeout: number
}

/** How far a conversion is. */
export interface NativeMigrationProgress {
  /** The number of pages that are done. */
  done: number
  /** The number of pages to write and to read back, and 0 before the file is read. */
  total: number
}

/** The options of a connection. The TypeScript layer has checked each value and filled in the defaults. */
export interface NativeOpenOptions {
  /** The file. Without a path the database is in memory. */
  path?: string
  /** The bytes of a database file, of which the database is a copy in memory. */
  image?: Uint8Array
  /** The key, if the database is encrypted. */
  key?: NativeKey
  /** Refuse every change. */
  readonly: boolean
  /** Refuse to create the file. */
  mustExist: boolean
  /** How long to wait for another connection's lock, in milliseconds. */
  timeout: number
}

/** The versions, as each library reports its own. */
export interface NativeVersions {
  /** SQLite. */
  sqlite: string
  /** SQLCipher. */
  sqlcipher: string
  /** OpenSSL. */
  openssl: string
  /** zstd. */
  zstd: string
}

/**
 * Panics with the message, or makes the next call of another export panic: tests show what Node does then.
 *
 * The package's public entry does not export this function.
 */
export declare function panicForTest(message: string, inNextCall?: boolean | undefined | null): void

/** Returns the version of the addon's package, which the loader compares with its own. */
export declare function version(): string
