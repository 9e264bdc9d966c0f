import assert from 'node:assert/strict'
import { test } from 'node:test'
import Database from 'strongroom'
import { freshPath } from './temporary.mjs'

const key = Buffer.alloc(32, 7)

/** Matches the pragmas of SQLCipher that set a key. */
const OF_A_KEY = /^(hex|text)?(re)?key$/

/** Returns the rows of a pragma, or the code of its error. */
function answer(db, source) {
  try {
    return db.pragma(source)
  } catch (error) {
    return error.code
  }
}

/** Replaces each value by its type. */
function types(rows) {
  const typed = ([name, value]) => [name, value === null ? 'null' : typeof value]
  return Array.isArray(rows) ? rows.map((row) => Object.fromEntries(Object.entries(row).map(typed))) : rows
}

test('every pragma has the same columns, types and errors with and without a key', () => {
  const databases = [{}, { key }].map((options) => new Database(freshPath(), options))
  for (const db of databases)
    db.exec(
      'CREATE TABLE t (a INTEGER PRIMARY KEY, b REFERENCES t); CREATE INDEX i ON t (b); INSERT INTO t VALUES (1, NULL)',
    )
  const [plain, keyed] = databases
  const names = plain.pragma('pragma_list').map(({ name }) => name)
  assert.ok(names.includes('page_size') && names.length > 60)
  const values = {}
  for (const name of names.filter((name) => !OF_A_KEY.test(name)))
    for (const source of [name, `main.${name}`, `${name}(t)`, `${name} = 1`]) {
      // The argument turns the setting off, which the last test of this file is about.
      if (source === 'secure_delete(t)') continue
      const answers = [plain, keyed].map((db) => answer(db, source))
      assert.deepEqual(types(answers[1]), types(answers[0]), source)
      if (source === name && JSON.stringify(answers[0]) !== JSON.stringify(answers[1])) values[name] = answers[1]
    }
  // The values of these two pragmas are the path of the file, and a counter of the changes by other connections.
  for (const name of ['database_list', 'data_version']) delete values[name]
  assert.deepEqual(values, { secure_delete: [{ secure_delete: 1 }] }, 'SQLCipher overwrites deleted content')
})

test('the page size of an encrypted database is a number', () => {
  const db = new Database(freshPath(), { key, pageSize: 8192 })
  assert.deepEqual(db.pragma('page_size'), [{ page_size: 8192 }])
  assert.equal(db.pragma('page_size', { simple: true }), 8192)
  assert.deepEqual(db.prepare('PRAGMA main.page_size').all(), [{ page_size: 8192 }])
  assert.equal(db.prepare('PRAGMA page_size').source, 'PRAGMA page_size')
  assert.equal(db.defaultSafeIntegers().pragma('page_size', { simple: true }), 8192n)
})

test('PRAGMA secure_delete stays on in an encrypted database', () => {
  const db = new Database(freshPath(), { key })
  for (const source of ['secure_delete = off', 'secure_delete = fast', 'secure_delete(t)'])
    assert.throws(() => db.pragma(source), { code: 'STRONGROOM_PRAGMA_REFUSED', message: /secure_delete/ })
  assert.deepEqual(db.pragma('secure_delete'), [{ secure_delete: 1 }])
})
