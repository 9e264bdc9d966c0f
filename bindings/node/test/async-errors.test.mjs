// The errors and the values of the asynchronous class, compared with the synchronous class.
import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { SqliteError as AsyncError, AsyncDatabase as Class, open as openOriginal } from 'strongroom/async'
import { AsyncDatabase, codeOf, open, openMemory, openWal } from './async-database.mjs'
import Database, { SqliteError } from './database.mjs'
import { freshPath } from './temporary.mjs'

const SCHEMA = 'CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT UNIQUE, CHECK (id < 1000))'

/** Returns an object with what a caller sees of an error. */
const seen = (error) => ({
  Class: error.constructor.name,
  name: error.name,
  message: error.message,
  code: error.code,
  cause: error.cause && seen(error.cause),
})

test('errors are those of the synchronous class', async (t) => {
  const db = await openMemory(t)
  const sync = new Database(':memory:')
  await db.exec(`DROP TABLE t; ${SCHEMA}; INSERT INTO t VALUES (1, 'a')`)
  sync.exec(`${SCHEMA}; INSERT INTO t VALUES (1, 'a')`)
  const throwing = {
    get a() {
      throw new RangeError('of a getter')
    },
  }
  for (const [method, sql, params] of [
    ['run', "INSERT INTO t VALUES (1, 'b')", []],
    ['run', "INSERT INTO t VALUES (2, 'a')", []],
    ['run', 'INSERT INTO t (id) VALUES (?)', [1000]],
    ['run', 'INSERT INTO missing VALUES (1)', []],
    ['get', 'SELECTT 1', []],
    ['get', 'SELECT missing', []],
    ['get', '', []],
    ['get', 'SELECT 1; SELECT 2', []],
    ['get', "SELECT '\0'", []],
    ['get', 'SELECT "\ud800"', []],
    ['get', 5, []],
    ['get', undefined, []],
    ['get', 'DELETE FROM t', []],
    ['all', 'DELETE FROM t', []],
    ['get', 'SELECT ?', []],
    ['get', 'SELECT ?', [1, 2]],
    ['get', 'SELECT ?', [{}]],
    ['get', 'SELECT ?', [() => {}]],
    ['get', 'SELECT ?', [Symbol.iterator]],
    ['get', 'SELECT ?', [true]],
    ['get', 'SELECT ?', [new Date(0)]],
    ['get', 'SELECT ?', [2n ** 63n]],
    ['get', 'SELECT ?', ['\ud800']],
    ['get', 'SELECT :a', []],
    ['get', 'SELECT :a', { b: 1 }],
    ['get', 'SELECT :a, ?', { a: 1 }],
    ['get', 'SELECT :a', [{ a: 1 }, { a: 2 }]],
    ['get', 'SELECT :a', throwing],
    ['get', 'SELECTT :a', throwing],
    ['get', 'SELECTT ?', []],
    ['get', 'SELECT missing, ?', [1, 2]],
    ['get', 'SELECT 9223372036854775807 AS x, abs(-9223372036854775808)', []],
    ['run', 'PRAGMA rekey = x', []],
  ]) {
    let expected
    try {
      const statement = sync.prepare(sql)
      if (Array.isArray(params)) statement[method](...params)
      else statement[method](params)
    } catch (error) {
      expected = error
    }
    assert.ok(expected, `the synchronous class accepts ${method} ${String(sql)}`)
    const error = await db[method](sql, params).then(assert.fail, (error) => error)
    assert.deepEqual(seen(error), seen(expected), `${method} ${String(sql)}`)
  }
})

