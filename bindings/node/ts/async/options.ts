import type { BackupOptions } from '../api/backup'
import type { CheckOptions } from '../api/check'
import type { Options } from '../api/options'
import type { RekeyOptions } from '../api/rekey'
import type { BindArgument, BindValue } from '../api/values'
import type { Behavior } from './transaction-scope'

/** Options for opening a database: those of the synchronous class without `verbose`, and four more. */
export interface OpenOptions extends Omit<Options, 'verbose'>, CallOptions {
  /**
   * The number of reading connections, from 0 to 16. They are open while the database is in WAL mode. Default: 2.
   */
  readers?: number | undefined
  /** The maximum number of calls that wait or run. One more call rejects with `STRONGROOM_QUEUE_FULL`. Default: 10,000. */
  maxQueue?: number | undefined
  /**
   * The time in milliseconds after which a transaction or a snapshot that is still open emits a process warning; 0:
   * never. Default: 5,000.
   */
  transactionWarning?: number | undefined
}

/** Options of a call. */
export interface CallOptions {
  /** Ends the call. Its promise then rejects with the signal's reason. */
  signal?: AbortSignal | null | undefined
}

/** Options of `pragma`. */
export interface AsyncPragmaOptions extends CallOptions {
  /** Returns only the first value of the first row. Default: false. */
  simple?: boolean | undefined
}

/** Options of `transaction`. */
export interface TransactionOptions extends CallOptions {
  /**
   * The moment at which the transaction takes its locks, as in SQLite's BEGIN. Has no effect on a nested transaction, which is a savepoint. Default:
   * `immediate`, and `deferred` for a database that was opened with `readonly`.
   */
  behavior?: Behavior | undefined
}

/** Options of `backup`. */
export interface AsyncBackupOptions extends BackupOptions, CallOptions {}

/** Options of `check`. */
export interface AsyncCheckOptions extends CheckOptions, CallOptions {}

/** Options of `rekey`. */
export interface AsyncRekeyOptions extends RekeyOptions, CallOptions {}

/**
 * The values of named parameters, as an object of any interface. Objects that are iterable, such as arrays and Buffers,
 * do not have this type.
 */
type NamedParameters = object & { readonly [Symbol.iterator]?: never }

/**
 * The values of a call's parameters: an array with the arguments that a call of the synchronous class takes, or an
 * object with a value for each named parameter.
 */
export type AsyncParameters = readonly BindArgument[] | Readonly<Record<string, BindValue>> | NamedParameters
