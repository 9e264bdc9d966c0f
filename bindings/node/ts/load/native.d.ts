// Generated from the addon by scripts/declarations.mjs

/** A database whose connections run on threads of their own. */
export declare class NativeAsyncDatabase {
  /** Starts the writer's thread, which opens the database and replies with `NativeOpened`. */
  constructor(hub: object, options: NativeOpenOptions, ticket: number)
  /** Returns the handle that identifies the database to `submit`. */
  handle(): object
  /** Starts the thread of a reader, which replies with `NativeOpened`. Returns the reader's number. */
  addReader(ticket: number): number
  /** Ends each reader after its present job or hold. The reply comes once all have closed. */
  dropReaders(ticket: number): void
  /** Runs a PRAGMA that sets something of a connection on each reader before its next job. */
  setting(sql: string): void
  /** Removes a waiting call, or interrupts a running one. */
  cancel(ticket: number): 'waiting' | 'running' | 'unknown'
  /** Starts a backup. */
  backup(lane: number, ticket: number, request: NativeBackupRequest): void
  /** Copies up to `pages` pages of a backup. */
  backupStep(lane: number, ticket: number, pages: number): void
  /** Completes a backup on a thread of its own. */
  backupComplete(lane: number, ticket: number): void
  /** Drops a backup that is not completed. No reply comes. */
  backupEnd(lane: number, ticket: number): void
  /** Checks the database `schema`. */
  check(lane: number, ticket: number, schema: string): void
  /** Changes the key of the database `schema`. */
  rekey(ticket: number, schema: string, key: NativeKey): void
  /**
   * Lets each connection close after its present job, and drops the jobs that wait. The reply comes once all have
   * closed.
   */
  close(ticket: number): void
}

/** A running backup. */
export declare class NativeBackup {
  /** Copies up to `pages` pages. */
  step(pages: number): NativeBackupProgress
  /** Completes the copy on another thread. The promise never rejects; `result` throws the error. */
  complete(): Promise<void>
  /** Returns the progress of the completion, or null before it writes any pages. */
  progress(): NativeBackupProgress | null
  /** Throws the error of the completion, if it failed. */
  result(): void
  /** Removes the temporary file and stops the completion at its next progress report. */
  cancel(): void
}

/** A connection to a database. */
export declare class NativeDatabase {
  /** Attaches a database and checks its key. */
  attach(name: string, options: NativeAttachOptions): void
  /** Detaches a database. */
  detach(name: string): void
  /** Checks the database `schema`. Calls `progress(checked, total)`, which returns false to cancel the check. */
  check(schema: string, progress: (checked: number, total: number) => boolean): NativeCheckReport
  /**
   * Opens a database and checks its key, if it has one.
   *
   * The connection calls `verbose` with the SQL of each statement before the statement runs. An exception from
   * `verbose` stops the statement. The caller keeps `verbose` alive.
   */
  constructor(options: NativeOpenOptions, verbose?: ((sql: string) => unknown) | undefined)
  /** Returns whether a transaction is open. */
  get inTransaction(): boolean
  /** Returns the format of the main database: `plain`, `sqlcipher` or `strongroom`. */
  get format(): 'plain' | 'sqlcipher' | 'strongroom'
  /** Prepares the single statement in `sql`. */
  prepare(sql: string): NativeStatement
  /** Runs every statement in `sql`. */
  exec(sql: string): void
  /** Forbids or allows SQL that can damage the file. */
  defensive(on: boolean): void
  /** Starts a backup of the database `schema` to a file: with the source's key, with another key, or unencrypted. */
  backup(schema: string, path: string, key: NativeKey | undefined | null, plain: boolean): NativeBackup
  /** Returns the database `schema` as the bytes of an unencrypted database file. */
  serialize(schema: string): Buffer
  /** Returns the database `schema` as the bytes of an encrypted database file, with the source's key or another key. */
  serializeEncrypted(schema: string, key?: NativeKey | undefined | null): Buffer
  /** Closes the connection and finalizes its statements. */
  close(): void
  /** Loads an SQLite extension and calls the function `entryPoint`, or SQLite's default entry point. */
  loadExtension(path: string, entryPoint?: string | undefined | null): void
  /** Creates or replaces an SQL function. The caller keeps `callback` alive. */
  function(options: NativeFunctionOptions, callback: (...values: never[]) => unknown): void
  /**
   * Creates or replaces an aggregate. `callbacks` is `[start, step, inverse, result]`; `inverse` is undefined if the
   * aggregate is not a window function. The caller keeps each callback alive. `start` returns an object, which the
   * other callbacks get as their first argument.
   */
  aggregate(options: NativeFunctionOptions, callbacks: readonly unknown[]): void
  /** Returns the numbers of the registrations whose callbacks SQLite no longer uses, and clears the list. */
  takeReleased(): Array<number>
  /** Returns the key slots of the database `schema`. */
  keySlots(schema: string): Array<NativeKeySlot>
  /** Adds a key slot to the database `schema`. */
  addKeySlot(schema: string, secret: NativeSlotSecret): NativeKeySlot
  /** Removes a key slot of the database `schema`, and returns the slot as it was. */
  removeKeySlot(schema: string, id: string): NativeKeySlot
  /** Changes the secret or the label of a key slot of the database `schema`. */
  changeKeySlot(schema: string, id: string, secret: NativeSlotSecret): NativeKeySlot
  /**
   * Changes the key of the database `schema`. Calls `progress(done, total)`, which returns false to cancel the
   * rekey.
   */
  rekey(schema: string, to: NativeKey, progress: (done: number, total: number) => boolean): void
  /** Prepares a rotation of the main database's data key. */
  rotation(options: NativeRotationOptions): NativeRotation
  /**
   * Creates or replaces a module of virtual tables. The caller keeps `connect` alive.
   *
   * `connect(module, database, table, ...arguments)` returns a table: an object with `columns`, `parameters`,
   * `directOnly`, `bigints`, `registration`, and three functions. `open(...parameters)` returns a cursor, whose
   * `values` are the values of the current row. `next(cursor)` moves to the next row and returns false if the rows
   * have ended. `close(cursor)` ends the rows early.
   */
  table(name: string, eponymous: boolean, registration: number, connect: (...words: string[]) => unknown): void
}

