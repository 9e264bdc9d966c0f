import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import vm from 'node:vm'
import Database from './database.mjs'

let db
before(() => {
  db = new Database(':memory:')
})

/** Binds a value. Returns the type that SQLite gives it, and the value that SQLite returns. */
function stored(value, sql = 'SELECT typeof(?1) AS type, ?1 AS value') {
  return db.prepare(sql).get(value)
}

test('each kind of value is stored as its own type', () => {
  assert.deepEqual(stored('text'), { type: 'text', value: 'text' })
  assert.deepEqual(stored(''), { type: 'text', value: '' })
  assert.deepEqual(stored(null), { type: 'null', value: null })
  assert.deepEqual(stored(undefined), { type: 'null', value: null })
  assert.deepEqual(stored(1.5), { type: 'real', value: 1.5 })
  assert.deepEqual(stored(7n), { type: 'integer', value: 7 })
  assert.deepEqual(stored(Buffer.from('abc')), { type: 'blob', value: Buffer.from('abc') })
  assert.deepEqual(stored(new Uint8Array(0)), { type: 'blob', value: Buffer.alloc(0) })
})

test('an integral number binds as REAL, and the affinity of a column converts it', () => {
  assert.equal(stored(1).type, 'real')
  db.exec('CREATE TABLE affinity (i INTEGER, n NUMERIC, t TEXT, r REAL, b)')
  db.prepare('INSERT INTO affinity VALUES (?, ?, ?, ?, ?)').run(1, 1, 1, 1, 1)
  const types = db.prepare('SELECT typeof(i), typeof(n), t, typeof(r), typeof(b) FROM affinity').raw().get()
  assert.deepEqual(types, ['integer', 'integer', '1.0', 'real', 'real'])
  assert.equal(db.prepare('SELECT 1 LIMIT ?').pluck().get(1), 1)
})

test('extreme numbers and bigints keep their values, and NaN becomes NULL', () => {
  for (const value of [0, 2 ** 53, Number.MAX_VALUE, Number.MIN_VALUE, Infinity, -Infinity])
    assert.equal(stored(value).value, value)
  assert.deepEqual(stored(Number.NaN), { type: 'null', value: null })
  const least = -(2n ** 63n)
  const most = 2n ** 63n - 1n
  const same = db.prepare('SELECT ?').pluck().safeIntegers()
  for (const value of [least, most, 0n]) assert.equal(same.get(value), value)
})

test('a bigint beyond 64 bits throws a RangeError that names the parameter', () => {
  for (const value of [2n ** 63n, -(2n ** 63n) - 1n, 2n ** 100n]) {
    assert.throws(() => db.prepare('SELECT ?, :far').get(1, { far: value }), {
      name: 'RangeError',
      code: 'ERR_OUT_OF_RANGE',
      message: /^parameter 2 \(:far\).*64-bit/,
    })
  }
})

test('text of any script and length survives a round trip', () => {
  const texts = [
    'a\0b',
    'grün',
    '日本語',
    '🐈‍⬛',
    '\ufffd',
    '\ufeff',
    'x'.repeat(100_000),
    'é'.repeat(70_000),
    '€'.repeat(33),
  ]
  for (let length = 55; length < 70; length++) texts.push(`${'e'.repeat(length - 1)}é`, '日'.repeat(length))
  for (const text of texts) assert.equal(stored(text).value, text)
})

test('a lone surrogate throws an error that names the parameter, and is never stored as U+FFFD', () => {
  for (const text of ['\ud800', 'a\udc00b', '\udc00\ud800', `${'é'.repeat(100)}\ud800`, '\ufffd\ud800']) {
    assert.throws(() => db.prepare('SELECT ?, @b').get('fine', { b: text }), {
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_VALUE',
      message: /^parameter 2 \(@b\).*lone surrogate/,
    })
  }
})

test('every kind of view and buffer is stored byte for byte', () => {
  const bytes = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8])
  const expected = Buffer.from(bytes)
  const shared = new SharedArrayBuffer(8)
  new Uint8Array(shared).set(bytes)
  const same = [
    bytes,
    bytes.buffer,
    new Float64Array(bytes.buffer),
    new BigInt64Array(bytes.buffer),
    new DataView(bytes.buffer),
    new Uint8ClampedArray(bytes),
    shared,
    new Uint16Array(shared),
    vm.runInNewContext('Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8])'),
  ]
  for (const value of same) assert.deepEqual(stored(value), { type: 'blob', value: expected })
  assert.deepEqual(stored(bytes.subarray(2, 4)).value, Buffer.from([3, 4]))
  assert.deepEqual(stored(new DataView(bytes.buffer, 6)).value, Buffer.from([7, 8]))
})

test('a view of a transferred buffer is refused', () => {
  const view = new Uint8Array(4)
  structuredClone(view.buffer, { transfer: [view.buffer] })
  assert.throws(() => stored(view), { name: 'TypeError', message: /^parameter 1 .*transferred/ })
})

/*
 * A fixed bug: a transferred buffer and its DataView threw JavaScript's own error, which has no code. Two views were
 * stored as empty blobs: a view beyond the end of a shrunk buffer, and a view whose buffer the getter of a later
 * parameter transferred.
 */