test('values are those of the synchronous class', async (t) => {
  const db = await openMemory(t)
  const sync = new Database(':memory:')
  const values = [
    null,
    undefined,
    1,
    1.5,
    -0,
    Number.NaN,
    2 ** 53,
    7n,
    -(2n ** 63n),
    '',
    'text',
    'é'.repeat(50),
    '漢字'.repeat(100),
    '🙂'.repeat(1000),
    'x'.repeat(100_000),
    Buffer.alloc(0),
    Buffer.from('small'),
    Buffer.alloc(65, 3),
    new Uint8Array(100_000).fill(7),
    new Float64Array([1, 2]),
    new Uint8Array([1, 2, 3]).buffer,
    new DataView(new ArrayBuffer(4)),
  ]
  const sql = `SELECT ${values.map((_, i) => `? AS v${i}`).join()}`
  const expected = sync.prepare(sql).get(...values)
  assert.deepEqual(await db.get(sql, values), expected)
  assert.deepEqual(await db.all(sql, values), [expected])
  for await (const row of db.iterate(sql, values)) assert.deepEqual(row, expected)
  const statement = await db.prepare(sql)
  const twin = sync.prepare(sql)
  assert.deepEqual(await statement.raw().get(values), twin.raw().get(...values))
  assert.deepEqual(
    await statement.raw(false).safeIntegers().get(values),
    twin
      .raw(false)
      .safeIntegers()
      .get(...values),
  )
  assert.equal(await statement.pluck().get(values), null)
  assert.deepEqual(await db.get('SELECT :a AS a, @b AS b, $c AS c', { a: 1, b: 'b', c: null, d: 'more' }), {
    a: 1,
    b: 'b',
    c: null,
  })
  assert.deepEqual(await db.get('SELECT ?2 AS a, ?1 AS b', [1, 2]), { a: 2, b: 1 })
  assert.deepEqual(await db.get('SELECT :a AS a, ? AS b', [{ a: 1 }, 2]), { a: 1, b: 2 })
})

test('params are an array or an object', async (t) => {
  const db = await openMemory(t)
  for (const params of [5, 'text', Buffer.alloc(1), 7n, true, new Date(), new Map(), () => {}])
    assert.equal(await codeOf(db.get('SELECT ?', params)), 'ERR_INVALID_ARG_TYPE')
  await assert.rejects(db.get('SELECT ?', 5), /array of values, or an object .*\[value\]/)
  const { signal } = new AbortController()
  await assert.rejects(db.get('SELECT 1', { signal }), /"signal" belongs into the last argument/)
  for (const options of [5, 'text', [], new Map(), { signal: 5 }, { signl: signal }]) {
    assert.equal(await codeOf(db.get('SELECT 1', [], options)), 'ERR_INVALID_ARG_TYPE')
    assert.equal(await codeOf(db.exec('SELECT 1', options)), 'ERR_INVALID_ARG_TYPE')
    assert.equal(await codeOf(db.transaction(() => {}, options)), 'ERR_INVALID_ARG_TYPE')
    assert.equal(await codeOf(db.read(() => {}, options)), 'ERR_INVALID_ARG_TYPE')
    assert.equal(await codeOf(db.check(options)), 'ERR_INVALID_ARG_TYPE')
  }
  assert.deepEqual(await db.get('SELECT 1 AS x', null, null), { x: 1 })
  assert.equal(await codeOf(db.pragma(5)), 'ERR_INVALID_ARG_TYPE')
  assert.equal(await codeOf(db.pragma('user_version', { simple: 1 })), 'ERR_INVALID_ARG_TYPE')
})

/** Signals that lack something, or that throw. */
const BROKEN_SIGNALS = [
  {},
  new EventTarget(),
  { aborted: false },
  { aborted: false, addEventListener() {} },
  { aborted: 0, addEventListener() {}, removeEventListener() {} },
]

// A fixed bug: a signal without `removeEventListener` stopped the end of a transaction, and so every later call.
test('a signal has the methods of an AbortSignal, and one that throws ends no other call', async (t) => {
  for (const db of [await openMemory(t), await openWal(t)]) {
    const calls = [
      (options) => db.run('INSERT INTO t DEFAULT VALUES', [], options),
      (options) => db.get('SELECT 1', [], options),
      async (options) => {
        const rows = db.iterate('SELECT 1', [], options)
        await rows.next()
        await rows.return()
      },
      (options) => db.exec('SELECT 1', options),
      (options) => db.pragma('user_version', options),
      (options) => db.prepare('SELECT 1', options),
      (options) => db.transaction((tx) => tx.get('SELECT 1'), options),
      (options) => db.read((snapshot) => snapshot.get('SELECT 1'), options),
      (options) => db.check(options),
      (options) => db.backup(freshPath(), options),
      (options) => openOriginal(':memory:', options),
    ]
    for (const call of calls) {
      for (const signal of BROKEN_SIGNALS) assert.equal(await codeOf(call({ signal })), 'ERR_INVALID_ARG_TYPE')
      const refuse = () => {
        throw new Error('of a signal')
      }
      const adding = { aborted: false, addEventListener: refuse, removeEventListener() {} }
      await assert.rejects(call({ signal: adding }), { message: 'of a signal' }, call.toString())
      const removing = { aborted: false, addEventListener() {}, removeEventListener: refuse }
      const result = await call({ signal: removing })
      await result?.close?.()
    }
    await db.run('INSERT INTO t DEFAULT VALUES')
    await db.transaction((tx) => tx.run('INSERT INTO t DEFAULT VALUES'))
    await db.close()
  }
})

