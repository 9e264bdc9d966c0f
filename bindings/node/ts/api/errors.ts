import { getSystemErrorName, types } from 'node:util'
import type { NativeCause } from '../load/native'
import type { SqliteErrorCode } from './codes'

/** A listed code, which editors can complete, or a code that a program defines for its own errors. */
export type ErrorCode = SqliteErrorCode | (string & NonNullable<unknown>)

/**
 * An error of the database.
 *
 * `code` is the name of SQLite's extended result code (`SQLITE_CONSTRAINT_UNIQUE`), or a code of Strongroom
 * (`STRONGROOM_WRONG_KEY`) where SQLite has no code. Messages contain neither keys nor stored values.
 *
 * @example
 * ```js
 * try {
 *   insert.run('joey')
 * } catch (error) {
 *   if (!(error instanceof SqliteError) || error.code !== 'SQLITE_CONSTRAINT_UNIQUE') throw error
 * }
 * ```
 */
export class SqliteError extends Error {
  /**
   * The error's code. Unlike the message, a code never changes between versions. {@link SqliteErrorCode} lists the
   * codes.
   */
  readonly code: ErrorCode
  /**
   * The error that caused this error, if any: a `SqliteError` of SQLite or zstd, or an `Error` of the operating system
   * or a library.
   *
   * An error of the operating system has Node's `code` (`ENOENT`) and `errno`, except on Windows.
   */
  declare readonly cause?: Error & { readonly code?: string; readonly errno?: number }

  /**
   * The recovery code of an error with the code `STRONGROOM_HEADER_UNVERIFIED`, if the call generated the code: the code
   * may open the file. The property is not enumerable, so logs of the error do not show the code.
   */
  declare readonly recoveryCode?: string

  constructor(message: string, code: ErrorCode, options?: { cause?: Error }) {
    if (typeof code !== 'string') throw argumentType('"code" must be a string')
    super(message, options)
    this.code = code
  }
}
Object.defineProperty(SqliteError.prototype, 'name', {
  value: 'SqliteError',
  writable: true,
  configurable: true,
})

/** A TypeError for an argument of the wrong type. */
export function argumentType(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' })
}

/** A TypeError for an argument of the right type with an invalid value. */
export function argumentValue(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_VALUE' })
}

/** A RangeError for an argument out of range. */
export function outOfRange(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' })
}

/** The TypeError for a call on a closed database. */
export function closed(): TypeError {
  return Object.assign(new TypeError('The database connection is not open'), { code: 'STRONGROOM_CLOSED' })
}

/** The TypeError for a call while another call is running. */
export function busy(what: 'This database connection' | 'This statement' = 'This database connection'): TypeError {
  return Object.assign(new TypeError(`${what} is busy executing a query`), { code: 'STRONGROOM_BUSY' })
}

/** The message of the TypeError for `get`, `all` and `iterate` of a statement that returns no rows. */
export const NO_ROWS = 'This statement does not return data. Use run() instead'

/** The prefix that the addon adds to the codes of its own errors. */
const MARK = 'strongroom:'

/** Turns an error of the addon into the error that the caller sees. Any other error passes unchanged. */
export function fromNative(error: unknown): unknown {
  // A test runner may load this module in its own context, while the addon throws the Error of Node's main context.
  if (!types.isNativeError(error)) return error
  const { code, causes = [] } = error as { code?: unknown; causes?: readonly NativeCause[] }
  if (typeof code !== 'string') return error
  // napi reports this status for a panic and for a failed Node-API call.
  if (code === 'GenericFailure')
    return new SqliteError(`internal error, please report it: ${error.message}`, 'STRONGROOM_INTERNAL')
  switch (code) {
    case `${MARK}STRONGROOM_CLOSED`:
      return closed()
    case `${MARK}STRONGROOM_BUSY`:
      return busy()
    case `${MARK}STRONGROOM_NO_COLUMNS`:
      return argumentType(NO_ROWS)
    case `${MARK}STRONGROOM_NO_STATEMENT`:
    case `${MARK}STRONGROOM_MULTIPLE_STATEMENTS`:
      return Object.assign(new RangeError(error.message), { code: code.slice(MARK.length) })
  }
  if (!code.startsWith(MARK)) return error
  return [{ code: code.slice(MARK.length), message: error.message }, ...causes].reduceRight(withCause, undefined)
}

function withCause(cause: Error | undefined, { code, errno, message }: NativeCause): Error {
  const options = cause && { cause }
  if (code !== undefined) return new SqliteError(message, code, options)
  const error = new Error(message, options)
  // The `errno` of Node's own errors is negative.
  return errno === undefined ? error : Object.assign(error, { errno: -errno, code: getSystemErrorName(-errno) })
}
