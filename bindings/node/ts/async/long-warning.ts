import { framesOf } from './stack'

/** A warning that is emitted unless it is stopped in time. */
export interface LongWarning {
  stop(): void
}

/**
 * Emits a process warning if a transaction or a snapshot stays open for longer than `limit` milliseconds; 0: never.
 *
 * @param stack - the stack of the call that began it
 */
export function warnIfLong(
  kind: 'transaction' | 'read',
  limit: number,
  stack: string | undefined,
): LongWarning | undefined {
  if (limit === 0) return undefined
  const timer = setTimeout(() => {
    const what =
      kind === 'transaction' ? 'A transaction is open for more than' : 'A read() keeps its snapshot for more than'
    const effect = kind === 'transaction' ? 'other writes wait for its end' : 'the log cannot be shortened meanwhile'
    process.emitWarning(`${what} ${limit} ms: ${effect}`, {
      type: 'StrongroomWarning',
      code: 'STRONGROOM_LONG_TRANSACTION',
      detail: `It was begun here:${framesOf(stack ?? '')}`,
    })
  }, limit)
  timer.unref()
  return { stop: () => clearTimeout(timer) }
}
