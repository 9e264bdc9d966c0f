import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import Database from './database.mjs'
import { freshPath } from './temporary.mjs'

let db
let insert
let values
beforeEach(() => {
  db = new Database(':memory:')
  db.exec('CREATE TABLE t (a UNIQUE)')
  insert = db.prepare('INSERT INTO t VALUES (?)')
  const select = db.prepare('SELECT a FROM t ORDER BY a').pluck()
  values = () => select.all()
})

test('a transaction commits, and passes on this, the arguments and the result', () => {
  const add = db.transaction(function (...args) {
    assert.equal(db.inTransaction, true)
    for (const value of args) insert.run(value)
    return this
  })
  const receiver = {}
  assert.equal(add.call(receiver, 1, 2), receiver)
  assert.equal(db.inTransaction, false)
  assert.deepEqual(values(), [1, 2])
  assert.equal(add.database, db)
})

test('an exception rolls a transaction back, and the call throws it', () => {
  const error = new Error('stop')
  const add = db.transaction(() => {
    insert.run(1)
    throw error
  })
  assert.throws(add, (thrown) => thrown === error)
  assert.equal(db.inTransaction, false)
  assert.deepEqual(values(), [])
})

test('nested transactions are savepoints', () => {
  const inner = db.transaction((value, fail) => {
    insert.run(value)
    if (fail) throw new Error('inner')
  })
  const outer = db.transaction(() => {
    insert.run(1)
    inner(2, false)
    assert.throws(() => inner(3, true), { message: 'inner' })
    assert.equal(db.inTransaction, true)
    inner.exclusive(4, false)
  })
  outer()
  assert.deepEqual(values(), [1, 2, 4])
})

test('deferred, immediate and exclusive begin a transaction of that kind', () => {
  const path = freshPath()
  const one = new Database(path)
  one.exec('CREATE TABLE t (a)')
  const two = new Database(path, { timeout: 0 })
  const writable = () => {
    try {
      two.exec('BEGIN IMMEDIATE; ROLLBACK')
      return true
    } catch (error) {
      assert.equal(error.code, 'SQLITE_BUSY')
      return false
    }
  }
  const probe = one.transaction(() => writable())
  assert.deepEqual(
    [probe(), probe.default(), probe.deferred(), probe.immediate(), probe.exclusive()],
    [true, true, true, false, false],
  )
  assert.equal(probe.immediate.deferred, probe.deferred)
  assert.equal(probe.default, probe)
})

test('an async function or a returned promise throws a TypeError, and nothing is committed', () => {
  assert.throws(() => db.transaction(async () => {}), { name: 'TypeError', message: /async/ })
  const promising = db.transaction(() => {
    insert.run(1)
    return Promise.resolve()
  })
  assert.throws(promising, { name: 'TypeError', message: /promise/ })
  assert.deepEqual(values(), [])
  assert.throws(() => db.transaction('x'), TypeError)
})

test('a generator function throws a TypeError, because none of its code would run before the commit', () => {
  const type = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: /generator/ }
  assert.throws(() => db.transaction(function* () {}), type)
  assert.throws(() => db.transaction(async function* () {}), type)
})

/*
 * A fixed bug: an error that verbose threw after BEGIN left the transaction open. After the RELEASE of an inner
 * transaction, such an error rolled back the next outer transaction, which has the same name.
 */
test('an error that verbose throws at BEGIN, SAVEPOINT, RELEASE, COMMIT or ROLLBACK rolls back every transaction that it leaves, and no other', () => {
  let trap
  const verbose = (sql) => {
    if (trap?.test(sql)) throw new Error(sql)
  }
  const noisy = new Database(':memory:', { verbose })
  noisy.exec('CREATE TABLE t (a)')
  const add = noisy.prepare('INSERT INTO t VALUES (?)')
  const added = noisy.prepare('SELECT a FROM t ORDER BY a').pluck()
  const run = (statement, innerWork) => {
    const inner = noisy.transaction(() => innerWork(add.run(3)))
    const middle = noisy.transaction(() => {
      add.run(2)
      trap = statement
      try {
        inner()
      } finally {
        trap = undefined
      }
    })
    const outer = noisy.transaction(() => {
      add.run(1)
      assert.throws(middle)
      add.run(4)
    })
    noisy.exec('DELETE FROM t')
    outer()
    assert.equal(noisy.inTransaction, false)
    return added.all()
  }
  // The error passes through the middle transaction, which is the only one to be rolled back.
  assert.deepEqual(run(/^SAVEPOINT/), [1, 4])
  assert.deepEqual(
    run(/^RELEASE/, () => {}),
    [1, 4],
  )
  const fail = () => assert.fail('work')
  assert.deepEqual(run(/^ROLLBACK TO/, fail), [1, 4])

  const single = noisy.transaction((work) => work(add.run(5)))
  noisy.exec('DELETE FROM t')
  trap = /^BEGIN/
  assert.throws(() => single(() => {}), { message: 'BEGIN' })
  assert.deepEqual([noisy.inTransaction, added.all()], [false, []])
  trap = /^ROLLBACK/
  assert.throws(() => single(fail), { message: 'work' })
  assert.deepEqual([noisy.inTransaction, added.all()], [false, []])
  trap = /^COMMIT/
  assert.throws(() => single(() => {}), { message: 'COMMIT' })
  assert.deepEqual([noisy.inTransaction, added.all()], [false, []])
})

test('a COMMIT that another connection blocks rolls back, and the transaction can be repeated', () => {
  const path = freshPath()
  const one = new Database(path, { timeout: 0 })
  one.exec('CREATE TABLE t (a)')
  const two = new Database(path)
  const write = one.transaction(() => one.exec('INSERT INTO t VALUES (1)'))
  two.exec('BEGIN; SELECT * FROM t')
  two.prepare('SELECT * FROM t').all()
  assert.throws(write, { code: 'SQLITE_BUSY' })
  assert.equal(one.inTransaction, false)
  two.exec('COMMIT')
  write()
  assert.equal(two.prepare('SELECT count(*) FROM t').pluck().get(), 1)
})

test('a transaction that SQLite rolled back stays rolled back', () => {
  insert.run(1)
  const add = db.transaction(() => {
    insert.run(2)
    db.exec('INSERT OR ROLLBACK INTO t VALUES (1)')
  })
  assert.throws(add, { code: 'SQLITE_CONSTRAINT_UNIQUE' })
  assert.equal(db.inTransaction, false)
  assert.deepEqual(values(), [1])
})

test('a failed COMMIT rolls the transaction back', () => {
  db.exec(`PRAGMA foreign_keys = ON; CREATE TABLE parent (id INTEGER PRIMARY KEY);
    CREATE TABLE child (p REFERENCES parent DEFERRABLE INITIALLY DEFERRED)`)
  const orphan = db.transaction(() => db.exec('INSERT INTO child VALUES (7)'))
  assert.throws(orphan, { code: 'SQLITE_CONSTRAINT_FOREIGNKEY' })
  assert.equal(db.inTransaction, false)
})

test('an open iterator does not keep a failed transaction open', () => {
  insert.run(1)
  insert.run(2)
  let iterator
  const fail = db.transaction(() => {
    insert.run(3)
    iterator = db.prepare('SELECT a FROM t').iterate()
    iterator.next()
    throw new Error('stop')
  })
  assert.throws(fail, { message: 'stop' })
  assert.equal(db.inTransaction, false)
  iterator.return()
  assert.deepEqual(values(), [1, 2])
})
