import assert from 'node:assert/strict'
import { test } from 'node:test'
import Database from './database.mjs'

const WINDOW = 'OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)'

function open() {
  const db = new Database(':memory:')
  db.exec("CREATE TABLE t (a, kind); INSERT INTO t VALUES (1, 'x'), (2, 'y'), (4, 'x'), (8, 'y')")
  return { db, all: (sql) => db.prepare(`SELECT ${sql}`).pluck().all() }
}

const sum = { start: 0, step: (total, value) => total + value, inverse: (total, value) => total - value }

test('each group has its own state', () => {
  const { db, all } = open()
  db.aggregate('total', sum)
  db.aggregate('list', {
    start: () => [],
    step: (array, value) => {
      array.push(value)
    },
    result: (array) => array.join('+'),
  })
  assert.deepEqual(all('total(a) FROM t'), [15])
  assert.deepEqual(all('total(a) FROM t GROUP BY kind'), [5, 10])
  assert.deepEqual(all("list(a) || '=' || total(a) FROM t GROUP BY kind"), ['1+4=5.0', '2+8=10.0'])
  assert.deepEqual(all('total(DISTINCT kind = kind) FROM t'), [1])
  assert.deepEqual(all('total(a) FILTER (WHERE a > 2) FROM t'), [12])
  assert.deepEqual(all('total(a) FROM t WHERE a > 100'), [0])
  assert.deepEqual(all('list(a) FROM t WHERE a > 100'), [''])
  assert.deepEqual(all(`total(a) ${WINDOW} FROM t`), [1, 3, 6, 12])
  assert.ok('aggregate' in db)
})

test('a step that returns undefined keeps the state, and null replaces it', () => {
  const { db, all } = open()
  const step = (total, value) => (value === 2 ? undefined : value === 4 ? null : total + value)
  db.aggregate('odd', { start: 100, step })
  assert.deepEqual(all('odd(a) FROM t'), [8])
  db.aggregate('first', { step: (total, value) => total ?? value })
  assert.deepEqual(all('first(a) FROM t'), [1])
  db.aggregate('same', { start: undefined, step: (total) => assert.equal(total, undefined) })
  assert.deepEqual(all('same() FROM t'), [null])
})

test('the statement throws the exception of any callback, and calls no further callback', () => {
  const { db, all } = open()
  const error = new Error('from the callback')
  for (const failing of ['start', 'step', 'inverse', 'result']) {
    const called = []
    const callback = (name) => () => {
      called.push(name)
      if (name === failing) throw error
      return 1
    }
    const [start, step, inverse, result] = ['start', 'step', 'inverse', 'result'].map(callback)
    db.aggregate('failing', { start, step, inverse, result })
    assert.throws(
      () => all(`failing() ${WINDOW} FROM t`),
      (thrown) => thrown === error,
    )
    assert.equal(called.at(-1), failing)
  }
  // SQLite ends the statement's other aggregate without calling its `result`.
  let results = 0
  db.aggregate('counted', { step: () => 1, result: () => ++results })
  db.aggregate('fails', {
    step: () => {
      throw error
    },
  })
  assert.throws(() => all('counted(), fails() FROM t'), error)
  assert.equal(results, 0)
  assert.deepEqual(all('counted() FROM t'), [1])
})

test('a result of an unsupported type is refused, but a state may be any value', () => {
  const { db, all } = open()
  db.aggregate('state', { step: () => ({}), result: () => 1 })
  assert.deepEqual(all('state() FROM t'), [1])
  db.aggregate('wrong', { step: () => ({}) })
  assert.throws(() => all('wrong() FROM t'), {
    name: 'TypeError',
    message: 'User-defined function wrong() returned an invalid value',
  })
  db.aggregate('long', { step: () => 2n ** 64n })
  assert.throws(() => all('long() FROM t'), { name: 'RangeError', message: /long\(\) returned a bigint/ })
  assert.deepEqual(all('1'), [1])
})

test('aggregate() checks its arguments as better-sqlite3 does', () => {
  const { db, all } = open()
  const step = () => 1
  const cases = [
    [[1, { step }], 'Expected first argument to be a string'],
    [['f'], 'Expected second argument to be an options object'],
    [['', { step }], 'User-defined function name cannot be an empty string'],
    [['f', {}], 'Missing required option "step"'],
    [['f', { step: 1 }], 'Expected the "step" option to be a function'],
    [['f', { step, inverse: 1 }], 'Expected the "inverse" option to be a function'],
    [['f', { step, safeIntegers: null }], 'Expected the "safeIntegers" option to be a boolean'],
  ]
  for (const [given, message] of cases) assert.throws(() => db.aggregate(...given), { name: 'TypeError', message })
  db.aggregate('bigints', { safeIntegers: true, step: (_, value) => typeof value })
  assert.deepEqual(all('bigints(a) FROM t'), ['bigint'])
  db.aggregate('plain', { step: (total, value) => total + value })
  assert.throws(() => all(`plain(a) ${WINDOW} FROM t`), { code: 'SQLITE_ERROR' })
  db.aggregate('any', { varargs: true, start: 0, step: (total, ...values) => total + values.length })
  assert.deepEqual(all('any(1, 2) + any(a) + any() FROM t'), [12])
})

test('the database is busy in every callback', () => {
  const { db, all } = open()
  let calls = 0
  const refused = () => {
    calls += 1
    assert.throws(() => db.exec('SELECT 1'), { code: 'STRONGROOM_BUSY' })
    assert.throws(() => db.close(), { code: 'STRONGROOM_BUSY' })
  }
  db.aggregate('refused', { start: refused, step: refused, inverse: refused, result: refused })
  all(`refused() ${WINDOW} FROM t`)
  assert.equal(calls, 1 + 4 + 2 + 4)
})
