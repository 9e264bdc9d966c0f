import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import Database from './database.mjs'

let db
let select
beforeEach(() => {
  db = new Database(':memory:')
  db.exec('CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)')
  select = db.prepare('SELECT a FROM t ORDER BY a')
})
const busy = { name: 'TypeError', code: 'STRONGROOM_BUSY', message: /busy/ }

test('iterate yields the rows one by one', () => {
  const rows = []
  for (const row of select.iterate()) rows.push(row)
  assert.deepEqual(rows, [{ a: 1 }, { a: 2 }, { a: 3 }])
  assert.deepEqual([...select.pluck().iterate()], [1, 2, 3])
  assert.deepEqual([...db.prepare('SELECT a FROM t WHERE a > ?').raw().iterate(1)], [[2], [3]])
  assert.deepEqual([...db.prepare('SELECT a FROM t WHERE a > 9').iterate()], [])
})

test("iterate returns an iterator like JavaScript's own", () => {
  const iterator = select.pluck().iterate()
  assert.deepEqual(Reflect.ownKeys(iterator), ['statement'])
  assert.equal(iterator[Symbol.iterator](), iterator)
  const inherited = Object.getPrototypeOf(Object.getPrototypeOf([].values()))
  assert.ok(Object.prototype.isPrototypeOf.call(inherited, iterator))
  assert.deepEqual(iterator.next(), { done: false, value: 1 })
  assert.deepEqual(iterator.return(), { done: true, value: undefined })
  assert.deepEqual(iterator.next(), { done: true, value: undefined })
  assert.deepEqual(iterator.return(), { done: true, value: undefined })
})

test('break and an exception end an iterator', () => {
  for (const _ of select.iterate()) break
  assert.equal(select.busy, false)
  assert.throws(() => {
    for (const _ of select.iterate()) throw new Error('mine')
  }, /mine/)
  assert.equal(select.busy, false)
  db.exec('DELETE FROM t')
})

test('while an iterator is open, its statement cannot be used', () => {
  const iterator = select.iterate()
  assert.equal(select.busy, true)
  iterator.next()
  for (const method of ['run', 'get', 'all', 'iterate', 'bind', 'pluck', 'raw', 'safeIntegers'])
    assert.throws(() => select[method](), busy, method)
  assert.deepEqual([...iterator], [{ a: 2 }, { a: 3 }])
  assert.equal(select.all().length, 3)
})

test('while an iterator is open, the database can be read, but not written or closed', () => {
  const insert = db.prepare('INSERT INTO t VALUES (9)')
  const returning = db.prepare('INSERT INTO t VALUES (9) RETURNING a')
  for (const row of select.iterate()) {
    assert.throws(() => insert.run(), busy)
    assert.throws(() => returning.get(), busy)
    assert.throws(() => db.exec('DELETE FROM t'), busy)
    assert.throws(() => db.pragma('user_version = 1'), busy)
    assert.throws(() => db.transaction(() => {})(), busy)
    assert.throws(() => db.close(), busy)
    assert.equal(db.prepare('SELECT count(*) FROM t').pluck().get(), 3)
    const same = db.prepare('SELECT a FROM t ORDER BY a')
    assert.deepEqual([...same.iterate()].length, 3)
    assert.ok(row.a <= 3)
  }
  assert.equal(insert.run().changes, 1)
  db.close()
})

test('an error ends an iterator', () => {
  const failing = db.prepare('SELECT abs(CASE a WHEN 2 THEN -9223372036854775807 - 1 ELSE a END) FROM t').pluck()
  const iterator = failing.iterate()
  assert.equal(iterator.next().value, 1)
  assert.throws(() => iterator.next(), { name: 'SqliteError', code: 'SQLITE_ERROR' })
  assert.deepEqual(iterator.next(), { done: true, value: undefined })
  assert.equal(failing.busy, false)
  db.exec('DELETE FROM t')
})

test('next() inside next() of the same iterator is refused, and the iterator continues', () => {
  const seen = []
  let nested
  const loud = new Database(':memory:', { verbose: () => nested?.() })
  const iterator = loud.prepare('SELECT 1 UNION SELECT 2').pluck().iterate()
  nested = () => {
    nested = undefined
    assert.throws(() => iterator.next(), busy)
    assert.throws(() => loud.close(), busy)
  }
  for (const value of iterator) seen.push(value)
  assert.deepEqual(seen, [1, 2])
})
