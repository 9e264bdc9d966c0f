// Statements with the same SQL share one compiled statement, and a program must not notice the sharing.
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import Database from './database.mjs'
import { freshPath } from './temporary.mjs'

let db
beforeEach(() => {
  db = new Database(':memory:')
  db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t (v) VALUES (10), (20), (30)')
})

test('each statement with the same SQL has its own form of rows', () => {
  const sql = 'SELECT id, v FROM t WHERE id <= ? ORDER BY id'
  const object = db.prepare(sql)
  const pluck = db.prepare(sql).pluck()
  const raw = db.prepare(sql).raw()
  const expanded = db.prepare(sql).expand()
  const bigints = db.prepare(sql).safeIntegers()
  for (let round = 0; round < 3; round++) {
    assert.deepEqual(object.all(1), [{ id: 1, v: 10 }])
    assert.deepEqual(pluck.all(2), [1, 2])
    assert.deepEqual(raw.get(1), [1, 10])
    assert.deepEqual(expanded.all(1), [{ t: { id: 1, v: 10 } }])
    assert.deepEqual(bigints.get(1), { id: 1n, v: 10n })
  }
  assert.deepEqual(pluck.pluck(false).get(1), { id: 1, v: 10 })
})

test('each statement with the same SQL has its own bound values and its own iterator', () => {
  const sql = 'SELECT id FROM t WHERE id >= ? ORDER BY id'
  const bound = db.prepare(sql).bind(3).pluck()
  const free = db.prepare(sql).pluck()
  assert.deepEqual([bound.get(), free.get(1), bound.get()], [3, 1, 3])
  assert.throws(() => bound.get(1), /already has bound parameters/)
  assert.throws(() => free.get(), { code: 'ERR_OUT_OF_RANGE' })

  const other = db.prepare(sql).pluck()
  const outer = []
  for (const id of free.iterate(1)) {
    assert.deepEqual([free.busy, other.busy, db.prepare(sql).busy], [true, false, false])
    outer.push([id, other.all(2), [...db.prepare(sql).pluck().iterate(3)]])
    assert.throws(() => free.get(1), { code: 'STRONGROOM_BUSY' })
  }
  assert.deepEqual(
    outer,
    [1, 2, 3].map((id) => [id, [2, 3], [3]]),
  )
  assert.deepEqual(other.all(1), [1, 2, 3])
})

test('two iterators of the same SQL can alternate', () => {
  const sql = 'SELECT id FROM t ORDER BY id'
  const [a, b] = [db.prepare(sql).pluck().iterate(), db.prepare(sql).pluck().iterate()]
  const seen = []
  for (let i = 0; i < 3; i++) seen.push(a.next().value, b.next().value)
  assert.deepEqual(seen, [1, 1, 2, 2, 3, 3])
  assert.deepEqual([a.next().done, b.next().done], [true, true])
  db.exec('DELETE FROM t')
})

test('statements with the same SQL return the current columns after a schema change', () => {
  const sql = 'SELECT * FROM t WHERE id = 1'
  const before = db.prepare(sql)
  assert.deepEqual(before.get(), { id: 1, v: 10 })
  db.exec('ALTER TABLE t RENAME COLUMN v TO w; ALTER TABLE t ADD COLUMN x DEFAULT 7')
  const after = db.prepare(sql)
  assert.deepEqual(
    after.columns().map(({ name }) => name),
    ['id', 'w', 'x'],
  )
  assert.deepEqual(after.get(), { id: 1, w: 10, x: 7 })
  assert.deepEqual(before.all(), [{ id: 1, w: 10, x: 7 }])
  assert.deepEqual([...before.iterate()], [{ id: 1, w: 10, x: 7 }])

  const transaction = db.transaction(() => {
    db.prepare('ALTER TABLE t RENAME COLUMN w TO y').run()
    assert.deepEqual(db.prepare(sql).get(), { id: 1, y: 10, x: 7 })
    throw new Error('mine')
  })
  assert.throws(transaction, /mine/)
  assert.deepEqual(db.prepare(sql).get(), { id: 1, w: 10, x: 7 })
  assert.deepEqual(after.get(), { id: 1, w: 10, x: 7 })

  db.exec('DROP TABLE t')
  assert.throws(() => db.prepare(sql), /no such table/)
  assert.throws(() => after.get(), /no such table/)
})

