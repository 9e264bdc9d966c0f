import assert from 'node:assert/strict'
import { test } from 'node:test'
import Database from './database.mjs'
import { freshPath } from './temporary.mjs'

const db = new Database(':memory:')

test('a row is a plain object with its columns in order', () => {
  const row = db.prepare('SELECT 1 AS b, 2 AS a, NULL AS "null"').get()
  assert.equal(Object.getPrototypeOf(row), Object.prototype)
  assert.deepEqual(Object.keys(row), ['b', 'a', 'null'])
})

test('the last of several columns with the same name wins', () => {
  assert.deepEqual(db.prepare('SELECT 1 AS a, 2 AS b, 3 AS a').get(), { a: 3, b: 2 })
})

test('any column name becomes a property, and no name runs as code', () => {
  const names = [
    '__proto__',
    'constructor',
    '"',
    "'",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a name that would be code in a template
    '`${1}`',
    '\\',
    '\n',
    '\u2028',
    '}); throw 1; ({',
    '1',
    '',
    '🐈',
    'a b',
  ]
  for (const name of names) {
    const row = db.prepare(`SELECT 5 AS "${name.replaceAll('"', '""')}"`).get()
    assert.deepEqual(Object.keys(row), [name])
    assert.equal(Object.getOwnPropertyDescriptor(row, name).value, 5)
    assert.equal(Object.getPrototypeOf(row), Object.prototype)
  }
})

test('a row may have 2,000 columns, the limit of SQLite', () => {
  const columns = Array.from({ length: 2000 }, (_, i) => `${i} AS c${i}`)
  const row = db.prepare(`SELECT ${columns}`).get()
  assert.equal(Object.keys(row).length, 2000)
  assert.equal(row.c1999, 1999)
})

test('text that is not UTF-8 gets replacement characters, but is exact as a blob', () => {
  assert.equal(db.prepare("SELECT CAST(x'61ff62' AS TEXT)").pluck().get(), 'a\ufffdb')
  assert.deepEqual(
    db.prepare("SELECT CAST(CAST(x'61ff62' AS TEXT) AS BLOB)").pluck().get(),
    Buffer.from('61ff62', 'hex'),
  )
})

test('integers beyond 2^53 are numbers unless safeIntegers is on', () => {
  const select = db.prepare('SELECT 9007199254740993, -9223372036854775808, 2147483648, -2147483648').raw()
  assert.deepEqual(select.get(), [9007199254740992, -(2 ** 63), 2147483648, -2147483648])
  assert.deepEqual(select.safeIntegers().get(), [9007199254740993n, -(2n ** 63n), 2147483648n, -2147483648n])
})

test('all returns a million rows in one array', () => {
  const sql = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
    SELECT i, 'row ' || i AS name FROM n`
  const rows = db.prepare(sql).all()
  assert.equal(rows.length, 1_000_000)
  assert.deepEqual(rows[0], { i: 1, name: 'row 1' })
  assert.deepEqual(rows[999_999], { i: 1_000_000, name: 'row 1000000' })
})

test('a statement returns the current columns after a schema change', () => {
  const changing = new Database(':memory:')
  changing.exec('CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2)')
  const all = changing.prepare('SELECT * FROM t')
  assert.deepEqual(all.all(), [{ a: 1, b: 2 }])
  changing.exec('ALTER TABLE t ADD COLUMN c DEFAULT 3')
  assert.deepEqual(all.get(), { a: 1, b: 2, c: 3 })
  changing.exec('ALTER TABLE t RENAME COLUMN a TO first')
  assert.deepEqual(all.all(), [{ first: 1, b: 2, c: 3 }])
  changing.exec('ALTER TABLE t DROP COLUMN b; INSERT INTO t VALUES (5, 6)')
  assert.deepEqual(
    [...all.iterate()],
    [
      { first: 1, c: 3 },
      { first: 5, c: 6 },
    ],
  )
  assert.deepEqual(all.raw().get(), [1, 3])
  const returning = changing.prepare('UPDATE t SET c = 0 RETURNING *')
  assert.deepEqual(returning.get(), { first: 1, c: 0 })
  changing.exec('ALTER TABLE t RENAME COLUMN first TO a')
  assert.deepEqual(returning.get(), { a: 1, c: 0 })
})

test('a statement returns the current columns after a schema change by another connection', () => {
  const path = freshPath()
  const one = new Database(path)
  one.exec('CREATE TABLE t (a); INSERT INTO t VALUES (1)')
  const all = one.prepare('SELECT * FROM t')
  assert.deepEqual(all.get(), { a: 1 })
  new Database(path).exec('ALTER TABLE t RENAME COLUMN a TO z').close()
  assert.deepEqual(all.get(), { z: 1 })
})
