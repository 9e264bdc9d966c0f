import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import Database, { testIn } from './database.mjs'
import { freshPath } from './temporary.mjs'

const busy = {
  name: 'TypeError',
  code: 'STRONGROOM_BUSY',
  message: 'This database connection is busy executing a query',
}

function open() {
  const db = new Database(':memory:')
  return {
    db,
    get: (sql, ...values) =>
      db
        .prepare(`SELECT ${sql}`)
        .pluck()
        .get(...values),
  }
}

/** Returns the value that a call throws, in an array: a call can throw any value. */
function thrownBy(call) {
  try {
    call()
  } catch (error) {
    return [error]
  }
  return 'nothing'
}

test('a function takes and returns a value of each type', () => {
  const { db, get } = open()
  const given = []
  db.function('echo', (value) => {
    given.push(value)
    return value
  })
  for (const value of [null, 1, -0.5, 2 ** 60, '', 'Zürich', 'a\0b', '😀', Buffer.from([0, 255]), Buffer.alloc(0)]) {
    assert.deepEqual(get('echo(?)', value), value)
    assert.deepEqual(given.pop(), value)
  }
  assert.equal(get('typeof(echo(?))', Buffer.alloc(0)), 'blob')
  assert.equal(get('echo(12)'), 12)
  assert.equal(get('echo(9007199254740993)'), 9007199254740992)
})

test("a function gets integers as bigints if its option safeIntegers is true, or if that was the database's default when the function was created", () => {
  const { db, get } = open()
  const type = (value) => typeof value
  db.function('a', type)
  db.function('b', { safeIntegers: true }, type)
  db.defaultSafeIntegers()
  db.function('c', type)
  db.function('d', { safeIntegers: false }, type)
  assert.deepEqual(
    ['a(1)', 'b(1)', 'c(1)', 'd(1)', 'b(1.5)'].map((sql) => get(sql)),
    ['number', 'bigint', 'bigint', 'number', 'number'],
  )
  db.function('big', () => 2n ** 63n - 1n)
  assert.equal(get('big()'), 2n ** 63n - 1n)
  db.function('long', () => 2n ** 63n)
  assert.throws(() => get('long()'), {
    name: 'RangeError',
    message: 'User-defined function long() returned a bigint that was too big',
  })
})

test('a result of an unsupported type throws an error that names the function', () => {
  const { db, get } = open()
  for (const value of [true, {}, [], new Date(0), Symbol('s'), () => 1, new ArrayBuffer(1), Object(1)]) {
    db.function('wrong', () => value)
    assert.throws(() => get('wrong()'), {
      name: 'TypeError',
      code: 'ERR_INVALID_RETURN_VALUE',
      message: 'User-defined function wrong() returned an invalid value',
    })
  }
  db.function('lone', () => 'a\ud800')
  assert.throws(() => get('lone()'), /lone\(\) returned a string with a lone surrogate/)
  db.function('replacement', () => 'a\ufffd')
  assert.equal(get('replacement()'), 'a\ufffd')
  db.function('none', () => {})
  assert.equal(get('none()'), null)
})

test('a function may return a blob as any kind of view', () => {
  const { db, get } = open()
  const bytes = Uint8Array.of(1, 2, 3, 4)
  const shared = new Uint8Array(new SharedArrayBuffer(4))
  shared.set(bytes)
  const kinds = [bytes, new DataView(bytes.buffer), new Uint16Array(bytes.buffer), shared, bytes.subarray(0)]
  for (const value of kinds) {
    db.function('bytes', () => value)
    assert.deepEqual(get('bytes()'), Buffer.from(bytes))
  }
})

test('every call throws whatever the function throws, and the database stays usable', () => {
  const { db, get } = open()
  db.exec('CREATE TABLE t (a); INSERT INTO t VALUES (1)')
  let error
  db.function('fail', () => {
    throw error
  })
  const marked = Object.assign(new Error('user'), { code: 'strongroom:STRONGROOM_CLOSED' })
  const native = Object.assign(new Error('user'), { code: 'ERR_USER' })
  for (error of [native, null, undefined, '', 0, 'text', { code: 'STRONGROOM_BUSY' }, Symbol('s')]) {
    const calls = [
      () => get('fail()'),
      () => db.prepare('SELECT fail()').all(),
      () => db.prepare('UPDATE t SET a = fail()').run(),
      () => db.exec('SELECT fail()'),
      () => [...db.prepare('SELECT fail()').iterate()],
      () => db.transaction(() => get('fail()'))(),
    ]
    for (const call of calls) assert.deepEqual(thrownBy(call), [error], `${call}`)
    assert.equal(get('a FROM t'), 1)
  }
  error = marked
  assert.equal(
    thrownBy(() => get('1')),
    'nothing',
  )
  db.close()
})

