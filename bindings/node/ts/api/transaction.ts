import { types } from 'node:util'
import { argumentType } from './errors'
import type { Session } from './session'

/** The SQL of a variant, which decides when the transaction takes its locks. */
type Begin = 'BEGIN' | 'BEGIN DEFERRED' | 'BEGIN IMMEDIATE' | 'BEGIN EXCLUSIVE'

/** A function that a transaction wraps. */
// biome-ignore lint/suspicious/noExplicitAny: the parameters of a function without annotations are then any, as everywhere
export type Work = (...args: any[]) => unknown

/**
 * The arguments of a function. TypeScript's `Parameters` is another type while `F` is unknown, and libraries that are typed
 * for better-sqlite3 (drizzle-orm) would refuse a database.
 */
type ArgumentsOf<F extends Work> = F extends (...args: infer Arguments) => unknown ? Arguments : never

/**
 * A function that runs in a transaction: committed when the function returns, rolled back when it throws.
 *
 * Inside another transaction, every variant is a savepoint.
 *
 * @typeParam Owner - the class of the database
 */
export interface Transaction<Owner, F extends Work> {
  (...args: ArgumentsOf<F>): ReturnType<F>
  /** The same with plain `BEGIN`. */
  default(...args: ArgumentsOf<F>): ReturnType<F>
  /** The same with `BEGIN DEFERRED`: the first statement that needs a lock takes it. */
  deferred(...args: ArgumentsOf<F>): ReturnType<F>
  /** The same with `BEGIN IMMEDIATE`: other connections cannot write from the start. */
  immediate(...args: ArgumentsOf<F>): ReturnType<F>
  /** The same with `BEGIN EXCLUSIVE`: other connections cannot read either, except in WAL mode. */
  exclusive(...args: ArgumentsOf<F>): ReturnType<F>
  /** The database of the transaction. */
  readonly database: Owner
}

/** Wraps `work` in its four variants. */
export function transaction<Owner, F extends Work>(database: Owner, session: Session, work: F): Transaction<Owner, F> {
  if (typeof work !== 'function') throw argumentType('Expected first argument to be a function')
  session.ready()
  if (types.isGeneratorFunction(work))
    throw argumentType('a transaction cannot be a generator: the commit would come before its first step')
  if (types.isAsyncFunction(work))
    throw argumentType('a transaction cannot be async: the commit would come before its first await returns')
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
      // SQLite rolls back after some errors (a full disk, RAISE(ROLLBACK)), and close() does. A rollback here would then
      // undo an outer savepoint, which has the same name.
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
