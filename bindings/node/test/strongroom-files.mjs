// Files of the three formats, for the tests of the Strongroom format.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import Database, { SqliteError } from 'strongroom'
import { freshPath } from './temporary.mjs'

/** The number of rows in the table `note`. */
export const ROWS = 200

/** Returns the format of a file or of an image, from its first bytes. */
export function formatOf(file) {
  const bytes = typeof file === 'string' ? readFileSync(file) : Buffer.from(file)
  const start = bytes.toString('latin1', 0, 16)
  if (start === '\x89Strongroom\r\n\x1a\n\0') return 'strongroom'
  return start === 'SQLite format 3\0' ? 'plain' : 'sqlcipher'
}

/** Creates a database with the table `note`. */
export function filled(options, path = freshPath()) {
  const db = new Database(path, options)
  db.exec('CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)')
  const insert = db.prepare('INSERT INTO note (text) VALUES (?)')
  db.transaction(() => {
    for (let i = 0; i < ROWS; i++) insert.run(`the cat is in the bag ${i} ${'.'.repeat(100)}`)
  })()
  return db
}

/** Creates a file, closes it, and returns its path. */
export const closed = (options) => filled(options).close().name

export const count = (db, table = 'note') => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get()

/** Asserts that a file or an image has a format, opens with the options, and has every row. */
export function assertFilled(file, options, format = 'strongroom') {
  assert.equal(formatOf(file), format)
  const db = new Database(file, options)
  assert.deepEqual([db.format, count(db), db.check().problems], [format, ROWS, []])
  db.close()
}

/** Asserts that a call throws a SqliteError. */
export function refuses(work, code, message = /./) {
  assert.throws(work, (error) => isError(error, code, message))
}

/** Asserts that a promise rejects with a SqliteError. */
export function rejects(promise, code, message = /./) {
  return assert.rejects(promise, (error) => isError(error, code, message))
}

function isError(error, code, message) {
  assert.ok(error instanceof SqliteError, inspect(error))
  assert.equal(error.code, code, error.message)
  assert.match(error.message, message)
  return true
}
