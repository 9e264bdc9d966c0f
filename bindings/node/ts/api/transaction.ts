import { types } from 'node:util'
import { argumentType } from './errors'
import type { Session } from './session'

/** The SQL of a variant, which decides when the transaction takes its locks. */
type Begin = 'BEGIN' | 'BEGIN DEFERRED' | 'BEGIN IMMEDIATE' | 'BEGIN EXCLUSIVE'

/** A function that a transaction wraps. */
// biome-ignore lint/suspicious/noExplicitAny: parameters without annotations then have the type any, as usual
export type Work = (...args: any[]) => unknown

/**
 * The arguments of a function. While `F` is unknown, TypeScript's `Parameters` is a different type, and libraries that
 * are typed for better-sqlite3 (drizzle-orm) would refuse a database.
 */
type ArgumentsOf<F extends Work> = F extends (...args: infer Arguments) => unknown ? Arguments : never

/**
 * A function that runs in a transaction. The transaction commits when the function returns, and rolls back when the
 * function throws.
 *
 * Inside another transaction, every variant is a savepoint.
 *
 * @typeParam Owner - the class of the database
 */
export interface Transaction<Owner, F extends Work> {
  (...args: ArgumentsOf<F>): ReturnType<F>
  /** Runs the function in a transaction that starts with plain `BEGIN`. */
  default(...args: ArgumentsOf<F>): ReturnType<F>
  /** Runs the function after `BEGIN DEFERRED`: the first statement that needs a lock takes the lock. */
  deferred(...args: ArgumentsOf<F>): ReturnType<F>
  /** Runs the function after `BEGIN IMMEDIATE`: from the start, other connections cannot write. */
  immediate(...args: ArgumentsOf<F>): ReturnType<F>
  /** Runs the function after `BEGIN EXCLUSIVE`: other connections cannot write, and can read only in WAL mode. */
  exclusive(...args: ArgumentsOf<F>): ReturnType<F>
  /** The database of the transaction. */
  readonly database: Owner
}

/** Wraps `work` in its four variants. */
export function transaction<Owner, F extends Work>(database: Owner, session: Session, work: F): Transaction<Owner, F> {
  if (typeof work !== 'function') throw argumentType('Expected first argument to be a function')
  session.ready()
  if (types.isGeneratorFunction(work))
    throw argumentType(
      'a transaction function cannot be a generator: the transaction would commit before the first step',
    )
  if (types.isAsyncFunction(work))
    throw argumentType(
      'a transaction function cannot be async: the transaction would commit before the first await returns',
    )
  const variants = {
    default: wrap(session, 'BEGIN', work),
    deferred: wrap(session, 'BEGIN DEFERRED', work),
    immediate: wrap(session, 'BEGIN IMMEDIATE', work),
    exclusive: wrap(session, 'BEGIN EXCLUSIVE', work),
  }
  for (const variant of Object.values(variants)) {
    Object.defineProperty(variant, 'database', { value: database, enumerable: true })
    for (const [name, value] of Object.entries(variants)) Object.defineProperty(variant, name, { value })
  }
  return variants.default as unknown as Transaction<Owner, F>
}

function wrap(session: Session, begin: Begin, work: Work) {
  return function transaction(this: unknown, ...args: unknown[]): unknown {
    const nested = session.inTransaction
    session.control(nested ? 'SAVEPOINT strongroom' : begin)
    let ended = false
    try {
      const result = work.apply(this, args)
      if (isThenable(result)) throw argumentType('Transaction function cannot return a promise')
      session.control(nested ? 'RELEASE strongroom' : 'COMMIT')
      ended = true
      return result
    } catch (error) {
      // close() and some errors of SQLite (a full disk, RAISE(ROLLBACK)) end the transaction. A rollback here would
      // then undo an outer savepoint, which has the same name.
      if (!ended && session.inTransaction) undo(session, nested)
      throw error
    }
  }
}

function undo(session: Session, nested: boolean): void {
  if (nested) session.undo('ROLLBACK TO strongroom', 'RELEASE strongroom')
  else session.undo('ROLLBACK')
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
