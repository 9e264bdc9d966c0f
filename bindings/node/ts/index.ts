/// <reference types="node" preserve="true" />
import type * as aggregates from './api/aggregate'
import type { AttachOptions as Attach } from './api/attach'
import type * as backups from './api/backup'
import type * as check from './api/check'
import type { SqliteErrorCode as Code } from './api/codes'
import { Database as DatabaseClass } from './api/database'
import { SqliteError as ErrorClass } from './api/errors'
import type * as functions from './api/function'
import type { CipherOptions as Cipher, KeyOptions as Key, OpenKeyOptions as OpenKey } from './api/key'
import type * as slots from './api/keys'
import type * as migrate from './api/migrate'
import type * as options from './api/options'
import type * as rekey from './api/rekey'
import type * as rotate from './api/rotate'
import type { SerializeOptions as ImageOptions } from './api/serialize'
import type { StatementOf } from './api/statement'
import type * as tables from './api/table'
import type { Transaction as TransactionFunction, Work } from './api/transaction'
import type * as values from './api/values'
import { type Versions as LibraryVersions, versions } from './api/versions'

/** The class {@link Database}, which can also be called without `new`. */
interface DatabaseConstructor {
  new (path?: string | Uint8Array | null, options?: Database.Options | null): DatabaseClass
  (path?: string | Uint8Array | null, options?: Database.Options | null): DatabaseClass
  readonly prototype: DatabaseClass
  /** The class of the database's errors. Each error has a `code`. */
  readonly SqliteError: typeof ErrorClass
  /** The versions of Strongroom and of SQLite, SQLCipher, OpenSSL and zstd in it. */
  readonly versions: LibraryVersions
  /**
   * Encrypts a plain database file.
   *
   * Another thread writes a copy beside the file, compares the copy with the file, and renames it over the file. The
   * database keeps its content and its settings. After an error other than `STRONGROOM_REKEY_UNVERIFIED`, the file is
   * unchanged. No connection may have the file open.
   *
   * @throws {TypeError} and {RangeError}, as a rejected promise, for invalid arguments.
   * @throws {SqliteError} `STRONGROOM_IN_USE` if the file is open; `STRONGROOM_ENCRYPTED`; `STRONGROOM_CANCELLED`;
   * `STRONGROOM_EXISTS` if the path `keep` exists; `STRONGROOM_RESERVED_NAME` if `keep` is a name such as `a.db-wal`;
   * `STRONGROOM_REKEY_UNVERIFIED` if the file is converted but its folder could not be synced; `STRONGROOM_EMPTY_FILE`;
   * `STRONGROOM_MISSING_FUNCTION` if an index or a table uses a function that only the application defines;
   * `SQLITE_CANTOPEN`, `SQLITE_READONLY`, `SQLITE_PERM`, `SQLITE_FULL`.
   * @example
   * ```js
   * await Database.encrypt('notes.db', { passphrase: 'correct horse battery staple' })
   * ```
   */
  readonly encrypt: typeof migrate.encrypt
  /**
   * Decrypts a database file.
   *
   * Works as {@link encrypt} does.
   *
   * @throws {SqliteError} `STRONGROOM_WRONG_KEY`, `STRONGROOM_NOT_ENCRYPTED`, and the errors of {@link encrypt}.
   * @example
   * ```js
   * await Database.decrypt('notes.db', { from: { passphrase: 'correct horse battery staple' }, keep: 'notes.encrypted.db' })
   * ```
   */
  readonly decrypt: typeof migrate.decrypt
  /**
   * Converts a database file between two keys, two versions of SQLCipher, or plain and encrypted.
   *
   * Works as {@link encrypt} does.
   *
   * @example
   * ```js
   * const passphrase = 'correct horse battery staple'
   * await Database.migrate('old.db', { from: { passphrase, cipherCompatibility: 3 }, to: { passphrase } })
   * ```
   */
  readonly migrate: typeof migrate.migrate
}

const Database = new Proxy(DatabaseClass, {
  apply: (_, __, [path, options]: [(string | Uint8Array)?, options.Options?]) => new Database(path, options),
}) as unknown as DatabaseConstructor
Object.defineProperty(DatabaseClass, 'SqliteError', { value: ErrorClass, enumerable: true })
Object.defineProperty(DatabaseClass, 'versions', { get: versions, enumerable: true, configurable: true })
// Few programs convert files, so the first use loads this module.
const conversions = (): typeof migrate => require('./api/migrate')
for (const name of ['encrypt', 'decrypt', 'migrate'] as const)
  Object.defineProperty(DatabaseClass, name, {
    get: () => conversions()[name],
    set: (value) => Object.defineProperty(DatabaseClass, name, { value, writable: true }),
    configurable: true,
  })
Object.defineProperty(DatabaseClass.prototype, 'constructor', { value: Database, writable: true, configurable: true })

type Database = DatabaseClass