test('a temporary table may hide the table of a shared statement', () => {
  const sql = 'SELECT * FROM t'
  assert.deepEqual(db.prepare(sql).get(), { id: 1, v: 10 })
  const changed = db.prepare(sql)
  db.exec('CREATE TEMP TABLE t (only); INSERT INTO temp.t VALUES (5)')
  assert.deepEqual(changed.all(), [{ only: 5 }])
  assert.deepEqual(db.prepare(sql).columns().length, 1)
})

test('a failed statement does not affect other statements with the same SQL', () => {
  db.exec('CREATE UNIQUE INDEX i ON t (v)')
  const sql = 'INSERT INTO t (v) VALUES (?) RETURNING v'
  const [a, b] = [db.prepare(sql).pluck(), db.prepare(sql).pluck()]
  assert.throws(() => a.get(10), { code: 'SQLITE_CONSTRAINT_UNIQUE' })
  assert.equal(b.get(40), 40)
  assert.throws(() => b.all(40), { code: 'SQLITE_CONSTRAINT_UNIQUE' })
  assert.deepEqual(a.run(50), { changes: 1, lastInsertRowid: 5 })
})

test('every statement reports that its database is closed', () => {
  const sql = 'SELECT 1'
  const statements = [db.prepare(sql), db.prepare(sql)]
  db.close()
  for (const statement of statements) assert.throws(() => statement.get(), { code: 'STRONGROOM_CLOSED' })
  assert.throws(() => db.prepare(sql), { code: 'STRONGROOM_CLOSED' })
})

test('expanded rows have the current table names', () => {
  db.exec('CREATE TABLE u (id, v); INSERT INTO u VALUES (7, 8); CREATE VIEW w AS SELECT * FROM t')
  const select = db.prepare('SELECT * FROM w').expand()
  assert.deepEqual(select.get(), { t: { id: 1, v: 10 } })
  db.exec('DROP VIEW w; CREATE VIEW w AS SELECT * FROM u')
  assert.deepEqual(select.get(), { u: { id: 7, v: 8 } })
  db.exec('ALTER TABLE u RENAME TO x')
  assert.deepEqual(select.get(), { x: { id: 7, v: 8 } })
})

test('writing to the properties of a statement has no effect', () => {
  const select = db.prepare('SELECT v FROM t WHERE id = ?').pluck()
  Object.assign(select, { source: 'DELETE FROM t', reader: false, readonly: false, database: null })
  const outer = db.prepare('SELECT v FROM t WHERE id = ?').pluck()
  for (const _ of outer.iterate(1)) assert.equal(select.get(2), 20)
  assert.equal(select.bind(3).get(), 30)
  assert.equal(db.prepare('SELECT count(*) FROM t').pluck().get(), 3)
})

/*
 * A fixed bug: a statement bound without values was treated as the owner of the shared statement, and reset the run of
 * another statement's iterator, so the loop never ended.
 */
test('a statement bound without values does not affect the iterator of another statement', () => {
  const sql = 'SELECT id FROM t ORDER BY id'
  const bound = db.prepare(sql).pluck().bind()
  const other = db.prepare(sql).pluck()
  const seen = []
  for (const id of other.iterate()) {
    seen.push(id, bound.get())
    if (seen.length > 6) break
  }
  assert.deepEqual(seen, [1, 1, 2, 1, 3, 1])
  const own = []
  for (const id of bound.iterate()) own.push(id, other.get())
  assert.deepEqual(own, [1, 1, 2, 1, 3, 1])
  assert.deepEqual(
    [bound.all(), other.all()],
    [
      [1, 2, 3],
      [1, 2, 3],
    ],
  )
})

test('columns() returns the current columns after a schema change by another connection', () => {
  const path = freshPath()
  const [here, there] = [new Database(path), new Database(path)]
  here.exec('CREATE TABLE t (a)')
  const names = (statement) => statement.columns().map(({ name }) => name)
  const before = here.prepare('SELECT * FROM t')
  assert.deepEqual(names(before), ['a'])
  there.exec('ALTER TABLE t ADD COLUMN b')
  assert.equal(here.prepare('SELECT count(*) FROM t').pluck().get(), 0)
  assert.deepEqual(names(here.prepare('SELECT * FROM t')), ['a', 'b'])
  assert.deepEqual(names(before), ['a', 'b'])
  here.close()
  there.close()
})
