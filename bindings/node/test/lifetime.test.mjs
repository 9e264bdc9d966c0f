import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import Database from './database.mjs'
import { freshPath } from './temporary.mjs'

const closed = { name: 'TypeError', code: 'STRONGROOM_CLOSED', message: 'The database connection is not open' }
const busy = { name: 'TypeError', code: 'STRONGROOM_BUSY' }

test('after close(), every call throws an error and does no harm', () => {
  const db = new Database(freshPath())
  db.exec('CREATE TABLE t (a); INSERT INTO t VALUES (1)')
  const select = db.prepare('SELECT a FROM t')
  const insert = db.prepare('INSERT INTO t VALUES (?)')
  const add = db.transaction(() => insert.run(1))
  const ended = select.iterate()
  ended.return()
  db.close()
  const calls = [
    () => db.prepare('SELECT 1'),
    () => db.exec('SELECT 1'),
    () => db.pragma('user_version'),
    () => db.transaction(() => {}),
    () => db.explain('SELECT 1'),
    () => add(),
    () => select.get(),
    () => select.all(),
    () => select.iterate(),
    () => select.columns(),
    () => select.bind(),
    () => insert.run(1),
  ]
  for (const call of calls) assert.throws(call, closed, `${call}`)
  // Methods that only set the form of later rows still work, as in better-sqlite3.
  assert.equal(select.pluck().raw().expand().safeIntegers(), select)
  assert.equal(db.defaultSafeIntegers(), db)
  assert.deepEqual(ended.next(), { done: true, value: undefined })
  assert.deepEqual([db.open, db.inTransaction, select.busy, select.source], [false, false, false, 'SELECT a FROM t'])
})

test('close() rolls back an open transaction', () => {
  const path = freshPath()
  const db = new Database(path)
  db.exec('CREATE TABLE t (a); BEGIN; INSERT INTO t VALUES (1)')
  db.close()
  assert.equal(new Database(path).prepare('SELECT count(*) FROM t').pluck().get(), 0)
})

test('a getter among the parameters can close the database', () => {
  const db = new Database(':memory:')
  const select = db.prepare('SELECT :a')
  const parameters = {
    get a() {
      db.close()
      return 1
    },
  }
  assert.throws(() => select.get(parameters), closed)
})

test('a getter among the parameters can use the same statement', () => {
  const db = new Database(':memory:')
  const select = db.prepare('SELECT :a').pluck()
  const parameters = {
    get a() {
      return select.get({ a: 'inner' })
    },
  }
  assert.equal(select.get(parameters), 'inner')
  const iterating = {
    get a() {
      select.iterate({ a: 'inner' })
      return 'outer'
    },
  }
  assert.throws(() => select.get(iterating), busy)
})

test('a database cannot be used from its verbose callback', () => {
  let db
  let work = () => {}
  db = new Database(':memory:', { verbose: () => work() })
  const select = db.prepare('SELECT 1').pluck()
  for (const call of [() => db.close(), () => db.exec('SELECT 1'), () => select.get(), () => db.prepare('SELECT 1')]) {
    let heard = 0
    work = () => {
      heard += 1
      assert.throws(call, busy)
    }
    assert.equal(select.get(), 1)
    assert.equal(heard, 1)
  }
})

test('statements and iterators outlive the variable of their database', async () => {
  const script = fileURLToPath(new URL('fixtures/garbage.mjs', import.meta.url))
  const { status, signal, stderr } = spawnSync(process.execPath, ['--expose-gc', script], { encoding: 'utf8' })
  assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' })
})

test('process.exit() during an iterator, with everything open, prints no error', () => {
  const script = fileURLToPath(new URL('fixtures/exit.mjs', import.meta.url))
  const { status, signal, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' })
  assert.deepEqual({ status, signal, stderr }, { status: 7, signal: null, stderr: '' })
})
