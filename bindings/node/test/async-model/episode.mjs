// Runs one episode, and judges what was recorded.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'strongroom'
import { Driver } from './drive.mjs'
import { judge } from './judge.mjs'
import { EMPTY } from './operations.mjs'
import { described, Problem, short } from './problem.mjs'

/**
 * Runs an episode with an implementation of the class.
 *
 * @param episode - an episode of plan.mjs, perhaps with fewer steps
 * @param open - opens a database: `(path, options) => Promise<AsyncDatabase>`
 * @param lost - the time in milliseconds after which calls that have not ended are taken for lost
 * @returns the text of the first broken promise, or undefined
 */
export async function run(episode, open, lost = 60_000) {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-model-'))
  const driver = new Driver({ episode, open, path: join(folder, 'model.db'), backup: contentOf })
  try {
    const outcome = await Promise.race([driver.run(), timeout(lost)])
    if (outcome === timedOut)
      return `calls did not end: ${[...driver.unsettled].map(({ step }) => short(step)).join('\n')}`
    // A backup that close() rejected may have been complete.
    const left = readdirSync(folder).filter((name) => !/^model\.db-copy-\d+$/.test(name))
    const state = judge(driver.sessions)
    const wanted = episode.inMemory ? [] : ['model.db']
    if (`${left}` !== `${wanted}`) return `after close(), the folder has ${left}, expected ${wanted}`
    return episode.inMemory ? undefined : atTheEnd(join(folder, 'model.db'), driver.key, state)
  } catch (error) {
    if (error instanceof Problem) return error.text
    return `the episode failed: ${error.stack}`
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

const timedOut = Symbol('timed out')

function timeout(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, timedOut).unref())
}

/** Compares the file with the last state, through the synchronous class. */
function atTheEnd(path, key, state) {
  const found = described(contentOf(path, [key], { keep: true }))
  const wanted = described(state ?? EMPTY)
  return found === wanted ? undefined : `the file is ${found}\n  expected ${wanted}`
}

/** Reads the content of a database with the first key that opens it, and removes its file. */
function contentOf(path, keys, { keep = false } = {}) {
  const db = opened(path, keys)
  try {
    const { problems } = db.check()
    if (problems.length > 0) throw new Error(`check() of ${path}: ${JSON.stringify(problems)}`)
    const items = db.prepare('SELECT id, value FROM item ORDER BY id').raw().all()
    const columns = db.prepare('SELECT name FROM pragma_table_info(?)').pluck().all('wide')
    return { items: new Map(items), columns }
  } finally {
    db.close()
    if (!keep) rmSync(path)
  }
}

function opened(path, [key, ...others]) {
  try {
    return new Database(path, { fileMustExist: true, ...(key && { key }) })
  } catch (error) {
    if (others.length === 0 || error.code !== 'STRONGROOM_WRONG_KEY') throw error
    return opened(path, others)
  }
}
