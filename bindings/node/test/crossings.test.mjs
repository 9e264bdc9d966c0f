// Counts how often a call of the API calls the addon. Times are not measured: the test machines are too noisy.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { beforeEach, test } from 'node:test'
import Database from './database.mjs'

const require = createRequire(import.meta.url)
const dist = dirname(require.resolve('strongroom'))
const addon = require(join(dist, 'load/loader.js')).addon()
const { Calls } = require(join(dist, 'api/calls.js'))

const calls = Calls.of(addon)
const counted = Object.fromEntries(['run', 'get', 'start', 'more', 'end'].map((name) => [name, 0]))
for (const name of Object.keys(counted)) {
  const call = calls[name]
  calls[name] = (...values) => {
    counted[name]++
    return call(...values)
  }
}
let prepared = 0
const prepare = addon.NativeDatabase.prototype.prepare
addon.NativeDatabase.prototype.prepare = function (sql) {
  prepared++
  return prepare.call(this, sql)
}

/** Returns how often `work` calls each function of the addon. */
function during(work) {
  const before = { ...counted, prepared }
  work()
  const made = Object.entries({ ...counted, prepared }).map(([name, count]) => [name, count - before[name]])
  return Object.fromEntries(made.filter(([, count]) => count > 0))
}

let db
beforeEach(() => {
  db = new Database(':memory:')
  db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT, b BLOB, n)')
  const insert = db.prepare('INSERT INTO t (s, b, n) VALUES (?, ?, ?)')
  db.transaction(() => {
    for (let i = 0; i < 1000; i++) insert.run(`text ${i}`, Buffer.alloc(64, i), i)
  })()
})

test('run, get, and all with 100 rows each call the addon once, whatever their parameters', () => {
  const insert = db.prepare('INSERT INTO t (s, b, n) VALUES (?, ?, ?)')
  assert.deepEqual(
    during(() => insert.run('é', Buffer.alloc(5000), null)),
    { run: 1 },
  )
  const named = db.prepare('UPDATE t SET s = :s, b = @b WHERE id = $id')
  assert.deepEqual(
    during(() => named.run({ s: 'x', b: new Uint8Array(8), id: 1n })),
    { run: 1 },
  )
  const get = db.prepare('SELECT * FROM t WHERE id = ?')
  assert.deepEqual(
    during(() => get.get(5)),
    { get: 1 },
  )
  const page = db.prepare('SELECT * FROM t WHERE id > ? ORDER BY id LIMIT 100')
  page.all(0)
  assert.deepEqual(
    during(() => page.all(100)),
    { start: 1 },
  )
})

test('iterate reads in growing batches, and stops when its reader stops', () => {
  const select = db.prepare('SELECT * FROM t')
  for (const _ of select.iterate()) break
  const all = during(() => {
    for (const _ of select.iterate());
  })
  assert.deepEqual([all.start, all.end], [1, 1])
  assert.ok(all.more <= 12, `${all.more} batches for 1000 rows`)
  const first = during(() => {
    for (const _ of select.iterate()) break
  })
  assert.deepEqual(first, { start: 1, more: 1, end: 1 })
  db.function('f', (x) => x)
  const one = during(() => {
    for (const _ of db.prepare('SELECT f(n) FROM t LIMIT 50').iterate());
  })
  assert.ok(one.more >= 50, `${one.more} batches, although a function is called for each row`)
})

test("verbose is called only for the program's own statements", () => {
  const shown = []
  const loud = new Database(':memory:', { verbose: (sql) => shown.push(sql) })
  loud.exec('CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3), (4)')
  shown.length = 0
  assert.equal([...loud.prepare('SELECT a FROM t').iterate()].length, 4)
  assert.deepEqual(shown, ['SELECT a FROM t'])
})

test('the same SQL is prepared once, until the schema or the functions change', () => {
  const sql = 'SELECT n FROM t WHERE id = ?'
  const use = () => db.prepare(sql).pluck().get(1)
  assert.deepEqual(during(use), { get: 1, prepared: 1 })
  assert.deepEqual(during(use), { get: 1 })
  for (const change of [
    () => db.exec('CREATE INDEX IF NOT EXISTS i ON t (n)'),
    () => db.pragma('user_version = 3'),
    () => db.function('g', () => 1),
    () => db.aggregate('h', { step: () => 1 }),
    () => db.attach(':memory:', 'other'),
    () => db.detach('other'),
    () => db.prepare('ALTER TABLE t ADD COLUMN more').run(),
  ]) {
    change()
    assert.equal(during(use).prepared, 1, String(change))
    assert.deepEqual(during(use), { get: 1 }, String(change))
  }
})

test('bind() keeps the compiled statement for itself, and an iterator returns it for sharing', () => {
  const sql = 'SELECT n FROM t WHERE id = ?'
  assert.equal(during(() => db.prepare(sql).bind(1).get()).prepared, 1)
  assert.equal(during(() => db.prepare(sql).get(1)).prepared, 1)
  for (const statement of [db.prepare('SELECT 1'), db.prepare('SELECT 1').bind()]) for (const _ of statement.iterate());
  assert.equal(during(() => db.prepare('SELECT 1').get()).prepared, undefined)
})

test('the cache keeps the hundred statements that were prepared last', () => {
  const sql = (i) => `SELECT ${i}`
  for (let i = 0; i < 150; i++) db.prepare(sql(i))
  assert.deepEqual(
    during(() => db.prepare(sql(149)).get()),
    { get: 1 },
  )
  db.prepare(sql(60)).get()
  for (let i = 200; i < 299; i++) db.prepare(sql(i))
  assert.deepEqual(
    during(() => db.prepare(sql(60)).get()),
    { get: 1 },
  )
  assert.deepEqual(
    during(() => db.prepare(sql(0)).get()),
    { get: 1, prepared: 1 },
  )
})
