import { closed, SqliteError } from '../api/errors'

/** The error for a call beyond the limit `maxQueue`. */
export function queueFull(limit: number): SqliteError {
  return new SqliteError(
    `${limit} calls of this database wait or run, which is the limit "maxQueue": await earlier calls, or pass a higher ` +
      '"maxQueue" to open()',
    'STRONGROOM_QUEUE_FULL',
  )
}

/** The error for a call on an outer object inside the callback of a transaction or of `read`. */
export function outerCall(inside: 'transaction' | 'read'): SqliteError {
  return new SqliteError(
    inside === 'transaction'
      ? 'a call inside a transaction would wait for the end of the transaction: call tx.run, not db.run, inside a transaction'
      : 'a call inside the callback of read() must use its argument: call snapshot.get, not db.get',
    'STRONGROOM_IN_TRANSACTION',
  )
}

/** The error for SQL that begins or ends a transaction inside `transaction`. */
export function ownBounds(): SqliteError {
  return new SqliteError(
    'BEGIN, COMMIT, END and ROLLBACK are not possible inside transaction(): return from the callback to commit, throw ' +
      'to roll back, and use tx.transaction() for a nested transaction',
    'STRONGROOM_IN_TRANSACTION',
  )
}

/** The error for a call of a transaction or snapshot that has ended. */
export function transactionEnded(what: 'transaction' | 'read' = 'transaction', cause?: unknown): SqliteError {
  return new SqliteError(
    what === 'transaction'
      ? 'the transaction has ended: await every call of tx inside the callback'
      : 'the snapshot has ended: await every call inside the callback of read()',
    'STRONGROOM_TRANSACTION_ENDED',
    cause instanceof Error ? { cause } : undefined,
  )
}

/** The error of a transaction that SQLite has ended. */
export function rolledBack(): SqliteError {
  return new SqliteError(
    'SQLite or the SQL of a call has ended the transaction before its callback returned',
    'STRONGROOM_TRANSACTION_ENDED',
  )
}

/** The error for JavaScript that SQL would call. */
export function mainThread(what: string): SqliteError {
  return new SqliteError(
    `${what} is not available: JavaScript functions run on the main thread: use the synchronous class`,
    'STRONGROOM_MAIN_THREAD',
  )
}

/** The TypeError for a write while an `iterate` of the same connection is open. */
export function iterateOpen(): TypeError {
  return busyWith(
    'an iterate() on the same connection is open, and nothing can write until it ends: read with all(), end the ' +
      'iterate() first, or use WAL',
  )
}

/** The TypeError for a read that waits for a reader longer than `timeout`. */
export function readersHeld(): TypeError {
  return busyWith(
    'open iterate() and read() calls hold every reader: end one of them, read with all(), or pass a higher "readers" ' +
      'to open()',
  )
}

function busyWith(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'STRONGROOM_BUSY' })
}

/**
 * The reason for which calls end before their time: an error of Strongroom, made anew for each call, or the reason of a
 * signal, which is passed on unchanged.
 */
export type Ending = { readonly make: () => Error } | { readonly reason: unknown }

/** The end of the calls of a database that closes. */
export const CLOSED: Ending = { make: closed }

/** Returns the error of one call. */
export function errorOf(ending: Ending): unknown {
  return 'make' in ending ? ending.make() : ending.reason
}

export { closed }
