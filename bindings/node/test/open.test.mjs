import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import Database, { SqliteError } from './database.mjs'
import { freshPath } from './temporary.mjs'

test('the constructor creates a file, and the properties describe it', () => {
  const path = freshPath()
  const db = new Database(path)
  assert.deepEqual(
    { name: db.name, open: db.open, memory: db.memory, readonly: db.readonly, inTransaction: db.inTransaction },
    { name: path, open: true, memory: false, readonly: false, inTransaction: false },
  )
  db.exec('CREATE TABLE t (a)')
  assert.ok(existsSync(path))
  assert.equal(db.close(), db)
  assert.equal(db.open, false)
  assert.equal(db.close(), db)
})

test('no path, "" and ":memory:" open an in-memory database', () => {
  for (const args of [[], [undefined], [null], [''], [':memory:']]) {
    const db = new Database(...args)
    assert.equal(db.memory, true)
    db.exec('CREATE TABLE t (a)')
    db.close()
  }
})

test('readonly refuses every change', () => {
  const path = freshPath()
  new Database(path).exec('CREATE TABLE t (a)').close()
  const db = new Database(path, { readonly: true })
  assert.equal(db.readonly, true)
  assert.throws(() => db.exec('INSERT INTO t VALUES (1)'), { name: 'SqliteError', code: 'SQLITE_READONLY' })
  assert.deepEqual(db.prepare('SELECT * FROM t').all(), [])
  db.close()
  assert.throws(() => new Database(':memory:', { readonly: true }), TypeError)
})

test('fileMustExist refuses to create a file', () => {
  const path = freshPath()
  assert.throws(
    () => new Database(path, { fileMustExist: true }),
    (error) => {
      assert.ok(error instanceof SqliteError)
      assert.match(error.code, /^SQLITE_CANTOPEN/)
      return true
    },
  )
  assert.equal(existsSync(path), false)
  writeFileSync(path, '')
  new Database(path, { fileMustExist: true }).close()
})

test('timeout limits the wait for the lock of another connection', () => {
  const path = freshPath()
  const one = new Database(path)
  one.exec('CREATE TABLE t (a)')
  const two = new Database(path, { timeout: 0 })
  one.exec('BEGIN EXCLUSIVE')
  assert.throws(() => two.exec('INSERT INTO t VALUES (1)'), { code: 'SQLITE_BUSY' })
  one.exec('COMMIT')
  two.exec('INSERT INTO t VALUES (1)')
})

test("the journal mode is SQLite's default until the program changes it", () => {
  const db = new Database(freshPath())
  assert.equal(db.pragma('journal_mode', { simple: true }), 'delete')
  assert.deepEqual(db.pragma('journal_mode = WAL'), [{ journal_mode: 'wal' }])
  assert.equal(db.pragma('journal_mode', { simple: true }), 'wal')
})

test('the error of the constructor names the argument or option of the wrong type', () => {
  const wrong = [
    [[1], TypeError, /first argument/],
    [[new ArrayBuffer(8)], TypeError, /first argument/],
    [['x', 1], TypeError, /options object/],
    [['x', { readonly: 1 }], TypeError, /"readonly"/],
    [['x', { fileMustExist: 'yes' }], TypeError, /"fileMustExist"/],
    [['x', { timeout: '5' }], TypeError, /"timeout"/],
    [['x', { timeout: 1.5 }], TypeError, /"timeout"/],
    [['x', { timeout: -1 }], RangeError, /"timeout".*-1/],
    [['x', { timeout: 2 ** 31 }], RangeError, /"timeout"/],
    [['x', { verbose: 'yes' }], TypeError, /"verbose"/],
    [['x', { readOnly: true }], TypeError, /"readOnly".*"readonly"/],
    [['x', { pasphrase: 'p' }], TypeError, /"pasphrase"/],
    [['x\0y'], TypeError, /NUL/],
    [['x\ud800'], TypeError, /surrogate/],
  ]
  for (const [args, type, message] of wrong) {
    assert.throws(
      () => new Database(...args),
      (error) => {
        assert.ok(error instanceof type, `${error}`)
        assert.match(error.message, message)
        assert.match(error.code, /^ERR_/)
        return true
      },
    )
  }
  assert.equal(existsSync('x'), false)
})