test('a transferred buffer or a view out of bounds is refused, and never stored as an empty blob', () => {
  const transfer = (buffer) => structuredClone(buffer, { transfer: [buffer] })
  const refused = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE', message: /^parameter 1 .*transferred/ }
  for (const shape of [(b) => b, (b) => new DataView(b), (b) => new Float64Array(b), (b) => Buffer.from(b)]) {
    const buffer = new ArrayBuffer(8)
    const value = shape(buffer)
    transfer(buffer)
    assert.throws(() => stored(value), refused, `${shape}`)
  }
  const shrunk = new ArrayBuffer(8, { maxByteLength: 16 })
  for (const value of [new Uint8Array(shrunk, 4, 4), new Int16Array(shrunk, 4, 2), new DataView(shrunk, 4, 4)]) {
    shrunk.resize(8)
    assert.equal(stored(value).value.length, 4)
    shrunk.resize(6)
    assert.throws(() => stored(value), refused)
  }
  shrunk.resize(0)
  assert.deepEqual(stored(new Uint8Array(shrunk)).value, Buffer.alloc(0))
  const first = new Uint8Array(8)
  const parameters = {
    a: first,
    get b() {
      transfer(first.buffer)
      return 1
    },
  }
  assert.throws(() => db.prepare('SELECT :a, :b').get(parameters), refused)
})

test('a returned blob is a copy', () => {
  db.exec("CREATE TABLE blobs AS SELECT x'010203' AS b")
  const select = db.prepare('SELECT b FROM blobs').pluck()
  const blob = select.get()
  assert.ok(Buffer.isBuffer(blob))
  blob.fill(0)
  assert.deepEqual(select.get(), Buffer.from([1, 2, 3]))
})

test('a value of any other type throws a TypeError that names the parameter', () => {
  const wrong = [true, false, Symbol('s'), () => {}, new Date(), /x/, new Map(), new (class Cat {})(), new String('s')]
  for (const value of wrong) {
    assert.throws(() => db.prepare('SELECT :a, ?').get(1, { a: value }), {
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_TYPE',
      message: /^parameter 1 \(:a\) must be/,
    })
  }
  assert.throws(() => db.prepare('SELECT $day').get({ day: new Date() }), { message: /\(\$day\).*class Date/ })
  assert.throws(() => db.prepare('SELECT ?').get([[1]]), { message: /^parameter 1 .*class Array/ })
})

test('positional values are passed one by one, in arrays, or both', () => {
  const select = db.prepare('SELECT ?, ?, ?').raw()
  for (const args of [['a', 'b', 'c'], [['a', 'b', 'c']], ['a', ['b', 'c']], [['a'], 'b', ['c']], ['a', 'b', 'c', {}]])
    assert.deepEqual(select.get(...args), ['a', 'b', 'c'])
  assert.deepEqual(db.prepare('SELECT ?2, ?1').raw().get('one', 'two'), ['two', 'one'])
})

test('named values are passed in one object, together with positional values', () => {
  const values = { a: 'A', b: 'B', c: 'C' }
  assert.deepEqual(db.prepare('SELECT :a, @b, $c, :a').raw().get(values), ['A', 'B', 'C', 'A'])
  assert.deepEqual(db.prepare('SELECT ?, :a, ?').raw().get('x', { a: 'A' }, 'y'), ['x', 'A', 'y'])
  assert.equal(
    db
      .prepare('SELECT :a')
      .pluck()
      .get(Object.assign(Object.create(null), { a: 1n })),
    1,
  )
  assert.equal(db.prepare('SELECT :a').pluck().get(vm.runInNewContext('({ a: "there" })')), 'there')
  assert.throws(() => db.prepare('SELECT :a, :b').get({ a: 1, b: 2 }, { b: 2 }), TypeError)
})

test('the error for too few or too many values states both counts', () => {
  const select = db.prepare('SELECT ?, ?')
  const counts = [
    [[], /too few.* 2 by position, but the call passes 0/],
    [['a'], /too few.* 2 by position, but the call passes 1/],
    [['a', 'b', 'c'], /too many.* 2 by position, but the call passes 3/],
    [
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
      /too many.* 2 by position, but the call passes 4/,
    ],
  ]
  for (const [args, message] of counts)
    assert.throws(() => select.get(...args), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE', message })
  assert.throws(() => db.prepare('SELECT 1').get('a'), {
    name: 'RangeError',
    message: /0 by position, but the call passes 1/,
  })
})

test('the error names a missing parameter, and unknown names are ignored', () => {
  const select = db.prepare('SELECT :first, :second')
  assert.throws(() => select.get({ first: 1 }), { name: 'RangeError', message: /missing.*"second"/ })
  assert.throws(() => select.get(), { name: 'TypeError', message: /missing named parameters.*first: value/ })
  assert.deepEqual(select.raw().get({ first: 1, second: 2, third: 3 }), [1, 2])
  assert.equal(db.prepare('SELECT ?').pluck().get('a', { b: 1 }), 'a')
  assert.throws(() => db.prepare('SELECT :toString').get({}), { message: /missing.*"toString"/ })
})

test('bind() sets the values permanently, and only once', () => {
  const select = db.prepare('SELECT ?, :n').raw()
  assert.equal(select.bind('p', { n: 'N' }), select)
  assert.deepEqual(select.get(), ['p', 'N'])
  assert.deepEqual(select.all(), [['p', 'N']])
  assert.throws(() => select.get('x'), { name: 'TypeError', message: /already has bound parameters/ })
  assert.throws(() => select.bind('x'), { name: 'TypeError', message: /once/ })
  assert.deepEqual(select.get(), ['p', 'N'])
})

test('a refused value leaves no values bound', () => {
  const select = db.prepare('SELECT ?, ?').raw()
  assert.deepEqual(select.get('a', 'b'), ['a', 'b'])
  assert.throws(() => select.get('c', '\ud800'), TypeError)
  assert.throws(() => select.get('c', 2n ** 64n), RangeError)
  assert.deepEqual(select.get(null, 'd'), [null, 'd'])
})
