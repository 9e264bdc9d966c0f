import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import Database from './database.mjs'

let db
beforeEach(() => {
  db = new Database(':memory:')
  db.exec(`CREATE TABLE cats (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, age INT);
    INSERT INTO cats (name, age) VALUES ('joey', 2), ('sally', 4), ('junior', 1)`)
})

test('run returns the number of changes and the last rowid', () => {
  const insert = db.prepare('INSERT INTO cats (name, age) VALUES (?, ?)')
  assert.deepEqual(insert.run('tom', 3), { changes: 1, lastInsertRowid: 4 })
  assert.deepEqual(db.prepare('UPDATE cats SET age = age + 1').run(), { changes: 4, lastInsertRowid: 4 })
  assert.equal(db.prepare('DELETE FROM cats WHERE age > 100').run().changes, 0)
  assert.equal(db.prepare('CREATE TABLE dogs (name)').run().changes, 0)
  assert.equal(db.prepare('SELECT * FROM cats').run().changes, 0)
  assert.deepEqual(insert.safeIntegers().run('tim', 3), { changes: 1, lastInsertRowid: 5n })
})

test('get returns the first row or undefined, and all returns every row', () => {
  const byAge = db.prepare('SELECT name FROM cats WHERE age > ? ORDER BY age')
  assert.deepEqual(byAge.get(1), { name: 'joey' })
  assert.equal(byAge.get(100), undefined)
  assert.deepEqual(byAge.all(1), [{ name: 'joey' }, { name: 'sally' }])
  assert.deepEqual(byAge.all(100), [])
})

test('pluck and raw change the form of a row, and back', () => {
  const select = db.prepare('SELECT name, age FROM cats ORDER BY id LIMIT 1')
  assert.equal(select.pluck(), select)
  assert.equal(select.get(), 'joey')
  assert.deepEqual(select.pluck(false).get(), { name: 'joey', age: 2 })
  assert.deepEqual(select.raw().get(), ['joey', 2])
  assert.deepEqual(select.raw().all(), [['joey', 2]])
  assert.equal(select.pluck(true).get(), 'joey')
  assert.equal(select.raw(false).get(), 'joey')
  assert.throws(() => select.pluck(1), TypeError)
})

test('get, all, iterate, pluck, raw and columns refuse a statement without rows', () => {
  const update = db.prepare('UPDATE cats SET age = 1')
  for (const method of ['get', 'all', 'iterate', 'pluck', 'raw', 'columns'])
    assert.throws(() => update[method](), { name: 'TypeError', message: /return data/ })
})

test('a statement with RETURNING returns rows, and get makes all of its changes', () => {
  const statement = db.prepare('UPDATE cats SET age = age + 1 RETURNING name, age')
  assert.equal(statement.reader, true)
  assert.equal(statement.readonly, false)
  assert.equal(statement.get().age, 3)
  assert.deepEqual(db.prepare('SELECT age FROM cats ORDER BY id').pluck().all(), [3, 5, 2])
  assert.equal(statement.run().changes, 3)
})

test('the properties of a statement describe it', () => {
  const sql = 'SELECT * FROM cats -- all of them'
  const select = db.prepare(sql)
  assert.deepEqual(
    { source: select.source, reader: select.reader, readonly: select.readonly, busy: select.busy },
    { source: sql, reader: true, readonly: true, busy: false },
  )
  assert.equal(select.database, db)
  const insert = db.prepare('INSERT INTO cats DEFAULT VALUES')
  assert.deepEqual([insert.reader, insert.readonly], [false, false])
})

test('columns returns the origin of each column', () => {
  const columns = db.prepare('SELECT name AS who, age * 2 AS twice, c.age FROM cats AS c').columns()
  assert.deepEqual(columns, [
    { name: 'who', column: 'name', table: 'cats', database: 'main', type: 'TEXT' },
    { name: 'twice', column: null, table: null, database: null, type: null },
    { name: 'age', column: 'age', table: 'cats', database: 'main', type: 'INT' },
  ])
})

