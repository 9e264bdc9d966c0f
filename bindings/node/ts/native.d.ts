// Generated from the addon by scripts/declarations.mjs

/** A connection to a database. */
export declare class NativeDatabase {
  /** Opens a database, and checks the key where one is given. */
  constructor(options: NativeOpenOptions)
  /** Whether a transaction is open. */
  get inTransaction(): boolean
  /** Prepares the one statement in `sql`. */
  prepare(sql: string): NativeStatement
  /** Runs every statement in `sql`. */
  exec(sql: string): void
  /** The SQL that has run since the last call, oldest first. */
  takeLog(): Array<string>
  /** Closes the connection and finalizes its statements. */
  close(): void
}

/** A prepared statement. */
export declare class NativeStatement {
  /** Its SQL, without keys. */
  get source(): string
  /** Whether it changes nothing in the database. */
  get readonly(): boolean
  /** How many columns its rows have; none where it gives no rows. */
  get columnCount(): number
  /** The names of its parameters with their prefix, and null for a `?`. */
  parameters(): Array<string | undefined | null>
  /** The columns of its rows, and where they come from. */
  columns(): Array<NativeColumn>
  /** The names of its columns, for which the caller compiles the `build` function that it passes from then on. */
  names(): Array<string>
  /** Binds one value to each parameter, for every later call. */
  bind(values: readonly unknown[]): void
  /** Runs it to its end, and gives what `build(changes, lastInsertRowid)` makes of the outcome. */
  run(values: readonly unknown[] | undefined, build: (changes: number, lastInsertRowid: number | bigint) => unknown, bigints: boolean): unknown
  /** The first row, or undefined. */
  get(values: readonly unknown[] | undefined, build: ((...columns: never[]) => unknown) | undefined, rebuild: (names: string[]) => unknown, bigints: boolean): unknown
  /** Every row, in an array. */
  all(values: readonly unknown[] | undefined, build: ((...columns: never[]) => unknown) | undefined, rebuild: (names: string[]) => unknown, bigints: boolean): unknown[]
  /** Binds, and makes ready for `next`. */
  start(values: readonly unknown[] | undefined): void
  /** The next row, or undefined at the end. */
  next(build: ((...columns: never[]) => unknown) | undefined, rebuild: (names: string[]) => unknown, bigints: boolean): unknown
  /** Ends what `start` began; `clear` also forgets the values that were bound. */
  reset(clear: boolean): void
}

/** What a column of a result is, and where it comes from. */
export interface NativeColumn {
  /** Its name in the result. */
  name: string
  /** The table's column that it shows, where it shows one. */
  column?: string
  /** That column's table. */
  table?: string
  /** That table's database. */
  database?: string
  /** That column's declared type. */
  type?: string
}

/** What to open, and how; the TypeScript layer has checked each value and filled in the defaults. */
export interface NativeOpenOptions {
  /** The file; without one the database is in memory. */
  path?: string
  /** A raw key of 32 bytes. */
  key?: Uint8Array
  /** A passphrase, from which SQLCipher derives the key. */
  passphrase?: Uint8Array
  /** Rounds of the key derivation. */
  kdfIter?: number
  /** Bytes per page. */
  pageSize?: number
  /** The SQLCipher major version whose format and defaults to use. */
  cipherCompatibility?: number
  /** Refuse every change. */
  readonly: boolean
  /** Refuse to create the file. */
  mustExist: boolean
  /** How long to wait for another connection's lock, in milliseconds. */
  timeout: number
  /** Keep the SQL that runs, for `takeLog`. */
  log: boolean
}

/**
 * Panics, so that a test of the very addon that is shipped can show that Node survives one.
 *
 * Undocumented on purpose: the package's public entry does not export it.
 */
export declare function panicForTest(message: string): number

/** The version of the package that this addon belongs to; the loader compares it with its own. */
export declare function version(): string