/**
 * A conversion or a rotation that runs on its own thread.
 *
 * The thread never calls Node, so the end of a worker or of the process cannot disturb the thread.
 */
export declare class NativeMigration {
  /** Starts the conversion. */
  constructor(options: NativeMigrationOptions)
  /** Returns the result, or null while the conversion runs. Throws the error that ended the conversion. */
  poll(): NativeConverted | null
  /** Returns the progress of the conversion, or null before the file is locked. */
  progress(): NativeMigrationProgress | null
  /** Stops the conversion at its next progress report. A conversion that has replaced the file is not undone. */
  cancel(): void
}

/** A rotation that can start once the connection is closed. */
export declare class NativeRotation {
  /** Starts the rotation on its own thread. No connection may have the file open. */
  start(): NativeMigration
}

/** The SQL of calls. Threads share a compiled statement between calls with the same object. */
export declare class NativeSql {
  /** Reads the SQL without compiling it. */
  constructor(sql: string)
  /** Returns the handle that identifies the SQL to `submit`. */
  handle(): object
  /** Returns the names of the parameters with their prefixes. The name of a `?` is null. */
  get parameters(): (string | null)[]
  /** Returns whether the statement only reads the database, so that a reader can run it. */
  get reads(): boolean
  /** Returns whether the statement begins a transaction. */
  get begins(): boolean
  /** Returns whether the statement ends a transaction. */
  get ends(): boolean
  /** Returns whether no other connection of this process may be open while the SQL runs. */
  get solo(): boolean
  /** Returns whether the SQL depends on objects of its connection: temporary tables and attached databases. */
  get local(): boolean
  /** Returns the pragmas of the SQL that set something of a single connection, for `setting`. */
  get settings(): Array<string>
}

/** A prepared statement. */
export declare class NativeStatement {
  /** Returns the statement's SQL, without keys. */
  get source(): string
  /** Returns whether the statement leaves the database unchanged. */
  get readonly(): boolean
  /** Returns the number of columns, or 0 for a statement without rows. */
  get columnCount(): number
  /** Returns the names of the parameters with their prefixes. The name of a `?` is null. */
  parameters(): Array<string | undefined | null>
  /** Returns the columns of the rows and their origins. */
  columns(): Array<NativeColumn>
  /** Returns the handle that identifies the statement to the functions of `calls`. */
  handle(): object
  /** Returns whether callers that prepare the same SQL can share the statement until the schema changes. */
  get reusable(): boolean
  /** Returns the columns of the last rows of the given form. */
  layout(bigints: boolean, onlyFirst: boolean): NativeLayout
  /** Returns the SQL with the bound values and without keys, or null if memory runs out. */
  expanded(): string | null
  /** Binds one value to each parameter. The values apply to all later calls. */
  bind(values: readonly unknown[]): void
}

/**
 * Returns `[hub, drain, hold, submit, columns]`: the handle of the JavaScript thread, and the functions.
 *
 * The event loop calls `wake()` when replies wait. `drain` then calls `deliver(ticket, kind, value)` for each reply, whose
 * rows are in the shared memory of `calls`. `has_uv` is true if the event loop is libuv's.
 *
 * # Errors
 *
 * Fails if Node-API fails.
 */
