import type { Shape } from '../api/build-row'
import { signalOf } from './arguments'
import { Call } from './call'
import { BIGINTS, ONLY_FIRST, PREPARE, RUN } from './hub'
import { Iteration } from './iteration'
import { AsyncRowIterator } from './iterator'
import { checkSql, take } from './parameters'
import type { Scope } from './scope'
import { Sql } from './sql'
import { located } from './stack'

/** The form in which a call returns rows. */
export interface Form {
  readonly shape: Shape
  readonly bigints: boolean
}

/** The method that runs SQL. */
interface Query {
  readonly kind: number
  /** The public method. The stack of an error ends in its caller. */
  readonly method: unknown
  /** The position of `options` among the arguments. */
  readonly position: 'first' | 'second' | 'third'
}

/** Runs SQL. Returns a promise of the result, also for invalid arguments. */
export function run(
  scope: Scope,
  { kind, method, position }: Query,
  text: unknown,
  parameters: unknown,
  options: unknown,
  form?: Form,
): Promise<unknown> {
  const call = new Call(scope, kind, method)
  try {
    const sql = sqlOf(scope, text)
    call.sql = sql
    call.reads = sql.reads && kind !== RUN
    call.shared = call.reads
    call.alone = sql.solo
    if (form === undefined) {
      if (scope.session.bigints) call.flags |= BIGINTS
    } else {
      call.shape = form.shape
      if (form.bigints) call.flags |= BIGINTS
      if (form.shape === 'value') call.flags |= ONLY_FIRST
    }
    if (options !== undefined) call.signal = signalOf(options, position)
    try {
      take(call, scope.session.hub.calls, sql, parameters)
    } catch (error) {
      refused(scope, sql, error, call).catch(call.reject)
      return call.promise
    }
    call.begin()
  } catch (error) {
    call.reject(error)
  }
  return call.promise
}

/** Runs SQL without parameters: `exec`, `prepare` and `pragma`. `configure` checks the other arguments. */
export function runText(
  scope: Scope,
  kind: number,
  method: unknown,
  text: unknown,
  configure: (call: Call) => void,
): Call {
  const call = new Call(scope, kind, method)
  try {
    checkSql(text)
    configure(call)
    const sql = sqlOf(scope, text)
    call.sql = sql
    call.reads = kind === PREPARE && sql.reads
    call.shared = kind === PREPARE
    call.alone = sql.solo && kind !== PREPARE
    call.begin()
  } catch (error) {
    call.reject(error)
  }
  return call
}

/** Returns an iterator of the rows. Invalid arguments reject the first call of `next`. */
export function iterate<Row>(
  scope: Scope,
  { method, position }: Omit<Query, 'kind'>,
  text: unknown,
  parameters: unknown,
  options: unknown,
  form?: Form,
): AsyncRowIterator<Row> {
  const { shape, bigints } = form ?? { shape: 'object', bigints: scope.session.bigints }
  let sql: Sql
  let iteration: Iteration
  try {
    sql = sqlOf(scope, text)
    iteration = new Iteration(scope, { sql, shape, bigints, signal: signalOf(options, position), method })
  } catch (error) {
    return new AsyncRowIterator(() => Promise.reject(error))
  }
  try {
    take(iteration.cursor, scope.session.hub.calls, sql, parameters)
    iteration.cursor.keep()
  } catch (error) {
    return new AsyncRowIterator(() => refused(scope, sql, error, iteration.cursor))
  }
  return new AsyncRowIterator<Row>(iteration)
}

/** Returns the description of SQL that may run now. */
function sqlOf(scope: Scope, text: unknown): Sql {
  if (text instanceof Sql) {
    scope.ready()
    return text
  }
  checkSql(text)
  scope.ready()
  return scope.session.sqls.get(text)
}

/**
 * Rejects with the error of a call whose parameters do not fit, or with the error of its SQL: if both are invalid, the
 * error of the SQL comes first, as in the synchronous class.
 */
async function refused(scope: Scope, sql: Sql, error: unknown, caller: { readonly stack?: string }): Promise<never> {
  const call = new Call(scope, PREPARE, undefined)
  call.sql = sql
  call.reads = sql.reads
  call.shared = true
  try {
    call.begin()
    await call.promise
  } catch (sqlError) {
    throw located(sqlError, caller.stack)
  }
  throw error
}
