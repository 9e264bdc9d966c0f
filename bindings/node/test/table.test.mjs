import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import Database from './database.mjs'
import { freshPath } from './temporary.mjs'

function open() {
  const db = new Database(':memory:')
  return {
    db,
    all: (sql, ...values) =>
      db
        .prepare(sql)
        .pluck()
        .all(...values),
  }
}

/** Creates a table that counts up for ever, and returns the events of its generators. */
function endless(db, { name = 'endless', end = () => {} } = {}) {
  const events = []
  db.table(name, {
    columns: ['a'],
    parameters: ['start'],
    *rows(start = 0) {
      events.push('start')
      try {
        for (let a = start; ; a++) yield [a]
      } finally {
        events.push('end')
        end()
      }
    },
  })
  return events
}

test('LIMIT, break, get and an exception end an endless generator', () => {
  const { db, all } = open()
  const events = endless(db)
  const ended = () => assert.deepEqual(events.splice(0), ['start', 'end'])
  assert.deepEqual(all('SELECT a FROM endless LIMIT 3'), [0, 1, 2])
  ended()
  assert.equal(db.prepare('SELECT a FROM endless(7)').pluck().get(), 7)
  ended()
  for (const a of db.prepare('SELECT a FROM endless').pluck().iterate()) if (a === 5) break
  ended()
  const iterator = db.prepare('SELECT a FROM endless').pluck().iterate()
  assert.equal(iterator.next().value, 0)
  iterator.return()
  ended()
  db.function('until5', (a) => {
    if (a === 5) throw new Error('enough')
    return a
  })
  assert.throws(() => all('SELECT until5(a) FROM endless'), /enough/)
  ended()
  assert.deepEqual(all('SELECT EXISTS (SELECT 1 FROM endless)'), [1])
  ended()
  db.exec('CREATE TABLE t (a); INSERT INTO t SELECT a FROM endless LIMIT 1000')
  assert.deepEqual(all('SELECT count(*) FROM t'), [1000])
  db.close()
})

test('an exception that a generator throws when it is ended early does not change the result', () => {
  const { db, all } = open()
  endless(db, {
    end: () => {
      throw new Error('from finally')
    },
  })
  assert.deepEqual(all('SELECT a FROM endless LIMIT 2'), [0, 1])
  const error = new Error('from the statement')
  db.function('fail', (_a) => {
    throw error
  })
  assert.throws(
    () => all('SELECT fail(a) FROM endless'),
    (thrown) => thrown === error,
  )
  assert.deepEqual(all('SELECT 1'), [1])
})

test('each scan of a join has its own generator', () => {
  const { db, all } = open()
  const events = endless(db)
  db.table('three', {
    columns: ['a'],
    *rows() {
      yield* [[10], [20], [30]]
    },
  })
  assert.deepEqual(all('SELECT sum(one.a * two.a) FROM three AS one, three AS two'), [3600])
  const sql = 'SELECT (SELECT max(a) FROM (SELECT a FROM endless(three.a) LIMIT 3)) FROM three'
  assert.deepEqual(all(sql), [12, 22, 32])
  assert.deepEqual(events, ['start', 'end', 'start', 'end', 'start', 'end'])
})

test('the call throws whatever the generator throws', () => {
  const { db, all } = open()
  let error
  db.table('failing', {
    columns: ['a'],
    *rows() {
      yield [1]
      throw error
    },
  })
  for (error of [new TypeError('x'), null, undefined, '', 0, { code: 'STRONGROOM_BUSY' }]) {
    const thrown = []
    const calls = [
      () => all('SELECT a FROM failing'),
      () => db.exec('SELECT a FROM failing'),
      () => [...db.prepare('SELECT a FROM failing').iterate()],
    ]
    for (const call of calls) {
      try {
        call()
      } catch (caught) {
        thrown.push(caught)
      }
    }
    assert.deepEqual(thrown, [error, error, error])
    assert.deepEqual(all('SELECT a FROM failing LIMIT 1'), [1])
  }
})

