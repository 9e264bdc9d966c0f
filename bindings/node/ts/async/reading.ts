import { enumerable } from '../api/objects'
import type { Row } from '../api/values'
import type { NativePrepared } from '../load/native'
import { signalOf } from './arguments'
import { ALL, GET, PREPARE } from './hub'
import type { AsyncRowIterator } from './iterator'
import type { AsyncParameters, CallOptions } from './options'
import { iterate, run, runText } from './query'
import { SCOPE, type Scope } from './scope'
import { AsyncStatement } from './statement'

/** The methods that read: of a database, a transaction and a snapshot. */
export abstract class Reading {
  /** @internal */
  declare readonly [SCOPE]: Scope

  /** @internal */
  constructor(scope: (owner: object) => Scope) {
    Object.defineProperty(this, SCOPE, { value: scope(this) })
  }

  /**
   * Returns the first row, or undefined.
   *
   * @param sql - exactly one SQL statement
   * @typeParam Result - the type of a row, which is not checked
   * @example
   * ```js
   * const user = await db.get('SELECT * FROM user WHERE id = ?', [id], { signal })
   * ```
   */
  get<Result = Row>(
    sql: string,
    params?: AsyncParameters | null,
    options?: CallOptions | null,
  ): Promise<Result | undefined> {
    return run(this[SCOPE], GET_QUERY, sql, params, options) as Promise<Result | undefined>
  }

  /**
   * Returns every row.
   *
   * @param sql - exactly one SQL statement
   * @typeParam Result - the type of a row, which is not checked
   */
  all<Result = Row>(sql: string, params?: AsyncParameters | null, options?: CallOptions | null): Promise<Result[]> {
    return run(this[SCOPE], ALL_QUERY, sql, params, options) as Promise<Result[]>
  }

  /**
   * Returns an iterator of the rows, which holds at most 256 rows, or 1 MiB and one row.
   *
   * The statement starts with the first row that the loop asks for. Leaving the loop ends the statement. Invalid
   * arguments are errors of the first row.
   *
   * @param sql - exactly one SQL statement
   * @typeParam Result - the type of a row, which is not checked
   * @example
   * ```js
   * for await (const row of db.iterate('SELECT * FROM event ORDER BY at')) console.log(row.kind)
   * ```
   */
  iterate<Result = Row>(
    sql: string,
    params?: AsyncParameters | null,
    options?: CallOptions | null,
  ): AsyncRowIterator<Result> {
    return iterate<Result>(this[SCOPE], ITERATE_QUERY, sql, params, options)
  }

  /**
   * Compiles a statement, which can run any number of times.
   *
   * @param sql - exactly one SQL statement
   * @typeParam Parameters - the values of the statement's parameters
   * @typeParam Result - the type of a row, which is not checked: `unknown` requires a cast
   */
  prepare<Parameters extends AsyncParameters = AsyncParameters, Result = unknown>(
    sql: string,
    options?: CallOptions | null,
  ): Promise<AsyncStatement<Parameters, Result>> {
    const scope = this[SCOPE]
    const call = runText(scope, PREPARE, Reading.prototype.prepare, sql, (call) => {
      call.signal = signalOf(options, 'second')
      const { resolve } = call
      call.resolve = (facts) => resolve(new AsyncStatement(scope, scope.session.sqls.get(sql), facts as NativePrepared))
    })
    return call.promise as Promise<AsyncStatement<Parameters, Result>>
  }
}
enumerable(Reading.prototype)

const { prototype } = Reading
const GET_QUERY = { kind: GET, method: prototype.get, position: 'third' } as const
const ALL_QUERY = { kind: ALL, method: prototype.all, position: 'third' } as const
const ITERATE_QUERY = { method: prototype.iterate, position: 'third' } as const

/** The argument of the callback of {@link AsyncDatabase.read}: queries that all see one state of the database. */
export class AsyncSnapshot extends Reading {}
enumerable(AsyncSnapshot.prototype)