test('an error thrown by a function ends an iterator, whatever its code', () => {
  const { db } = open()
  for (const error of [null, undefined, Object.assign(new Error(), { code: 'STRONGROOM_BUSY' })]) {
    db.function('fail', (value) => {
      if (value === 2) throw error
      return value
    })
    const iterator = db.prepare('SELECT fail(column1) FROM (VALUES (1), (2), (3))').pluck().iterate()
    assert.equal(iterator.next().value, 1)
    assert.deepEqual(
      thrownBy(() => iterator.next()),
      [error],
    )
    assert.deepEqual(iterator.next(), { done: true, value: undefined })
    db.exec('SELECT 1')
  }
})

test('the database is busy while a function runs, and the statement continues', () => {
  const { db, get } = open()
  const other = db.prepare('SELECT 1')
  let iterator
  const calls = [
    () => db.prepare('SELECT 1'),
    () => db.exec('SELECT 1'),
    () => db.pragma('user_version'),
    () => db.close(),
    () => db.function('f', () => 1),
    () => db.aggregate('f', { step: () => 1 }),
    () => db.table('f', { columns: ['a'], *rows() {} }),
    () => db.transaction(() => {})(),
    () => db.serialize(),
    () => other.get(),
    () => other.iterate(),
    () => iterator.next(),
    () => iterator.return(),
  ]
  db.function('f', (value) => {
    for (const call of calls) assert.throws(call, busy, `${call}`)
    return value + 1
  })
  iterator = db.prepare('SELECT f(column1) FROM (VALUES (1), (2))').pluck().iterate()
  assert.deepEqual([...iterator], [2, 3])
  // An ended iterator does not use the database.
  calls.splice(-2)
  assert.equal(get('f(f(1))'), 3)
  assert.throws(() => {
    for (const _ of db.prepare('SELECT 1').iterate()) db.function('f', () => 1)
  }, busy)
  // The statement throws the busy error of its function.
  db.function('g', () => db.exec('SELECT 1'))
  assert.throws(() => get('g()'), busy)
  assert.equal(get('1'), 1)
  db.close()
  assert.throws(() => db.function('f', () => 1), { code: 'STRONGROOM_CLOSED' })
})

test('a function may use another database', () => {
  const [outer, inner] = [open(), open()]
  inner.db.function('up', (value) => {
    if (value > 3) throw new RangeError('too high')
    return value + 1
  })
  outer.db.function('up', (value) => inner.get('up(?)', value))
  assert.equal(outer.get('up(1)'), 2)
  assert.throws(() => outer.get('up(4)'), { name: 'RangeError', message: 'too high' })
  outer.db.function('caught', (value) => thrownBy(() => inner.get('up(?)', value))[0].message)
  assert.equal(outer.get('caught(4)'), 'too high')
})

test('endless recursion in a function throws a RangeError', () => {
  const { db, get } = open()
  db.function('deep', function deep() {
    return deep() + 1
  })
  assert.throws(() => get('deep()'), RangeError)
  assert.equal(get('1'), 1)
})