export declare function asynchronous(wake: () => void, deliver: (ticket: number, kind: number, value: unknown) => void, hasUv: boolean): unknown[]

/**
 * Returns `[slots, bytes, run, get, start, more, end, wipe]`: the shared memory, and the functions.
 *
 * # Errors
 *
 * Fails if Node-API fails.
 */
export declare function calls(): unknown[]

/**
 * Returns a new recovery code, with no copy outside JavaScript that is not wiped.
 *
 * # Errors
 *
 * Fails if the operating system returns no random bytes, or if Node-API fails.
 */
export declare function generateRecoveryCode(): string

/**
 * Returns the versions of the libraries.
 *
 * # Errors
 *
 * Fails if a library cannot be initialised.
 */
export declare function libraryVersions(): NativeVersions

/** The options of an attached database. The TypeScript layer has checked each value and filled in the defaults. */
export interface NativeAttachOptions {
  /** The path of the file. Without a path, the database is in memory. */
  path?: string
  /** The key. The default is the key of the main database. */
  key?: NativeKey
  /** `true` to use no key. */
  plain: boolean
  /** `true` to refuse every change. */
  readonly: boolean
  /** `true` to refuse to create the file. */
  mustExist: boolean
}

/** The progress of a backup. */
export interface NativeBackupProgress {
  /** The number of pages to copy. */
  totalPages: number
  /** The number of pages left to copy. */
  remainingPages: number
  /** `true` while a lock or an open transaction blocks the copy. */
  waiting: boolean
  /** `true` once every page is copied. */
  copied: boolean
}

/** A backup to a file: with the source's key, with another key, or unencrypted. The TypeScript layer has checked each value. */
export interface NativeBackupRequest {
  /** The database: `main` or the name of an attached database. */
  schema: string
  /** The path of the copy. */
  path: string
  /** The key of the copy. The default is the source's key. */
  key?: NativeKey
  /** `true` for a copy without encryption. */
  plain: boolean
}

/** A cause of a thrown error. */
export interface NativeCause {
  /** The error's code, if the error comes from the engine, a key or the codec. */
  code?: string
  /** The number of the operating system's error, except on Windows. */
  errno?: number
  /** The error's message. */
  message: string
}

/** A problem that a check found in a database. */
export interface NativeCheckProblem {
  /** The kind of the problem. */
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
  /** `true` if the check verified the HMAC of each page. */
  authenticated: boolean
  /** The problems that the check found. */
  problems: Array<NativeCheckProblem>
}

/** A column of a result and its origin. */
export interface NativeColumn {
  /** The column's name in the result. */
  name: string
  /** The name of the table column, unless the column is an expression. */
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
  /** The page size in bytes. */
  pageSize: number
  /** The key slots that a rotation dropped. */
  dropped: Array<NativeKeySlot>
}

/** The options of an SQL function or aggregate. */
export interface NativeFunctionOptions {
  /** The name in SQL. */
  name: string
  /** The number of arguments. Without a number, the function takes any number of arguments. */
  arguments?: number
  /** `true` if equal arguments always give equal results. */
  deterministic: boolean
  /** `true` if views, triggers and the rest of the schema cannot call the function. */
  directOnly: boolean
  /** `true` if the function gets INTEGER arguments as bigints. */
  bigints: boolean
  /** The number of the registration. `takeReleased` returns this number once SQLite no longer uses the callbacks. */
  registration: number
}

/** A key with its cipher parameters. The TypeScript layer has checked each value. */
export interface NativeKey {
  /** A raw key of 32 bytes. */
  key?: Uint8Array
  /** A passphrase, from which SQLCipher derives the key. */
  passphrase?: Uint8Array
  /** A recovery code as a person typed it, in UTF-8. */
  recovery?: Uint8Array
  /** The id of the only key slot to try. */
  slot?: string
  /** The number of iterations that derive the key. */
  kdfIter?: number
  /** The page size in bytes. */
  pageSize?: number
  /** The major version of SQLCipher whose format and defaults apply. */
  cipherCompatibility?: number
  /** The hash function of the key derivation: `sha1`, `sha256` or `sha512`. */
  kdfAlgorithm?: string
  /** The hash function of each page's HMAC: `sha1`, `sha256` or `sha512`. */
  hmacAlgorithm?: string
  /** `true` if an HMAC authenticates each page. */
  useHmac?: boolean
  /** The byte order of the page number in the HMAC: `le`, `be` or `native`. */
  hmacPgno?: string
  /** The number of iterations that derive the HMAC key. */
  fastKdfIter?: number
  /** The byte that masks the salt of the HMAC key. */
  hmacSaltMask?: number
  /** The number of unencrypted bytes at the start of the file. */
  plaintextHeaderSize?: number
  /** The salt. The default is the first 16 bytes of the file. */
  salt?: Uint8Array
  /** The format of the file: `sqlcipher` or `strongroom`. */
  format?: string
}

