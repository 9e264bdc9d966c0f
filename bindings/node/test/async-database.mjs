// Databases of the asynchronous class for the tests that hold in every format.
import { setTimeout as wait } from 'node:timers/promises'
import { open as openOriginal } from 'strongroom/async'
import { OWN } from './database.mjs'
import { freshPath } from './temporary.mjs'

export { AsyncDatabase, SqliteError } from 'strongroom/async'

/** A query that runs until it is interrupted. */
export const ENDLESS = 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n'

/** Opens a database of this run's format, which is closed after the test `t`. */
export async function open(t, path, options) {
  const db = await openOriginal(path, { ...OWN, ...options })
  t.after(() => db.close())
  return db
}

/** Opens a file in WAL mode, with a table of `rows` rows. */
export async function openWal(t, options = {}, rows = 0) {
  const db = await open(t, freshPath(), options)
  await db.pragma('journal_mode = WAL')
  await fill(db, rows)
  return db
}

/** Opens a database in memory, which has one connection, with a table of `rows` rows. */
export async function openMemory(t, options = {}, rows = 0) {
  const db = await open(t, ':memory:', options)
  await fill(db, rows)
  return db
}

async function fill(db, rows) {
  await db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)')
  if (rows > 0)
    await db.run(
      `WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT ${rows})
       INSERT INTO t (id, text) SELECT x, 'row ' || x FROM n`,
    )
}

/** Returns a function for each method of a database that makes a call. */
export function everyCall(db) {
  return [
    () => db.run('SELECT 1'),
    () => db.get('SELECT 1'),
    () => db.all('SELECT 1'),
    () => db.iterate('SELECT 1').next(),
    () => db.exec('SELECT 1'),
    () => db.pragma('user_version'),
    () => db.prepare('SELECT 1'),
    () => db.transaction(() => {}),
    () => db.read(() => {}),
    () => db.backup(freshPath()),
    () => db.check(),
    () => db.rekey({ key: Buffer.alloc(32) }),
  ]
}

/** Returns a promise with its functions. */
export function deferred() {
  const result = {}
  result.promise = new Promise((resolve, reject) => Object.assign(result, { resolve, reject }))
  return result
}

/** Returns whether a promise is settled after the replies that are under way have arrived. */
export async function settled(promise) {
  let done = false
  const note = () => {
    done = true
  }
  promise.then(note, note)
  await wait(30)
  return done
}

/** Returns the code of the error with which a promise rejects. */
export async function codeOf(promise) {
  try {
    await promise
  } catch (error) {
    return error.code
  }
  throw new Error('the promise did not reject')
}
