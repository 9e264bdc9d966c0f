import { enumerable } from '../api/objects'
import type { RunResult } from '../api/values'
import { callbackArgument, pragmaOptions, signalOf, transactionOptions } from './arguments'
import { ALL, ANY_COLUMNS, BIGINTS, EXEC, RUN } from './hub'
import type { AsyncParameters, AsyncPragmaOptions, CallOptions, TransactionOptions } from './options'
import { run, runText } from './query'
import { Reading } from './reading'
import { SCOPE } from './scope'
import { TransactionScope } from './transaction-scope'

/** The methods that may write: of a database and of a transaction. */
export abstract class Writing extends Reading {
  /**
   * Runs a statement to its end.
   *
   * @param sql - exactly one SQL statement
   * @example
   * ```js
   * const { changes, lastInsertRowid } = await db.run('INSERT INTO event (kind) VALUES (?)', ['login'])
   * ```
   */
  run(sql: string, params?: AsyncParameters | null, options?: CallOptions | null): Promise<RunResult> {
    return run(this[SCOPE], RUN_QUERY, sql, params, options) as Promise<RunResult>
  }

  /**
   * Runs every statement in `sql` up to the first statement that fails. The statements have no parameters, and their
   * rows are discarded.
   */
  exec(sql: string, options?: CallOptions | null): Promise<void> {
    const call = runText(this[SCOPE], EXEC, Writing.prototype.exec, sql, (call) => {
      call.signal = signalOf(options, 'second')
    })
    return call.promise as Promise<void>
  }

  /**
   * Runs a PRAGMA, and returns its rows. With `simple`, returns only the first value of the first row.
   *
   * @param source - the text after the word PRAGMA
   * @example
   * ```js
   * await db.pragma('journal_mode = WAL')
   * const version = await db.pragma('user_version', { simple: true })
   * ```
   */
  pragma(source: string, options?: AsyncPragmaOptions | null): Promise<unknown> {
    const text: unknown = typeof source === 'string' ? `PRAGMA ${source}` : source
    const call = runText(this[SCOPE], ALL, Writing.prototype.pragma, text, (call) => {
      const { simple, signal } = pragmaOptions(options)
      call.signal = signal
      call.flags |= ANY_COLUMNS | (this[SCOPE].session.bigints ? BIGINTS : 0)
      if (simple) call.first()
    })
    return call.promise
  }

  /**
   * Runs a callback in a transaction. The transaction commits when the callback's promise resolves, and rolls back when
   * the promise rejects.
   *
   * The transaction owns the writing connection: other writes wait for its end. Inside the callback, call the methods of
   * `tx`. `tx.transaction` is a nested transaction.
   *
   * @returns the value of the callback
   * @throws {SqliteError} `SQLITE_BUSY` if another process holds the lock for longer than `timeout`;
   * `STRONGROOM_TRANSACTION_ENDED` if SQLite has ended the transaction before the callback returned.
   * @example
   * ```js
   * await db.transaction(async (tx) => {
   *   const { lastInsertRowid } = await tx.run('INSERT INTO event (kind) VALUES (?)', ['login'])
   *   await tx.run('UPDATE user SET last = ? WHERE id = ?', [lastInsertRowid, id])
   * })
   * ```
   */
  transaction<T>(work: (tx: AsyncTransaction) => T | PromiseLike<T>, options?: TransactionOptions | null): Promise<T> {
    const outer = this[SCOPE]
    try {
      const callback = callbackArgument(work)
      const { behavior, signal } = transactionOptions(options)
      outer.ready()
      const scope = new TransactionScope(
        {
          outer,
          signal,
          method: Writing.prototype.transaction,
          work: (scope) => callback(new AsyncTransaction(() => scope)),
        },
        behavior ?? (outer.session.readonly ? 'deferred' : 'immediate'),
      )
      return scope.run() as Promise<T>
    } catch (error) {
      return Promise.reject(error)
    }
  }
}
enumerable(Writing.prototype)

const RUN_QUERY = { kind: RUN, method: Writing.prototype.run, position: 'third' } as const

/** The argument of the callback of `transaction`: runs SQL inside the transaction. */
export class AsyncTransaction extends Writing {}
enumerable(AsyncTransaction.prototype)