/** A key slot, without key material. */
export interface NativeKeySlot {
  /** The identity, 16 hexadecimal digits. */
  id: string
  /** The kind of the secret that opens the slot. */
  kind: 'key' | 'passphrase' | 'recovery' | 'unsupported'
  /** The label. */
  label?: string
  /** The time at which the slot got its present key, in milliseconds since 1970, unless the label cannot be read. */
  created?: number
  /** `true` if the slot opened the file for this connection. */
  current: boolean
}

/** The columns of a statement's rows, and the encoding of their values. */
export interface NativeLayout {
  /** The names of the columns in the result. */
  names: Array<string>
  /** The table of each column, undefined for an expression. */
  tables: Array<string | undefined | null>
  /** The kinds of the columns in the last rows of this form. `ts/api/build-row.ts` names the kinds. */
  kinds: Array<number>
}

/** The options of a conversion. The TypeScript layer has checked each value and filled in the defaults. */
export interface NativeMigrationOptions {
  /** The path of the file. */
  path: string
  /** The current key of the file, if the file is encrypted. */
  from?: NativeKey
  /** The key of the converted file. Without a key, the converted file is unencrypted. */
  to?: NativeKey
  /** The path under which the original is kept. Without a path, the original is not kept. */
  keep?: string
  /** The time to wait for another connection's lock, in milliseconds. */
  timeout: number
}

/** The progress of a conversion. */
export interface NativeMigrationProgress {
  /** The number of pages that are written or read back. */
  done: number
  /** The number of pages to write and to read back. The number is 0 until the conversion has read the file. */
  total: number
}

/** The facts of an open connection. */
export interface NativeOpened {
  /** The format of the file. */
  format: 'plain' | 'sqlcipher' | 'strongroom'
  /** `true` if the file is open read-only. */
  readonly: boolean
  /** The journal mode, unless the file cannot be read yet. */
  journal?: string
}

/** The options of a connection. The TypeScript layer has checked each value and filled in the defaults. */
export interface NativeOpenOptions {
  /** The path of the file. Without a path, the database is in memory. */
  path?: string
  /** The bytes of a database file. The database is a copy of the bytes in memory. */
  image?: Uint8Array
  /** The key, if the database is encrypted. */
  key?: NativeKey
  /** `true` to refuse every change. */
  readonly: boolean
  /** `true` to refuse to create the file. */
  mustExist: boolean
  /** The time to wait for another connection's lock, in milliseconds. */
  timeout: number
}

/** The progress of a check or a rekey. */
export interface NativePageProgress {
  /** The number of pages that are done. */
  done: number
  /** The number of pages. */
  total: number
}

/** The facts of a compiled statement. */
export interface NativePrepared {
  /** The SQL, without keys. */
  source: string
  /** `true` if the statement returns rows. */
  reader: boolean
  /** `true` if the statement leaves the database unchanged. */
  readonly: boolean
  /** The columns of the rows. */
  columns: Array<NativeColumn>
}

/** The options of a rotation. The TypeScript layer has checked each value and filled in the defaults. */
export interface NativeRotationOptions {
  /** The secrets of the slots to keep. */
  secrets: Array<NativeKey>
  /** `true` to drop the slots without a secret. */
  dropOthers: boolean
  /** The path under which the original is kept. Without a path, the original is not kept. */
  keep?: string
  /** The time to wait for another connection's lock, in milliseconds. */
  timeout: number
}

/** The secret and the label that a key slot gets. The TypeScript layer has checked each value. */
export interface NativeSlotSecret {
  /** The raw key, the passphrase or the recovery code. */
  key?: NativeKey
  /** The label. Without a label, the slot has none. */
  label?: string
  /** `true` if a changed slot gets `label`, and `false` if it keeps its label. */
  relabel: boolean
}

/** The version that each library reports. */
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
 * Panics with the message, or makes the next call of another export panic. Tests call this function to check that a
 * panic becomes an error in Node.
 *
 * The package's public entry does not export this function.
 */
export declare function panicForTest(message: string, inNextCall?: boolean | undefined | null): void

/**
 * Makes the next job of a thread of the asynchronous class panic.
 *
 * The package's public entry does not export this function.
 */
export declare function panicInJobForTest(): void

/** Returns the package version of the addon. The loader compares this version with its own. */
export declare function version(): string
