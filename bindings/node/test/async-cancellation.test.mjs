// AbortSignals of the asynchronous class.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { codeOf, deferred, ENDLESS, open, openMemory, openWal, settled } from './async-database.mjs'
import { freshPath } from './temporary.mjs'

const ENDLESS_WRITE = `INSERT INTO t (text) ${ENDLESS.replace('SELECT max(x)', 'SELECT x')}`
const REASON = { the: 'reason' }

/** Asserts that a promise rejects with exactly the reason. */
async function rejectsWithReason(promise) {
  await assert.rejects(promise, (error) => error === REASON)
}

/** Makes a call with a signal, aborts the signal once the call runs, and asserts that the call rejects with the reason. */
async function cancelled(call) {
  const controller = new AbortController()
  const promise = call({ signal: controller.signal })
  await wait(20)
  controller.abort(REASON)
  await rejectsWithReason(promise)
}

/** The calls that never end, of a database, a transaction or a snapshot. */
const READS = {
  get: (db, options) => db.get(ENDLESS, [], options),
  all: (db, options) => db.all(ENDLESS, undefined, options),
  iterate: (db, options) => db.iterate(ENDLESS, null, options).next(),
  'a statement': async (db, options) => (await db.prepare(ENDLESS)).get([], options),
}
const WRITES = {
  run: (db, options) => db.run(ENDLESS_WRITE, [], options),
  exec: (db, options) => db.exec(ENDLESS_WRITE, options),
  'run of a query': (db, options) => db.run(ENDLESS, [], options),
}

for (const [name, make] of [
  ['with readers', (t) => openWal(t, { readers: 1 })],
  ['with one connection', (t) => openMemory(t)],
])
  for (const [method, call] of Object.entries({ ...READS, ...WRITES }))
    test(`${method} is interrupted ${name}, and the connection stays usable`, async (t) => {
      const db = await make(t)
      await cancelled((options) => call(db, options))
      assert.deepEqual(await db.get('SELECT count(*) AS rows FROM t'), { rows: 0 })
      await db.run('INSERT INTO t DEFAULT VALUES')
      // The reason is that of the signal, also if the signal aborts with its own error.
      const signal = AbortSignal.timeout(10)
      await assert.rejects(call(db, { signal }), { name: 'TimeoutError' })
      assert.deepEqual(await db.get('SELECT count(*) AS rows FROM t'), { rows: 1 })
    })

test('a call with an aborted signal does not run', async (t) => {
  const db = await openWal(t)
  const signal = AbortSignal.abort(REASON)
  for (const call of [
    () => db.run('INSERT INTO t DEFAULT VALUES', [], { signal }),
    () => db.get('SELECT 1', [], { signal }),
    () => db.all('SELECT 1', [], { signal }),
    () => db.iterate('SELECT 1', [], { signal }).next(),
    () => db.exec('INSERT INTO t DEFAULT VALUES', { signal }),
    () => db.pragma('user_version = 5', { signal }),
    () => db.prepare('SELECT 1', { signal }),
    () => db.transaction(() => assert.fail('ran'), { signal }),
    () => db.read(() => assert.fail('ran'), { signal }),
    () => db.backup(freshPath(), { signal }),
    () => db.check({ signal }),
    () => db.rekey({ key: Buffer.alloc(32) }, { signal }),
  ])
    await rejectsWithReason(call())
  assert.deepEqual(await db.get('SELECT count(*) AS rows FROM t'), { rows: 0 })
  assert.equal(await db.pragma('user_version', { simple: true }), 0)
})

test('open() and columns() take a signal', async (t) => {
  const { open: openOriginal } = await import('strongroom/async')
  const signal = AbortSignal.abort(REASON)
  await rejectsWithReason(openOriginal(':memory:', { signal }))
  const db = await openMemory(t)
  const statement = await db.prepare('SELECT 1')
  await rejectsWithReason(statement.columns({ signal }))
  assert.equal(await codeOf(statement.columns({ signl: signal })), 'ERR_INVALID_ARG_TYPE')
  // The key is still being derived when the signal aborts. The database is closed once it is open.
  const path = freshPath()
  const controller = new AbortController()
  const opening = openOriginal(path, { passphrase: 'p', kdfIter: 100_000, signal: controller.signal })
  controller.abort(REASON)
  await rejectsWithReason(opening)
  const again = await openOriginal(path, { passphrase: 'p', kdfIter: 100_000, signal: new AbortController().signal })
  await again.close()
})

