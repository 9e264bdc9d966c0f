import { asyncOpenRequest } from './arguments'
import { AsyncDatabase } from './database'
import type { OpenOptions } from './options'
import { Session } from './session'
import { unwatch, watch } from './signal'
import { captureCaller, located } from './stack'

/**
 * Opens a database, and creates the file if it does not exist. Each connection has a thread of its own.
 *
 * The options are those of the synchronous class without `verbose`, and those of {@link OpenOptions}. A passphrase is
 * derived once, off the main thread.
 *
 * @param path - the file; `:memory:`, an empty string or nothing for an in-memory database; or the bytes of a database
 * file
 * @throws {SqliteError} as the constructor of the synchronous class does; `STRONGROOM_MAIN_THREAD` for `verbose`.
 * @throws {TypeError} and {RangeError} for invalid arguments. All errors are rejections.
 */
export async function open(path?: string | Uint8Array | null, options?: OpenOptions | null): Promise<AsyncDatabase> {
  const caller: { readonly stack?: string } = {}
  captureCaller(caller, open)
  const { request, signal } = asyncOpenRequest(path, options)
  if (signal?.aborted) throw signal.reason
  const opening = Session.open(request).catch((error: unknown) => {
    throw located(error, caller.stack)
  })
  return new AsyncDatabase(await (signal === undefined ? opening : untilAborted(opening, signal)))
}

/** Rejects as soon as the signal aborts. A session that opens later is closed. */
function untilAborted(opening: Promise<Session>, signal: AbortSignal): Promise<Session> {
  return new Promise((resolve, reject) => {
    const call = {
      abort(reason: unknown): void {
        reject(reason)
        opening.then((session) => session.close()).catch(() => {})
      },
    }
    watch(signal, call)
    opening.then(resolve, reject).finally(() => unwatch(signal, call))
  })
}
