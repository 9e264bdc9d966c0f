import { constants } from 'node:os'

/** The error of a command that a person or the system has cancelled. */
export class Interrupted extends Error {
  readonly code = 'STRONGROOM_CANCELLED'

  /** @param exit - the exit code, as a shell reports the signal */
  constructor(
    message: string,
    readonly exit: number = 128 + constants.signals.SIGINT,
    options?: { cause?: Error },
  ) {
    super(message, options)
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

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
    exit = 128 + constants.signals[signal]
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