test('no method throws: invalid arguments reject', async (t) => {
  const db = await openMemory(t)
  const statement = await db.prepare('SELECT ?')
  const write = await db.prepare('DELETE FROM t')
  for (const call of [
    () => openOriginal(5),
    () => openOriginal(':memory:', { key: 'text' }),
    () => openOriginal(':memory:', { nativeBinding: 5 }),
    () => db.run(),
    () => db.get(Symbol('a')),
    () => db.all(null),
    () => db.exec(5),
    () => db.pragma(),
    () => db.pragma('user_version', { simple: 5 }),
    () => db.prepare({}),
    () => db.transaction(),
    () => db.read(5),
    () => db.backup(),
    () => db.backup(''),
    () => db.check({ attached: 5 }),
    () => db.rekey(),
    () => statement.get([]),
    () => statement.get(5),
    () => write.get(),
    () => write.columns(),
    () => write.iterate().next(),
  ])
    assert.match(await codeOf(call()), /^ERR_/, call.toString())
})

test('open() rejects with the errors of the constructor', async (t) => {
  const path = freshPath()
  const keyed = await open(t, path, { key: Buffer.alloc(32, 1) })
  await keyed.exec('CREATE TABLE t (x)')
  await keyed.close()
  for (const args of [
    [path, { key: Buffer.alloc(32, 2) }],
    ['/missing/folder/a.db'],
    [freshPath(), { fileMustExist: true }],
    [':memory:', { readonly: true }],
    ['a\0b'],
    [path, { passphrase: '' }],
    [path, { pasphrase: 'x' }],
  ]) {
    let expected
    try {
      new Database(...args)
    } catch (error) {
      expected = error
    }
    const error = await openOriginal(...args).then(
      () => assert.fail(JSON.stringify(args)),
      (error) => error,
    )
    assert.deepEqual(seen(error), seen(expected), JSON.stringify(args))
  }
})

test('the classes are exported, and have no public constructors', async (t) => {
  const db = await openMemory(t)
  assert.equal(AsyncError, SqliteError)
  assert.equal(AsyncDatabase, Class)
  assert.ok(db instanceof AsyncDatabase)
  assert.throws(() => new AsyncDatabase('a.db'), { code: 'ERR_INVALID_ARG_TYPE', message: /open\(\)/ })
})

/** Returns the lines of an error's stack below its message. */
const frames = (error) => error.stack.split('\n').filter((line) => /^ +at /.test(line))

test('a getter or a proxy that throws is an error of the promise', async (t) => {
  const db = await openMemory(t)
  const get = () => {
    throw new Error('of a getter')
  }
  const proxy = new Proxy({}, { get, ownKeys: get })
  for (const options of [proxy, Object.defineProperty({}, 'simple', { get, enumerable: true })])
    await assert.rejects(db.pragma('user_version', options), { message: 'of a getter' })
  for (const call of [
    () => db.run('SELECT 1', [], proxy),
    () => db.exec('SELECT 1', proxy),
    () => db.prepare('SELECT 1', proxy),
    () => db.transaction(() => {}, proxy),
    () => db.read(() => {}, proxy),
    () => db.check(proxy),
    () => db.backup('a.db', proxy),
    () => db.rekey(proxy),
    () => db.iterate('SELECT 1', [], proxy).next(),
    () => openOriginal(':memory:', proxy),
  ])
    await assert.rejects(call(), { message: 'of a getter' }, call.toString())
})