test('a waiting call leaves its queue', async (t) => {
  const stop = new AbortController()
  // Runs before the database is closed: after a failure, close() would wait for the endless query.
  t.after(() => stop.abort(REASON))
  const db = await openWal(t, { readers: 1, timeout: 60_000 })
  const controller = new AbortController()
  const { signal } = controller
  const gate = deferred()
  const running = [
    db.get(ENDLESS, [], { signal: stop.signal }),
    db.transaction(() => gate.promise),
    db.transaction(() => assert.fail('ran'), { signal }),
  ]
  const waiting = [
    db.run('INSERT INTO t DEFAULT VALUES', [], { signal }),
    db.get('SELECT 1', [], { signal }),
    db.exec('INSERT INTO t DEFAULT VALUES', { signal }),
    db.iterate('SELECT 1', [], { signal }).next(),
    db.read(() => assert.fail('ran'), { signal }),
    running[2],
  ]
  for (const call of waiting) assert.equal(await settled(call), false)
  controller.abort(REASON)
  for (const call of waiting) await rejectsWithReason(call)
  stop.abort(REASON)
  await rejectsWithReason(running[0])
  gate.resolve()
  await running[1]
  await db.run('INSERT INTO t DEFAULT VALUES')
  assert.deepEqual(await db.get('SELECT count(*) AS rows FROM t'), { rows: 1 })
})

test('calls before and behind a cancelled call are not concerned', async (t) => {
  const db = await openMemory(t)
  const controller = new AbortController()
  const calls = []
  for (let i = 0; i < 200; i++) {
    const options = i % 2 === 0 ? {} : { signal: controller.signal }
    calls.push(db.run('INSERT INTO t (id) VALUES (?)', [i], options).catch((error) => error))
  }
  controller.abort(REASON)
  const results = await Promise.all(calls)
  assert.ok(results.every((result, i) => result === REASON || result.changes === 1 || i % 2 === 1))
  assert.ok(results.every((result, i) => i % 2 === 1 || result.changes === 1))
  const rows = (await db.all('SELECT id FROM t')).map(({ id }) => id)
  assert.deepEqual(
    rows,
    results.flatMap((result, i) => (result === REASON ? [] : [i])),
  )
})

test('an interrupted write in a transaction ends the transaction', async (t) => {
  const db = await openWal(t)
  const failing = db.transaction(async (tx) => {
    await tx.run('INSERT INTO t DEFAULT VALUES')
    const controller = new AbortController()
    // The thread begins the write as soon as it has answered this call.
    const before = tx.get('SELECT 1')
    const write = WRITES.run(tx, { signal: controller.signal })
    await before
    await wait(20)
    controller.abort(REASON)
    await rejectsWithReason(write)
    assert.equal(await codeOf(tx.get('SELECT 1')), 'STRONGROOM_TRANSACTION_ENDED')
  })
  assert.equal(await codeOf(failing), 'STRONGROOM_TRANSACTION_ENDED')
  await db.transaction(async (tx) => {
    await tx.run('INSERT INTO t DEFAULT VALUES')
    await cancelled((options) => READS.get(tx, options))
    await tx.run('INSERT INTO t DEFAULT VALUES')
  })
  assert.deepEqual(await db.get('SELECT count(*) AS rows FROM t'), { rows: 2 })
})

for (const [method, call] of Object.entries({
  ...READS,
  ...WRITES,
  wait: () => wait(60_000, undefined, { ref: false }),
}))
  test(`the signal of a transaction ends ${method} in it, and rolls back without waiting for the callback`, async (t) => {
    const db = await openWal(t)
    const controller = new AbortController()
    const inside = deferred()
    const begun = deferred()
    let kept
    const transaction = db.transaction(
      async (tx) => {
        kept = tx
        await tx.run('INSERT INTO t DEFAULT VALUES')
        const running = call(tx, {})
        // A statement makes its call only after it is prepared, so a call made here would not be behind it.
        const behind = method === 'a statement' ? running : tx.get('SELECT 1')
        Promise.allSettled([behind, method === 'wait' ? undefined : running]).then(inside.resolve)
        begun.resolve()
        await running
      },
      { signal: controller.signal },
    )
    await begun.promise
    await wait(20)
    controller.abort(REASON)
    await rejectsWithReason(transaction)
    const [behind, running] = await inside.promise
    if (method !== 'wait') assert.deepEqual([behind.reason, running.reason], [REASON, REASON])
    assert.equal(await codeOf(kept.get('SELECT 1')), 'STRONGROOM_TRANSACTION_ENDED')
    await db.run('INSERT INTO t DEFAULT VALUES')
    assert.deepEqual(await db.get('SELECT count(*) AS rows FROM t'), { rows: 1 })
  })

test('the signal of a nested transaction rolls back to its savepoint', async (t) => {
  const db = await openWal(t)
  await db.transaction(async (tx) => {
    await tx.run('INSERT INTO t (id) VALUES (1)')
    await cancelled((options) =>
      tx.transaction(async (inner) => {
        await inner.run('INSERT INTO t (id) VALUES (2)')
        await wait(60_000, undefined, { ref: false })
      }, options),
    )
    await tx.run('INSERT INTO t (id) VALUES (3)')
  })
  assert.deepEqual(await db.all('SELECT id FROM t'), [{ id: 1 }, { id: 3 }])
})