declare namespace Database {
  /** A connection to a database. */
  export type Database = DatabaseClass
  /**
   * A prepared statement.
   *
   * @typeParam BindParameters - the list of the arguments of its calls, or the type of the only argument
   * @typeParam Result - the type of a row
   */
  export type Statement<BindParameters = unknown[], Result = unknown> = StatementOf<
    DatabaseClass,
    BindParameters,
    Result
  >
  /** A function that runs in a transaction. */
  export type Transaction<F extends Work = Work> = TransactionFunction<DatabaseClass, F>
  /** An error of the database. */
  export type SqliteError = ErrorClass
  /** The versions of Strongroom and of the libraries in it. */
  export type Versions = LibraryVersions
  /** Every `code` of a {@link SqliteError}. */
  export type SqliteErrorCode = Code
  // These types are interfaces so that a program can extend them in `declare module 'strongroom'`.
  /** Options for opening a database. */
  export interface Options extends options.Options {}
  /** Options of {@link DatabaseClass.pragma}. */
  export interface PragmaOptions extends options.PragmaOptions {}
  /** The outcome of a statement. */
  export interface RunResult extends values.RunResult {}
  /** A column of a result. */
  export interface ColumnDefinition extends values.ColumnDefinition {}
  /** Options of {@link DatabaseClass.backup}. */
  export interface BackupOptions extends backups.BackupOptions {}
  /** The progress of a backup. */
  export interface BackupMetadata extends backups.BackupMetadata {}
  /** Options of {@link DatabaseClass.serialize}. */
  export interface SerializeOptions extends ImageOptions {}
  /** Options of a function that the application defines. */
  export interface RegistrationOptions extends functions.RegistrationOptions {}
  /** An aggregate that the application defines. */
  export type AggregateOptions<T = unknown> = aggregates.AggregateOptions<T>
  /** A virtual table that the application defines. */
  export interface VirtualTableOptions extends tables.VirtualTableOptions {}
  /** The `this` of a function that makes virtual tables. */
  export type VirtualTableContext = tables.VirtualTableContext
  /** A key with its cipher parameters. */
  export type KeyOptions = Key
  /** A secret that opens an existing file, with its cipher parameters. */
  export type OpenKeyOptions = OpenKey
  /** The key slots of a file: {@link DatabaseClass.keys}. */
  export type KeySlots = slots.KeySlots
  /** A key slot of a file. */
  export type KeySlot = slots.KeySlot
  /** A key slot with a new recovery code. */
  export type RecoveryKeySlot = slots.RecoveryKeySlot
  /** The secret of a key slot. */
  export type KeySlotSecret = slots.KeySlotSecret
  /** Options of {@link slots.KeySlots.list} and {@link slots.KeySlots.remove}. */
  export type KeySlotOptions = slots.KeySlotOptions
  /** Options of {@link slots.KeySlots.add} and {@link slots.KeySlots.change}. */
  export type KeySlotLabelOptions = slots.KeySlotLabelOptions
  /** Options of {@link slots.KeySlots.rotate}. */
  export type RotateOptions = rotate.RotateOptions
  /** The secret of a slot that {@link slots.KeySlots.rotate} keeps. */
  export type RotateSecret = rotate.RotateSecret
  /** The progress of {@link slots.KeySlots.rotate}. */
  export type RotateProgress = rotate.RotateProgress
  /** The result of {@link slots.KeySlots.rotate}. */
  export type RotateResult = rotate.RotateResult
  /** The parameters of a file's encryption. */
  export type CipherOptions = Cipher
  /** Options of {@link DatabaseClass.attach}. */
  export type AttachOptions = Attach
  /** Options of {@link DatabaseClass.check}. */
  export type CheckOptions = check.CheckOptions
  /** The progress of {@link DatabaseClass.check}. */
  export type CheckProgress = check.CheckProgress
  /** The result of {@link DatabaseClass.check}. */
  export type CheckResult = check.CheckResult
  /** A problem in the result of {@link DatabaseClass.check}. */
  export type CheckProblem = check.CheckProblem
  /** Options of {@link DatabaseClass.rekey}. */
  export type RekeyOptions = rekey.RekeyOptions
  /** The progress of {@link DatabaseClass.rekey}. */
  export type RekeyProgress = rekey.RekeyProgress
  /** Options of {@link DatabaseConstructor.encrypt}. */
  export type MigrateOptions = migrate.MigrateOptions
  /** Options of {@link DatabaseConstructor.decrypt}. */
  export type DecryptOptions = migrate.DecryptOptions
  /** Options of {@link DatabaseConstructor.migrate}. */
  export type MigrateKeys = migrate.MigrateKeys
  /** The new key of a file, or `{ plain: true }` for a file without encryption. */
  export type MigrateKey = migrate.MigrateKey
  /** The secret that opens a file, or `{ plain: true }` for a file without encryption. */
  export type MigrateSource = migrate.MigrateSource
  /** The progress of a conversion. */
  export type MigrateProgress = migrate.MigrateProgress
  /** The file after a conversion. */
  export type MigrateResult = migrate.MigrateResult
  /** A value of a column. */
  export type SqlValue = values.SqlValue
  /** A row as an object. */
  export type Row = values.Row
  /** A value that can be bound to a parameter. */
  export type BindValue = values.BindValue
  /** An argument of a call: a value, an array of values, or an object with named values. */
  export type BindArgument = values.BindArgument
}

export = Database
