import { type CheckResult, checkRequest, checkResult } from '../api/check'
import { SqliteError } from '../api/errors'
import { wipe } from '../api/key'
import { rekeyRequest, tooLate } from '../api/rekey'
import type { NativeCheckReport, NativePageProgress } from '../load/native'
import { signalOption } from './arguments'
import { Call } from './call'
import { presentContext } from './context'
import { VALUE } from './hub'
import type { Scope } from './scope'

/** Checks a database on a thread. */
export async function check(scope: Scope, options: unknown, method: unknown): Promise<CheckResult> {
  const call = new Call(scope, VALUE, method)
  const { attached, progress } = checkRequest(options, ['signal'])
  const { native } = scope.session
  call.shared = true
  call.reads = attached === 'main'
  call.send = (lane, ticket) => native.check(lane, ticket, attached)
  const report = (checkedPages: number, totalPages: number): unknown => progress?.({ checkedPages, totalPages })
  const result = await finished(call, options, report, 'the check was cancelled')
  return checkResult(result as NativeCheckReport)
}

/** Changes the key of a database on the writer's thread, while no reader is open. */
export async function rekey(scope: Scope, to: unknown, options: unknown, method: unknown): Promise<void> {
  const call = new Call(scope, VALUE, method)
  const { attached, progress, key } = rekeyRequest(to, options, ['signal'])
  const { native } = scope.session
  call.alone = true
  call.send = (_, ticket) => native.rekey(ticket, attached, key)
  let thrown: { error: unknown } | undefined
  const report = (done: number, total: number): unknown => {
    try {
      return progress?.({ done, total })
    } catch (error) {
      thrown = { error }
      return false
    }
  }
  try {
    await finished(call, options, report, 'the rekey was cancelled')
  } catch (error) {
    throw thrown === undefined || (error as { code?: unknown }).code !== 'STRONGROOM_CANCELLED' ? error : thrown.error
  } finally {
    wipe(key)
  }
  if (thrown !== undefined) throw tooLate((thrown as { error: unknown }).error)
}

/** Runs a call with a progress function, which returns false to cancel the call. */
async function finished(
  call: Call,
  options: unknown,
  report: (done: number, total: number) => unknown,
  cancelled: string,
): Promise<unknown> {
  const { scope } = call
  let thrown: { error: unknown } | undefined
  let stopped = false
  call.signal = signalOption((options ?? {}) as Record<string, unknown>)
  const inContext = presentContext()
  call.progress = (value) => {
    if (stopped) return
    const { done, total } = value as NativePageProgress
    try {
      stopped = inContext(() => report(done, total)) === false
    } catch (error) {
      thrown = { error }
      stopped = true
    }
    if (stopped) scope.session.native.cancel(call.ticket)
  }
  scope.ready()
  call.begin()
  try {
    const value = await call.promise
    if (thrown !== undefined) throw (thrown as { error: unknown }).error
    return value
  } catch (error) {
    if (thrown !== undefined) throw (thrown as { error: unknown }).error
    if (stopped && (error as { code?: unknown }).code === 'SQLITE_INTERRUPT')
      throw new SqliteError(cancelled, 'STRONGROOM_CANCELLED')
    throw error
  }
}