for (const [name, make] of [
  ['on a reader', (t) => openWal(t, { readers: 1 })],
  ['with one connection', (t) => openMemory(t)],
])
  test(`the signal of read() ends the snapshot ${name}`, async (t) => {
    const db = await make(t)
    await cancelled((options) => db.read((snapshot) => snapshot.get(ENDLESS), options))
    await cancelled((options) => db.read(() => wait(60_000, undefined, { ref: false }), options))
    assert.deepEqual(await db.read((snapshot) => snapshot.get('SELECT 1 AS x')), { x: 1 })
    await db.run('INSERT INTO t DEFAULT VALUES')
  })

test('the wait for a lock ends', async (t) => {
  const path = freshPath()
  const db = await open(t, path, { timeout: 60_000 })
  const other = await open(t, path)
  await db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
  await other.transaction(async () => {
    await cancelled((options) => db.run('INSERT INTO t DEFAULT VALUES', [], options))
    await cancelled((options) => db.transaction(() => assert.fail('ran'), options))
  })
  await db.run('INSERT INTO t DEFAULT VALUES')
})

test('a change of the journal mode that waits for a reader is cancelled', async (t) => {
  const db = await openWal(t, { timeout: 60_000 }, 300)
  const rows = db.iterate('SELECT * FROM t')
  await rows.next()
  await cancelled((options) => db.pragma('journal_mode = DELETE', options))
  await rows.return()
  assert.equal(await db.pragma('journal_mode', { simple: true }), 'wal')
  assert.equal(db.readers, 2)
  await db.run('INSERT INTO t DEFAULT VALUES')
})

test('an abort ends an iterator, whose next row rejects once', async (t) => {
  const db = await openWal(t, { readers: 1 }, 300)
  const controller = new AbortController()
  const rows = db.iterate('SELECT * FROM t', [], { signal: controller.signal })
  await rows.next()
  controller.abort(REASON)
  await rejectsWithReason(rows.next())
  assert.deepEqual(await rows.next(), { done: true, value: undefined })
  const loop = (async () => {
    const second = new AbortController()
    for await (const { id } of db.iterate('SELECT id FROM t', [], { signal: second.signal }))
      if (id === 5) second.abort(REASON)
  })()
  await rejectsWithReason(loop)
  // The reader is free again.
  assert.deepEqual(await db.read((snapshot) => snapshot.get('SELECT 1 AS x')), { x: 1 })
})

test('a signal that aborts after the call has ended has no effect, and keeps no listener', async (t) => {
  const db = await openWal(t, {}, 3)
  const controller = new AbortController()
  const { signal } = controller
  const counts = { addEventListener: 0, removeEventListener: 0 }
  for (const name of Object.keys(counts)) {
    const original = signal[name]
    signal[name] = (...args) => {
      counts[name]++
      original.apply(signal, args)
    }
  }
  for (let i = 0; i < 3; i++) await Promise.all([1, 2, 3].map(() => db.get('SELECT 1', [], { signal })))
  for await (const _ of db.iterate('SELECT * FROM t', [], { signal }));
  await db.transaction((tx) => tx.run('INSERT INTO t DEFAULT VALUES', [], { signal }), { signal })
  assert.equal(counts.addEventListener, counts.removeEventListener)
  assert.ok(counts.addEventListener >= 5)
  controller.abort(REASON)
  assert.deepEqual(await db.get('SELECT count(*) AS rows FROM t'), { rows: 4 })
})

// A call that left a transaction open was rolled back, and then ended. A signal that aborted in between interrupted the
// ROLLBACK: the transaction stayed open, and the next call was refused. The test aborts at many moments of the call.
test('a signal does not interrupt the rollback after a call', async (t) => {
  const db = await openMemory(t)
  for (let turn = 0; turn < 4_000; turn++) {
    const controller = new AbortController()
    const leaving = db.run('BEGIN', [], { signal: controller.signal })
    const outcome = leaving.catch((error) => error)
    for (let spin = 0; spin < turn; spin++);
    controller.abort(REASON)
    const next = db.get('SELECT 1 AS x')
    const error = await outcome
    assert.ok(error === REASON || error.code === 'STRONGROOM_OPEN_TRANSACTION', error)
    assert.deepEqual(await next, { x: 1 })
  }
})

test('a backup, a check and a rekey are cancelled', async (t) => {
  for (const db of [await openWal(t, {}, 20_000), await open(t, freshPath())]) {
    await db.exec(
      'CREATE TABLE IF NOT EXISTS big AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 20000) SELECT x FROM n',
    )
    const controller = new AbortController()
    const path = freshPath()
    const backup = db.backup(path, {
      signal: controller.signal,
      progress() {
        controller.abort(REASON)
        return 1
      },
    })
    await rejectsWithReason(backup)
    const paused = new AbortController()
    await rejectsWithReason(
      db.backup(path, {
        signal: paused.signal,
        progress() {
          setImmediate(() => paused.abort(REASON))
          return 0
        },
      }),
    )
    await db.backup(path)
    const second = new AbortController()
    const check = db.check({ signal: second.signal })
    second.abort(REASON)
    await rejectsWithReason(check)
    assert.equal((await db.check()).ok, true)
  }
})