test('a row must have an SQL value for each column', () => {
  const { db, all } = open()
  let row
  db.table('one', {
    columns: ['a', 'b'],
    *rows() {
      yield row
    },
  })
  const read = () => db.prepare('SELECT a, b FROM one').raw().get()
  for (row of [[1, 'x'], { b: 'x', a: 1 }]) assert.deepEqual(read(), [1, 'x'])
  row = [undefined, new Uint8Array([1])]
  assert.deepEqual(read(), [null, Buffer.from([1])])
  const cases = [
    [5, "something that isn't a valid row object"],
    [[1], 'a row with an incorrect number of columns'],
    [{ a: 1 }, 'a row with missing columns'],
    [{ a: 1, b: 1, c: 1 }, 'a row with an undeclared column "c"'],
    [[1, true], 'an invalid value'],
    [[1, '\ud800'], 'a string with a lone surrogate, which UTF-8 cannot store: use a Buffer, or call toWellFormed()'],
  ]
  for ([row] of cases) {
    const message = `Virtual table module "one" yielded ${cases.find(([given]) => given === row)[1]}`
    assert.throws(read, { name: 'TypeError', message })
  }
  row = [2n ** 63n, 1]
  assert.throws(read, { name: 'RangeError', message: 'Virtual table module "one" yielded a bigint that was too big' })
  // Only the columns that the statement reads must have an SQL value.
  row = [1, true]
  assert.deepEqual(all('SELECT a FROM one'), [1])
})

test('parameters are hidden columns that keep the passed values', () => {
  const { db } = open()
  const given = []
  db.table('echo', {
    columns: ['a'],
    parameters: ['x', 'y'],
    *rows(...parameters) {
      given.push(parameters)
      if (Buffer.isBuffer(parameters[0])) parameters[0].fill(0)
      yield ['row']
    },
  })
  const read = (sql, ...values) =>
    db
      .prepare(sql)
      .raw()
      .all(...values)
  assert.deepEqual(read('SELECT * FROM echo(1)'), [['row']])
  assert.deepEqual(read('SELECT a, x, y FROM echo WHERE y = 2'), [['row', null, 2]])
  assert.deepEqual(read('SELECT x FROM echo(?)', Buffer.from('abc')), [[Buffer.from('abc')]])
  assert.deepEqual(given.slice(0, 2), [
    [1, undefined],
    [undefined, 2],
  ])
  assert.deepEqual(read('SELECT a FROM echo(NULL)'), [])
  assert.throws(() => read('SELECT a FROM echo WHERE x > 1'), {
    code: 'SQLITE_ERROR',
    message: `virtual table parameter "x" can only be constrained by the '=' operator`,
  })
  assert.throws(() => db.exec('INSERT INTO echo VALUES (1)'), { code: 'SQLITE_ERROR' })
  db.table('type', {
    columns: ['a'],
    safeIntegers: true,
    *rows(x) {
      yield [typeof x]
    },
  })
  assert.deepEqual(read('SELECT a FROM type(1)'), [['bigint']])
})

test('CREATE VIRTUAL TABLE calls a factory, and each later connection calls it again', () => {
  const path = freshPath()
  const factory = function (...words) {
    const { module, database, table } = this
    return {
      columns: ['a'],
      *rows() {
        yield [[module, database, table, ...words].join()]
      },
    }
  }
  for (const sql of ['CREATE VIRTUAL TABLE "my table" USING words(one, two (three))', 'SELECT 1']) {
    const db = new Database(path)
    if (sql === 'SELECT 1') assert.throws(() => db.exec('SELECT * FROM "my table"'), /no such module: words/)
    db.table('words', factory)
    db.exec(sql)
    assert.equal(db.prepare('SELECT a FROM "my table"').pluck().get(), 'words,main,my table,one,two (three)')
    assert.throws(() => db.exec('SELECT * FROM words'), { code: 'SQLITE_ERROR' })
    db.close()
  }
  const db = new Database(path)
  db.table('words', () => null)
  assert.throws(() => db.exec('SELECT * FROM "my table"'), {
    name: 'TypeError',
    message: 'Virtual table module "words" did not return a table definition object',
  })
  db.table('words', () => {
    assert.throws(() => db.exec('DROP TABLE "my table"'), { code: 'STRONGROOM_BUSY' })
    assert.throws(() => db.close(), { code: 'STRONGROOM_BUSY' })
    throw null
  })
  let thrown = 'nothing'
  try {
    db.prepare('SELECT * FROM "my table"')
  } catch (error) {
    thrown = error
  }
  assert.equal(thrown, null)
  db.table('words', factory)
  db.exec('DROP TABLE "my table"')
  db.close()
})

