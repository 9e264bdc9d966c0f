import { type BackupMetadata, type BackupRequest, backupRequest, copyPages } from '../api/backup'
import { wipe } from '../api/key'
import type { NativeBackupProgress } from '../load/native'
import { signalOption } from './arguments'
import { Call } from './call'
import { presentContext } from './context'
import { PREPARE, VALUE } from './hub'
import { Request } from './request'
import type { Scope } from './scope'
import { SnapshotScope } from './snapshot-scope'
import { captureCaller, located } from './stack'

/** Copies a database into a file: on a reader, whose snapshot the copy is, or step by step on the writer. */
export async function backup(outer: Scope, path: unknown, options: unknown, method: unknown): Promise<BackupMetadata> {
  const caller: { stack?: string } = {}
  captureCaller(caller, method)
  const request = backupRequest(path, options, ['signal'])
  try {
    const signal = signalOption((options ?? {}) as Record<string, unknown>)
    outer.ready()
    if (signal?.aborted) throw signal.reason
    if (!outer.session.readers.serving || request.schema !== 'main') return await copy(outer, request, signal)
    const scope = new SnapshotScope({
      outer,
      signal,
      method,
      internal: true,
      work: (scope) => copy(scope, request, signal),
    })
    return (await scope.run()) as BackupMetadata
  } catch (error) {
    throw error === (options as { signal?: AbortSignal } | null | undefined)?.signal?.reason
      ? error
      : located(error, caller.stack)
  } finally {
    wipe(request.key)
  }
}

/** Copies the pages in a scope, and completes the copy on a thread of its own. */
async function copy(scope: Scope, request: BackupRequest, signal: AbortSignal | undefined): Promise<BackupMetadata> {
  const { session } = scope
  const { native } = session
  const { schema, path, key, plain, report } = request
  let lane: number | undefined
  let last: Call | undefined
  let completed: Promise<void> | undefined
  // The addon knows a backup by the ticket of its first job.
  const series = session.hub.unanswered()
  const job = (
    send: (lane: number, ticket: number) => void,
    progress?: (value: unknown) => void,
    onLeft?: () => void,
  ): Call => {
    const call = new Call(scope, VALUE, undefined)
    call.onLeft = onLeft
    call.shared = true
    call.signal = signal
    call.progress = progress
    call.series = series
    call.send = (to, number) => {
      lane = to
      send(to, number)
    }
    call.begin()
    last = call
    return call
  }
  try {
    const target = key === undefined ? { schema, path, plain } : { schema, path, plain, key }
    await job((lane, number) => native.backup(lane, number, target)).promise
    const copied = await copyPages(
      async (pages) =>
        (await job((lane, number) => native.backupStep(lane, number, pages)).promise) as NativeBackupProgress,
      report,
    )
    let thrown: { error: unknown } | undefined
    const inContext = presentContext()
    let left = (): void => {}
    const hasLeft = new Promise<void>((resolve) => (left = resolve))
    const completion = job(
      (lane, number) => native.backupComplete(lane, number),
      (value) => {
        const state = value as NativeBackupProgress
        if (thrown !== undefined || state.remainingPages === report.last?.remainingPages) return
        try {
          inContext(() => report.call(state))
        } catch (error) {
          thrown = { error }
          native.cancel(completion.ticket)
        }
      },
      left,
    )
    completed = hasLeft
    try {
      await completion.promise
    } catch (error) {
      throw thrown === undefined ? error : thrown.error
    }
    if (thrown !== undefined) throw (thrown as { error: unknown }).error
    return { totalPages: report.last?.totalPages ?? copied.totalPages, remainingPages: 0 }
  } catch (error) {
    // The completion runs on a thread of its own, which removes its files before it replies.
    await completed
    if (lane !== undefined) await ended(scope, lane, series)
    throw error
  } finally {
    // The last call may have rejected before its reply, which it must get: it then forgets the ticket itself.
    if (last === undefined || last.hasLeft) session.hub.forget(series)
    else last.series = 0
  }
}

/** Drops a backup, and waits until its files are removed. */
async function ended({ session }: Scope, lane: number, series: number): Promise<void> {
  const { hub, native, handle, sqls } = session
  try {
    native.backupEnd(lane, series)
    const sql = sqls.get('SELECT 1')
    await Request.reply(hub, session, (ticket) => hub.submit(handle, lane, ticket, PREPARE, 0, sql.handle))
  } catch {
    // The database is closed.
  }
}