test('the stack of an error leads to the line of the call', async (t) => {
  const db = await openWal(t)
  const statement = await db.prepare('INSERT INTO t (id) VALUES (?)')
  await statement.run([1])
  const calls = {
    run: () => db.run('INSERT INTO t (id) VALUES (1)'),
    get: () => db.get('SELECT missing'),
    all: () => db.all('SELECT missing'),
    iterate: () => db.iterate('SELECT missing').next(),
    exec: () => db.exec('SELECT missing'),
    pragma: () => db.pragma('rekey = x'),
    prepare: () => db.prepare('SELECT missing'),
    statement: () => statement.run([1]),
    transaction: () => db.transaction((tx) => tx.exec('SELECT missing')),
    read: () => db.read((snapshot) => snapshot.get('SELECT missing')),
    backup: () => db.backup('/missing/folder/copy.db'),
    columns: async () => {
      const other = await openMemory(t)
      const prepared = await other.prepare('SELECT * FROM t')
      await other.exec('DROP TABLE t')
      await prepared.columns()
    },
    open: () => openOriginal(freshPath(), { fileMustExist: true }),
    'open of a folder': () => openOriginal(dirname(freshPath())),
    'in a queue': async () => {
      const [, second] = await Promise.allSettled([db.transaction(() => {}), db.run('INSERT INTO t (id) VALUES (1)')])
      throw second.reason
    },
  }
  for (const [name, call] of Object.entries(calls)) {
    const error = await call().then(assert.fail, (error) => error)
    assert.match(
      error.stack,
      new RegExp(`^${error.name}: ${error.message.split('\n')[0].replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}`),
      name,
    )
    assert.match(frames(error)[0], /async-errors\.test\.mjs/, `${name}: ${error.stack}`)
  }
  // `.then` has no frame of an await, so the stack must come from the call itself.
  const error = await new Promise((resolve) => db.get('SELECT missing').then(assert.fail, resolve))
  assert.match(frames(error)[0], /async-errors\.test\.mjs/)
})

test('a statement has the shapes and the facts of the synchronous class', async (t) => {
  const db = await openMemory(t)
  const sync = new Database(':memory:')
  sync.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)')
  await db.run("INSERT INTO t VALUES (1, 'a')")
  const sql = 'SELECT id, text, 5 AS five FROM t'
  const statement = await db.prepare(sql)
  const twin = sync.prepare(sql)
  assert.deepEqual([statement.source, statement.reader, statement.readonly], [sql, true, true])
  assert.deepEqual(await statement.columns(), twin.columns())
  assert.deepEqual(await statement.expand().get(), { t: { id: 1, text: 'a' }, $: { five: 5 } })
  assert.deepEqual(await statement.expand(false).all(), [{ id: 1, text: 'a', five: 5 }])
  assert.deepEqual(await statement.raw().all(), [[1, 'a', 5]])
  assert.equal(await statement.pluck().get(), 1)
  assert.equal(await statement.pluck().safeIntegers().get(), 1n)
  assert.throws(() => statement.pluck(1), { code: 'ERR_INVALID_ARG_TYPE' })
  const insert = await db.prepare("INSERT INTO t (text) VALUES ('b')")
  assert.deepEqual([insert.reader, insert.readonly], [false, false])
  assert.throws(() => insert.pluck(), { code: 'ERR_INVALID_ARG_TYPE' })
  assert.deepEqual(await insert.safeIntegers().run(), { changes: 1, lastInsertRowid: 2n })
  await db.exec('ALTER TABLE t ADD COLUMN more DEFAULT 7')
  const all = await db.prepare('SELECT * FROM t')
  assert.deepEqual(await all.get(), { id: 1, text: 'a', more: 7 })
  await db.exec('ALTER TABLE t RENAME COLUMN more TO other')
  assert.deepEqual(await all.get(), { id: 1, text: 'a', other: 7 })
  db.defaultSafeIntegers()
  assert.deepEqual(await db.get('SELECT 5 AS x'), { x: 5n })
  assert.equal(await db.pragma('user_version', { simple: true }), 0n)
  assert.equal(await (await db.prepare('SELECT 5')).pluck().get(), 5n)
  assert.equal(db.defaultSafeIntegers(false), db)
  assert.deepEqual(await db.get('SELECT 5 AS x'), { x: 5 })
})
