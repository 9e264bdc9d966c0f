// The limits and the warning of the asynchronous class, and the methods that it refuses.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { open as openOriginal } from 'strongroom/async'
import { codeOf, deferred, openMemory, openWal, SqliteError } from './async-database.mjs'

test('maxQueue limits the calls that wait or run', async (t) => {
  const db = await openMemory(t, { maxQueue: 5 })
  const calls = Array.from({ length: 5 }, () => db.run('INSERT INTO t DEFAULT VALUES'))
  for (const call of [
    () => db.run('INSERT INTO t DEFAULT VALUES'),
    () => db.get('SELECT 1'),
    () => db.iterate('SELECT 1').next(),
    () => db.transaction(() => assert.fail('ran')),
    () => db.read(() => assert.fail('ran')),
    () => db.prepare('SELECT 1'),
  ]) {
    const error = await call().then(assert.fail, (error) => error)
    assert.ok(error instanceof SqliteError)
    assert.equal(error.code, 'STRONGROOM_QUEUE_FULL')
    assert.match(error.message, /^5 calls .* "maxQueue"/)
  }
  await Promise.all(calls)
  await db.transaction(async (tx) => {
    // The transaction itself is not counted once it is open, nor are COMMIT and ROLLBACK.
    const inside = Array.from({ length: 5 }, () => tx.run('INSERT INTO t DEFAULT VALUES'))
    assert.equal(await codeOf(tx.get('SELECT 1')), 'STRONGROOM_QUEUE_FULL')
    await Promise.all(inside)
  })
  const rows = db.iterate('SELECT * FROM t')
  await rows.next()
  await Promise.all(Array.from({ length: 5 }, () => db.get('SELECT 1')))
  await rows.return()
  assert.deepEqual(await db.get('SELECT count(*) AS rows FROM t'), { rows: 10 })
})

test('failed, cancelled and refused calls leave the count', async (t) => {
  const db = await openWal(t, { maxQueue: 3 })
  const failing = [
    () => db.run('INSERT INTO missing VALUES (1)'),
    () => db.get('SELECT ?', []),
    () => db.get('SELECT 1', [], { signal: AbortSignal.abort() }),
    () => db.transaction(() => Promise.reject(new Error('mine'))),
    () => db.iterate('SELECT missing').next(),
    () => db.read((snapshot) => snapshot.get('SELECT missing')),
    () => db.get('DELETE FROM t'),
    () => db.run('BEGIN'),
  ]
  for (let i = 0; i < 3; i++) for (const call of failing) await assert.rejects(call())
  await Promise.all([1, 2, 3].map(() => db.run('INSERT INTO t DEFAULT VALUES')))
})

test('a long transaction emits one warning with the stack that began it', async (t) => {
  const db = await openWal(t, { transactionWarning: 10 })
  // The timer of the warning does not keep the process alive.
  const alive = setInterval(() => {}, 1000)
  t.after(() => clearInterval(alive))
  for (const [method, message] of [
    ['transaction', /^A transaction is open for more than 10 ms/],
    ['read', /^A read\(\) keeps its snapshot for more than 10 ms/],
  ]) {
    const gate = deferred()
    const warned = once(process, 'warning')
    const running = db[method](() => gate.promise)
    const [warning] = await warned
    gate.resolve()
    await running
    assert.equal(warning.name, 'StrongroomWarning')
    assert.equal(warning.code, 'STRONGROOM_LONG_TRANSACTION')
    assert.match(warning.message, message)
    assert.match(warning.detail, /^It was begun here:\n +at .*async-limits\.test\.mjs/)
  }
})

test('transactionWarning: 0 and a short transaction emit no warning', async (t) => {
  const warnings = []
  const listener = (warning) => warnings.push(warning)
  process.on('warning', listener)
  t.after(() => process.off('warning', listener))
  const silent = await openMemory(t, { transactionWarning: 0 })
  await silent.transaction((tx) => tx.run('INSERT INTO t DEFAULT VALUES'))
  const db = await openMemory(t, { transactionWarning: 100_000 })
  await db.transaction((tx) => tx.run('INSERT INTO t DEFAULT VALUES'))
  await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual(warnings, [])
})

test('JavaScript that SQL would call is refused', async (t) => {
  const db = await openMemory(t)
  const isRefused = (error) =>
    error instanceof SqliteError &&
    error.code === 'STRONGROOM_MAIN_THREAD' &&
    /JavaScript functions run on the main thread: use the synchronous class/.test(error.message)
  assert.throws(() => db.function('f', () => 1), isRefused)
  assert.throws(() => db.aggregate('a', { step: () => 1 }), isRefused)
  assert.throws(() => db.table('t', { columns: ['x'], *rows() {} }), isRefused)
  await assert.rejects(openOriginal(':memory:', { verbose: console.log }), isRefused)
  for (const name of ['attach', 'detach', 'serialize', 'keys', 'loadExtension', 'unsafeMode', 'explain'])
    assert.equal(db[name], undefined, name)
})

test('the options of open() have ranges', async () => {
  for (const [options, code] of [
    [{ readers: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ readers: 17 }, 'ERR_OUT_OF_RANGE'],
    [{ readers: 1.5 }, 'ERR_INVALID_ARG_TYPE'],
    [{ readers: '2' }, 'ERR_INVALID_ARG_TYPE'],
    [{ maxQueue: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ transactionWarning: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ reader: 2 }, 'ERR_INVALID_ARG_TYPE'],
    [{ timeout: -1 }, 'ERR_OUT_OF_RANGE'],
  ])
    assert.equal(await codeOf(openOriginal(':memory:', options)), code, JSON.stringify(options))
})

test('readers is the number of reading connections', async (t) => {
  for (const readers of [0, 1, 16]) {
    const db = await openWal(t, { readers })
    assert.equal(db.readers, readers)
    assert.deepEqual(
      await Promise.all(Array.from({ length: 32 }, () => db.get('SELECT 1 AS x'))),
      Array(32).fill({ x: 1 }),
    )
    await db.close()
    assert.equal(db.readers, 0)
  }
})

// The event loop's turns between batches came from the global setImmediate, which never runs while a test replaces it.
test('rows arrive although a test replaces the timers', async (t) => {
  const db = await openMemory(t, {}, 5_000)
  t.mock.timers.enable({ apis: ['setImmediate', 'setTimeout', 'setInterval'] })
  const rows = await db.all('SELECT id FROM t')
  t.mock.timers.reset()
  assert.equal(rows.length, 5_000)
})
