import { types } from 'node:util'
import type { Database } from './database'
import { argumentType } from './errors'
import type { Session } from './session'

/** When a transaction takes its locks: at its first statement, at once for writing, or at once for itself alone. */
type Begin = 'BEGIN' | 'BEGIN DEFERRED' | 'BEGIN IMMEDIATE' | 'BEGIN EXCLUSIVE'

/**
 * A function that runs in a transaction: committed when it returns, rolled back when it throws.
 *
 * Called within another transaction it is a savepoint of that one, whatever its variant.
 */
export interface Transaction<F extends (...args: never[]) => unknown> {
  (this: ThisParameterType<F>, ...args: Parameters<F>): ReturnType<F>
  /** The same with plain `BEGIN`. */
  readonly default: Transaction<F>
  /** The same with `BEGIN DEFERRED`: locks are taken when the first statement needs them. */
  readonly deferred: Transaction<F>
  /** The same with `BEGIN IMMEDIATE`: no other connection can write from the start. */
  readonly immediate: Transaction<F>
  /** The same with `BEGIN EXCLUSIVE`: no other connection can read either, but in WAL mode. */
  readonly exclusive: Transaction<F>
  /** The database on which it runs. */
  readonly database: Database
}

/** Wraps `work` in its four variants. */
export function transaction<F extends (...args: never[]) => unknown>(
  database: Database,
  session: Session,
  work: F,
): Transaction<F> {
  if (typeof work !== 'function') throw argumentType('Expected first argument to be a function')
  if (types.isGeneratorFunction(work))
    throw argumentType('a transaction cannot be a generator: it would be committed before its first step has run')
  if (types.isAsyncFunction(work))
    throw argumentType('a transaction cannot be async: it would be committed before its first await has come back')
  const variants = {
    default: wrap(database, session, 'BEGIN', work),
    deferred: wrap(database, session, 'BEGIN DEFERRED', work),
    immediate: wrap(database, session, 'BEGIN IMMEDIATE', work),
    exclusive: wrap(database, session, 'BEGIN EXCLUSIVE', work),
  }
  for (const variant of Object.values(variants)) {
    Object.defineProperty(variant, 'database', { value: database, enumerable: true })
    for (const [name, value] of Object.entries(variants)) Object.defineProperty(variant, name, { value })
  }
  return variants.default as unknown as Transaction<F>
}

function wrap(database: Database, session: Session, begin: Begin, work: (...args: never[]) => unknown) {
  return function transaction(this: unknown, ...args: never[]): unknown {
    const nested = database.inTransaction
    session.control(nested ? 'SAVEPOINT strongroom' : begin)
    let ended = false
    try {
      session.report()
      const result = work.apply(this, args)
      if (isThenable(result)) throw argumentType('Transaction function cannot return a promise')
      session.control(nested ? 'RELEASE strongroom' : 'COMMIT')
      ended = true
      session.report()
      return result
    } catch (error) {
      // SQLite itself has rolled back after some errors (a full disk, RAISE(ROLLBACK)), and close() does. What has ended
      // must not be undone: an outer savepoint has the same name.
      if (!ended && session.open && database.inTransaction) undo(session, nested)
      throw error
    }
  }
}

function undo(session: Session, nested: boolean): void {
  if (nested) {
    session.control('ROLLBACK TO strongroom')
    session.control('RELEASE strongroom')
  } else {
    session.control('ROLLBACK')
  }
  session.reportAnyway()
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