test('table() checks a definition as better-sqlite3 does', () => {
  const { db, all } = open()
  const columns = ['a']
  const rows = function* () {}
  const cases = [
    [{ columns }, 'without a "rows" property'],
    [{ rows }, 'without a "columns" property'],
    [{ columns, rows: () => [] }, 'with an invalid "rows" property (should be a generator function)'],
    [{ columns, async *rows() {} }, 'with an invalid "rows" property (should be a generator function)'],
    [{ columns: 'a', rows }, 'with an invalid "columns" property (should be an array of strings)'],
    [{ columns: ['a', 'a'], rows }, 'with duplicate column names'],
    [{ columns, parameters: [1], rows }, 'with an invalid "parameters" property (should be an array of strings)'],
    [{ columns, parameters: ['x', 'x'], rows }, 'with duplicate parameter names'],
    [
      { columns, parameters: ['a'], rows },
      'with column "a" which was ambiguously defined as both a column and parameter',
    ],
    [{ columns, rows, safeIntegers: 1 }, 'with an invalid "safeIntegers" property (should be a boolean)'],
    [{ columns, rows, directOnly: null }, 'with an invalid "directOnly" property (should be a boolean)'],
  ]
  for (const [definition, problem] of cases) {
    const message = (verb) => `Virtual table module "t" ${verb} a table definition ${problem}`
    assert.throws(() => db.table('t', definition), { name: 'TypeError', message: message('used') })
    db.table('t', () => definition)
    assert.throws(() => db.exec('CREATE VIRTUAL TABLE u USING t'), { name: 'TypeError', message: message('returned') })
  }
  assert.throws(() => db.table('', { columns, rows }), TypeError)
  assert.throws(() => db.table('t', { columns: [], rows }), RangeError)
  assert.throws(() => db.table('t', { columns: ['\ud800'], rows }), TypeError)
  // SQLite ignores the case of names.
  db.table('t', { columns: ['a', 'A'], rows })
  assert.throws(() => db.prepare('SELECT * FROM t'), { code: 'SQLITE_ERROR', message: /"t": duplicate column name: A/ })
  db.table('t', {
    columns: ['a "quoted" name', '__proto__'],
    *rows() {
      yield [1, 2]
    },
  })
  assert.deepEqual(all('SELECT "a ""quoted"" name" + __proto__ FROM t'), [3])
})

test('new statements use a replaced table, and a view reads a table unless it is directOnly', () => {
  const { db, all } = open()
  const define = (value, directOnly) =>
    db.table('t', {
      columns: ['a'],
      directOnly,
      *rows() {
        yield [value]
      },
    })
  define(1, false)
  db.exec('CREATE VIEW v AS SELECT a FROM t')
  assert.deepEqual([all('SELECT a FROM t'), all('SELECT a FROM v')], [[1], [1]])
  define(2, false)
  assert.deepEqual([all('SELECT a FROM t'), all('SELECT a FROM v')], [[2], [2]])
  define(3, true)
  assert.deepEqual(all('SELECT a FROM t'), [3])
  assert.throws(() => all('SELECT a FROM v'), /unsafe use of virtual table/)
  for (const _ of db.prepare('SELECT 1').iterate()) assert.throws(() => define(4, false), { code: 'STRONGROOM_BUSY' })
})

test('a worker can be terminated during an endless generator', async () => {
  const worker = new Worker(fileURLToPath(new URL('fixtures/endless-table-worker.mjs', import.meta.url)))
  await once(worker, 'message')
  assert.equal(await worker.terminate(), 1)
})

test('process.exit() during a generator, or from a function, prints no error', () => {
  const setUp = `
    const Database = require('strongroom')
    const db = new Database(':memory:')
    db.table('t', { columns: ['a'], *rows() { try { for (;;) yield [1] } finally { console.log('never') } } })
    db.function('leave', () => process.exit(7))`
  const iterating = `${setUp}
    globalThis.iterator = db.prepare('SELECT a FROM t').iterate()
    globalThis.iterator.next()`
  const leaving = `${setUp}
    db.exec('SELECT leave() FROM t')`
  const worker = `
    const { Worker } = require('node:worker_threads')
    new Worker(${JSON.stringify(leaving)}, { eval: true }).on('exit', (code) => process.exit(code + 1))`
  const cases = [
    [iterating, 0],
    [leaving, 7],
    [worker, 8],
  ]
  for (const [script, expected] of cases) {
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
    assert.deepEqual({ status, signal, stdout, stderr }, { status: expected, signal: null, stdout: '', stderr: '' })
  }
})