test('safeIntegers returns bigints, and defaultSafeIntegers sets it for later statements', () => {
  const big = 2n ** 53n + 1n
  const select = db.prepare('SELECT ?, 1.5, 1').raw()
  assert.deepEqual(select.get(big), [Number(big), 1.5, 1])
  assert.deepEqual(select.safeIntegers().get(big), [big, 1.5, 1n])
  assert.deepEqual(select.safeIntegers(false).get(big), [Number(big), 1.5, 1])
  assert.equal(db.defaultSafeIntegers(), db)
  assert.equal(select.get(big)[2], 1)
  assert.equal(db.prepare('SELECT 1').pluck().get(), 1n)
  assert.equal(db.pragma('user_version', { simple: true }), 0n)
  db.defaultSafeIntegers(false)
  assert.equal(db.prepare('SELECT 1').pluck().get(), 1)
})

test('pragma returns rows, or the first value', () => {
  assert.deepEqual(db.pragma('user_version = 7'), [])
  assert.deepEqual(db.pragma('user_version'), [{ user_version: 7 }])
  assert.equal(db.pragma('user_version', { simple: true }), 7)
  assert.equal(db.pragma('no_such_pragma', { simple: true }), undefined)
  for (const size of [100, 200, 100]) {
    db.pragma(`cache_size = ${size}`)
    assert.equal(db.pragma('cache_size', { simple: true }), size)
  }
  assert.throws(() => db.pragma(1), TypeError)
  assert.throws(() => db.pragma('user_version', 'simple'), TypeError)
  assert.throws(() => db.pragma('user_version', { simple: 1 }), TypeError)
})

test('exec runs several statements, and stops at the first statement that fails', () => {
  assert.equal(db.exec('CREATE TABLE a (x); CREATE TABLE b (x)'), db)
  assert.throws(() => db.exec('INSERT INTO a VALUES (1); INSERT INTO nowhere VALUES (1); INSERT INTO b VALUES (1)'), {
    name: 'SqliteError',
    code: 'SQLITE_ERROR',
    message: /nowhere/,
  })
  assert.equal(db.prepare('SELECT count(*) FROM a').pluck().get(), 1)
  assert.equal(db.prepare('SELECT count(*) FROM b').pluck().get(), 0)
})

test('an error of SQLite has the extended code, and leaves the statement usable', () => {
  const insert = db.prepare('INSERT INTO cats (name) VALUES (?)')
  assert.throws(() => insert.run('joey'), { name: 'SqliteError', code: 'SQLITE_CONSTRAINT_UNIQUE' })
  assert.throws(() => insert.run(null), { name: 'SqliteError', code: 'SQLITE_CONSTRAINT_NOTNULL' })
  assert.equal(insert.run('tom').changes, 1)
  assert.throws(() => db.prepare('SELECT abs(-9223372036854775807 - 1)').get(), { code: 'SQLITE_ERROR' })
  const error = new Database.SqliteError('message', 'SQLITE_ERROR')
  assert.ok(error instanceof Error)
  assert.match(error.stack, /^SqliteError: message/)
})

test('verbose gets each statement with its values', () => {
  const seen = []
  const loud = new Database(':memory:', { verbose: (sql) => seen.push(sql) })
  loud.exec('CREATE TABLE t (a, b)')
  loud.prepare('INSERT INTO t VALUES (?, :b)').run(1n, { b: "it's" })
  loud.prepare('SELECT a FROM t').all()
  assert.deepEqual(seen, ['CREATE TABLE t (a, b)', "INSERT INTO t VALUES (1, 'it''s')", 'SELECT a FROM t'])
  assert.throws(() => loud.exec('INSERT INTO t VALUES (1, 2); SELECT * FROM nowhere'), { code: 'SQLITE_ERROR' })
  assert.match(seen[3], /^INSERT INTO t VALUES \(1, 2\)/)
  const failing = new Database(':memory:', {
    verbose: () => {
      throw new Error('mine')
    },
  })
  assert.throws(() => failing.exec('SELECT 1'), { message: 'mine' })
})