test('function() checks its arguments as better-sqlite3 does', () => {
  const { db } = open()
  const fn = () => 1
  const cases = [
    [[1, fn], 'Expected first argument to be a string'],
    [['f'], 'Expected last argument to be a function'],
    [['f', {}], 'Expected last argument to be a function'],
    [['f', 1, fn], 'Expected second argument to be an options object'],
    [['', fn], 'User-defined function name cannot be an empty string'],
    [['f', { varargs: undefined }, fn], 'Expected the "varargs" option to be a boolean'],
    [['f', { directOnly: 1 }, fn], 'Expected the "directOnly" option to be a boolean'],
    [
      ['f', Object.defineProperty(() => 1, 'length', { value: -1 })],
      'Expected function.length to be a positive integer',
    ],
  ]
  for (const [given, message] of cases) assert.throws(() => db.function(...given), { name: 'TypeError', message })
  assert.throws(
    () =>
      db.function(
        'f',
        Object.defineProperty(() => 1, 'length', { value: 101 }),
      ),
    {
      name: 'RangeError',
      message: 'User-defined functions cannot have more than 100 arguments',
    },
  )
  assert.throws(() => db.function('f'.repeat(256), fn), { name: 'SqliteError', code: 'SQLITE_MISUSE' })
  assert.throws(() => db.function('a\0b', fn), { code: 'STRONGROOM_NUL_IN_SQL' })
  assert.throws(() => db.function('\ud800', fn), TypeError)
  assert.equal(db.function('f', null, fn), db)
})

test('a callback gets exactly its arguments, and undefined as this', () => {
  const { db, get } = open()
  db.function('f', { varargs: true }, function (...values) {
    assert.equal(this, undefined)
    return values.length
  })
  assert.deepEqual(
    [0, 1, 8, 9, 50].map((count) => get(`f(${Array(count).fill('?')})`, Array(count).fill(1))),
    [0, 1, 8, 9, 50],
  )
  db.function('"; DROP TABLE t; --', () => 'quoted')
  assert.equal(get('"""; DROP TABLE t; --"()'), 'quoted')
  db.function('ABS', (value) => `not ${value}`)
  assert.equal(get('abs(1)'), 'not 1')
})

test('triggers, checks, indexes and generated columns call a function unless it is directOnly', () => {
  const path = freshPath()
  const db = new Database(path)
  const double = (value) => 2 * value
  db.function('double', { deterministic: true }, double)
  db.exec(`CREATE TABLE t (a CHECK (double(a) < 10), b AS (double(a))); CREATE INDEX i ON t (double(a));
    CREATE TABLE log (a); CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO log VALUES (double(new.a)); END`)
  db.prepare('INSERT INTO t (a) VALUES (3)').run()
  assert.deepEqual(db.prepare('SELECT t.a, b, log.a FROM t, log WHERE double(t.a) = 6').raw().get(), [3, 6, 6])
  assert.throws(() => db.exec('INSERT INTO t (a) VALUES (5)'), { code: 'SQLITE_CONSTRAINT_CHECK' })
  db.function('double', { deterministic: true, directOnly: true }, double)
  assert.throws(() => db.exec('INSERT INTO t (a) VALUES (1)'), /unsafe use of double\(\)/)
  db.function('double', { deterministic: true }, (_value) => {
    throw new TypeError('from the index')
  })
  assert.throws(() => db.exec('INSERT INTO t (a) VALUES (1)'), { name: 'TypeError', message: 'from the index' })
  assert.equal(db.prepare('SELECT count(*) FROM log').pluck().get(), 1)
  db.close()
  const without = new Database(path)
  assert.throws(() => without.exec('INSERT INTO t (a) VALUES (1)'), { code: 'SQLITE_ERROR' })
  without.close()
})

test('a callback is released when it is replaced, or together with its database', () => {
  const script = fileURLToPath(new URL('fixtures/callbacks.mjs', import.meta.url))
  const { status, signal, stderr } = spawnSync(process.execPath, ['--expose-gc', script], { encoding: 'utf8' })
  assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' })
})

// Each argument and result is a string of 4 kB. Without a handle scope per call, all these strings would be alive at
// the end.
testIn(
  ['plain'],
  'the script reads no page, and takes a minute in a debug build',
  'a statement that calls back 100,000 times keeps no values alive',
  () => {
    const script = `
    const Database = require('strongroom')
    const db = new Database(':memory:')
    const text = 'x'.repeat(4000)
    db.function('f', (value) => value)
    db.aggregate('g', { start: '', step: (total, value) => value, inverse: () => {} })
    db.table('t', { columns: ['a'], *rows() { for (let i = 0; i < 100000; i++) yield [text + i] } })
    db.prepare('SELECT max(length(f(a))), g(a) FROM t').get()`
    const args = ['--max-old-space-size=64', '-e', script]
    const { status, signal, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' })
  },
)
