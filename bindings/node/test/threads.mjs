// The threads of this process, which Linux lists.
import { existsSync, readdirSync, readFileSync } from 'node:fs'

const TASKS = '/proc/self/task'

/** Returns the names of the threads of this process, or no name where the system does not list them. */
export function threads() {
  return existsSync(TASKS) ? readdirSync(TASKS).flatMap(nameOf) : []
}

/** Returns the names of the threads that Strongroom has started. */
export function ownThreads() {
  return threads().filter((name) => name.startsWith('strongroom'))
}

/** Returns the name of a thread, or nothing if the thread has ended in the meantime. */
function nameOf(id) {
  try {
    return [readFileSync(`${TASKS}/${id}/comm`, 'utf8').trim()]
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return []
    throw error
  }
}
