import type { Session } from './session'

/**
 * Runs a job of the writer while no reader is open. The caller is an entry of the session's line that has started.
 *
 * Rejects with the error of the job, or if an `iterate` or `read` keeps its reader longer than `timeout`.
 */
export async function alone(session: Session, owner: object, job: () => Promise<unknown>): Promise<unknown> {
  const { line, readers } = session
  line.take(owner)
  try {
    await readers.stop(session.timeout)
    return await job()
  } finally {
    if (session.open) await session.openReaders()
    line.release(owner)
  }
}
