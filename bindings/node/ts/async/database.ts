import type { AggregateOptions } from '../api/aggregate'
import type { BackupMetadata } from '../api/backup'
import type { CheckResult } from '../api/check'
import { argumentType } from '../api/errors'
import type { RegistrationOptions } from '../api/function'
import type { KeyOptions } from '../api/key'
import { enumerable, uncloneable } from '../api/objects'
import type { VirtualTableOptions } from '../api/table'
import { callbackArgument, signalOf } from './arguments'
import { mainThread } from './errors'
import type { AsyncBackupOptions, AsyncCheckOptions, AsyncRekeyOptions, CallOptions } from './options'
import { AsyncSnapshot } from './reading'
import { DatabaseScope, SCOPE } from './scope'
import { Session } from './session'
import { SnapshotScope } from './snapshot-scope'
import { Writing } from './writing'

/** Modules that few programs use. The first use loads each module, so that the package loads faster. */
const lazy = {
  backup: (): typeof import('./backup') => require('./backup'),
  maintenance: (): typeof import('./maintenance') => require('./maintenance'),
}

/** Closes the databases that the garbage collector finds unreferenced. */
const abandoned = new FinalizationRegistry<Session>((session) => void session.close().catch(() => {}))

/**
 * A database whose SQL runs on threads of its own, so that no query blocks the event loop.
 *
 * `open` opens a database. The page docs/async.md states the order in which calls run.
 *
 * @example
 * ```js
 * await using db = await open('app.db', { passphrase, readers: 2 })
 * const user = await db.get('SELECT * FROM user WHERE id = ?', [id], { signal })
 * ```
 */
export class AsyncDatabase extends Writing {
  /** The path that `open` got, or `:memory:` for an image. */
  declare readonly name: string
  /** `true` if the database is in memory. `close` then frees it. */
  declare readonly memory: boolean
  /** `true` if the database was opened with `readonly`. */
  declare readonly readonly: boolean
  /** The format in which the database is stored: `plain` (without encryption), `sqlcipher` or `strongroom`. */
  declare readonly format: 'plain' | 'sqlcipher' | 'strongroom'
  /** `true` until `close` is called. */
  declare readonly open: boolean
  /** The number of open reading connections. */
  declare readonly readers: number

  /** @internal */
  constructor(session: Session) {
    if (!(session instanceof Session))
      throw argumentType('AsyncDatabase has no public constructor: call open() of strongroom/async')
    super((owner) => new DatabaseScope(session, owner))
    Object.defineProperties(this, {
      name: { get: () => session.name, enumerable: true },
      open: { get: () => session.open, enumerable: true },
      readonly: { get: () => session.readonly, enumerable: true },
      memory: { get: () => session.memory, enumerable: true },
      format: { get: () => session.format, enumerable: true },
      readers: { get: () => (session.open ? session.readers.open : 0), enumerable: true },
    })
    uncloneable(this)
    abandoned.register(this, session, session)
  }

  /**
   * Runs a callback whose queries all see the same state of the database.
   *
   * The snapshot holds a reader, so that writes continue. A database with one connection runs no other call meanwhile.
   *
   * @returns the value of the callback
   * @example
   * ```js
   * const [count, rows] = await db.read(async (snapshot) => [
   *   await snapshot.get('SELECT count(*) AS rows FROM event'),
   *   await snapshot.all('SELECT * FROM event LIMIT 10'),
   * ])
   * ```
   */
  read<T>(work: (snapshot: AsyncSnapshot) => T | PromiseLike<T>, options?: CallOptions | null): Promise<T> {
    const outer = this[SCOPE]
    try {
      const callback = callbackArgument(work)
      const signal = signalOf(options, 'second')
      outer.ready()
      const scope = new SnapshotScope({
        outer,
        signal,
        method: AsyncDatabase.prototype.read,
        work: (scope) => callback(new AsyncSnapshot(() => scope)),
      })
      return scope.run() as Promise<T>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Copies the database into a file while the database is in use, as `backup` of the synchronous class does.
   *
   * With readers, the copy is the state of the moment at which the backup begins.
   */
  backup(path: string, options?: AsyncBackupOptions | null): Promise<BackupMetadata> {
    return lazy.backup().backup(this[SCOPE], path, options, AsyncDatabase.prototype.backup)
  }

  /** Verifies the file, as `check` of the synchronous class does. */
  check(options?: AsyncCheckOptions | null): Promise<CheckResult> {
    return lazy.maintenance().check(this[SCOPE], options, AsyncDatabase.prototype.check)
  }

  /** Changes the key, as `rekey` of the synchronous class does. */
  rekey(to: KeyOptions, options?: AsyncRekeyOptions | null): Promise<void> {
    return lazy.maintenance().rekey(this[SCOPE], to, options, AsyncDatabase.prototype.rekey)
  }

  /** Sets whether later calls, and statements prepared later, return INTEGER values as bigints. */
  defaultSafeIntegers(toggle = true): this {
    if (typeof toggle !== 'boolean') throw argumentType('Expected first argument to be a boolean')
    this[SCOPE].session.bigints = toggle
    return this
  }

  /**
   * Not available: JavaScript functions run on the main thread.
   *
   * @throws {SqliteError} `STRONGROOM_MAIN_THREAD`
   */
  // biome-ignore lint/suspicious/noExplicitAny: the types of the arguments are the caller's
  function(_name: string, _options: RegistrationOptions | ((...values: any[]) => unknown), _callback?: unknown): never {
    throw mainThread('function()')
  }

  /**
   * Not available: JavaScript functions run on the main thread.
   *
   * @throws {SqliteError} `STRONGROOM_MAIN_THREAD`
   */
  aggregate<T>(_name: string, _options: AggregateOptions<T>): never {
    throw mainThread('aggregate()')
  }

  /**
   * Not available: JavaScript functions run on the main thread.
   *
   * @throws {SqliteError} `STRONGROOM_MAIN_THREAD`
   */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  table(_name: string, _definition: VirtualTableOptions | ((...words: any[]) => VirtualTableOptions)): never {
    throw mainThread('table()')
  }

  /**
   * Closes the database. Statements that run finish. Calls that wait reject with `STRONGROOM_CLOSED`, and an open
   * transaction is rolled back. A second call returns the same promise.
   */
  close(): Promise<void> {
    const scope = this[SCOPE]
    const { session } = scope
    if (session.open) {
      try {
        scope.ready()
      } catch (error) {
        return Promise.reject(error)
      }
    }
    abandoned.unregister(session)
    return session.close()
  }

  /** Closes the database. `await using` calls this method at the end of its block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
enumerable(AsyncDatabase.prototype)
Object.defineProperty(AsyncDatabase.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value: shown,
  configurable: true,
})

/** Returns the object that `console.log` prints for a database: its properties and their values. */
function shown(this: AsyncDatabase): object {
  const { name, open, readonly, memory, format, readers } = this
  // `inspect` prints the name of an object's constructor. Returning an AsyncDatabase would recurse.
  const Shown = { AsyncDatabase: class {} }.AsyncDatabase
  return Object.assign(new Shown(), { name, open, readonly, memory, format, readers })
}
