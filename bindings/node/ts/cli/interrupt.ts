import { constants } from 'node:os'

/** The error of a command that a person or the system has cancelled. */
export class Interrupted extends Error {
  readonly code = 'STRONGROOM_CANCELLED'

  /** @param exit - the exit code, as a shell reports the signal */
  constructor(
    message: string,
    readonly exit: number = exitOf('SIGINT'),
    options?: { cause?: Error },
  ) {
    super(message, options)
  }
}

/** The signals that cancel a command. The terminal sends SIGHUP when its window is closed. */
export const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Returns the exit code of a command that a signal has ended, as a shell reports the signal. */
export function exitOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}

/**
 * Runs work that Ctrl+C cancels. A second Ctrl+C ends the process at once, which a conversion survives as it survives
 * a crash.
 *
 * @param what - the message about the cancelled work
 */
export async function interruptible<T>(what: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  let exit = 0
  const stop = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(exit)
    exit = exitOf(signal)
    controller.abort()
  }
  for (const name of SIGNALS) process.on(name, stop)
  try {
    return await work(controller.signal)
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (controller.signal.aborted && code === 'STRONGROOM_CANCELLED')
      throw new Interrupted(what, exit, error instanceof Error ? { cause: error } : undefined)
    throw error
  } finally {
    for (const name of SIGNALS) process.off(name, stop)
  }
}
