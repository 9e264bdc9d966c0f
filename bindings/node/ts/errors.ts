import { types } from 'node:util'
import type { SqliteErrorCode } from './codes'

/**
 * What the database reports.
 *
 * `code` is SQLite's extended result code by name (`SQLITE_CONSTRAINT_UNIQUE`), or one of Strongroom's own where SQLite
 * has none (`STRONGROOM_WRONG_KEY`). Messages hold neither keys nor stored values.
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
  /** Which error it is; stable across versions, unlike the message. */
  readonly code: SqliteErrorCode

  constructor(message: string, code: SqliteErrorCode) {
    if (typeof code !== 'string') throw argumentType('"code" must be a string')
    super(message)
    this.code = code
  }
}
Object.defineProperty(SqliteError.prototype, 'name', {
  value: 'SqliteError',
  writable: true,
  configurable: true,
})

/** A TypeError for an argument of a wrong type. */
export function argumentType(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' })
}

/** A TypeError for an argument whose type is right, but that makes no sense. */
export function argumentValue(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_VALUE' })
}

/** A RangeError for an argument outside the range that its place takes. */
export function outOfRange(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' })
}

/** The TypeError for a call on a closed database. */
export function closed(): TypeError {
  return Object.assign(new TypeError('The database connection is not open'), { code: 'STRONGROOM_CLOSED' })
}

/** The TypeError for a call while another one is under way. */
export function busy(what: 'This database connection' | 'This statement' = 'This database connection'): TypeError {
  return Object.assign(new TypeError(`${what} is busy executing a query`), { code: 'STRONGROOM_BUSY' })
}

/** How the addon marks the codes that it throws itself. */
const MARK = 'strongroom:'

/** What the caller sees of an error that the addon threw; anything else passes as it is. */
export function fromNative(error: unknown): unknown {
  // The addon's errors are of Node's main context, this module may be in another, as test runners load it.
  if (!types.isNativeError(error)) return error
  const { code } = error as { code?: unknown }
  if (typeof code !== 'string') return error
  // napi's status for a panic, and for a Node-API call that failed.
  if (code === 'GenericFailure')
    return new SqliteError(`internal error, please report it: ${error.message}`, 'STRONGROOM_INTERNAL')
  switch (code) {
    case `${MARK}STRONGROOM_CLOSED`:
      return closed()
    case `${MARK}STRONGROOM_BUSY`:
      return busy()
  }
  if (!code.startsWith(MARK)) return error
  return new SqliteError(error.message, code.slice(MARK.length) as SqliteErrorCode)
}
