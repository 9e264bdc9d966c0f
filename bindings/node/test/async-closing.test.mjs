// The end of a database of the asynchronous class.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { codeOf, deferred, ENDLESS, everyCall, open, openMemory, openWal } from './async-database.mjs'
import { freshPath } from './temporary.mjs'

test('after close(), calls reject, and the properties remain', async (t) => {
  for (const db of [await openWal(t), await openMemory(t)]) {
    const statement = await db.prepare('SELECT 1')
    const rows = db.iterate('SELECT 1')
    const { name, memory, format } = db
    const closing = db.close()
    assert.equal(db.open, false)
    assert.equal(db.close(), closing)
    assert.equal(db[Symbol.asyncDispose](), closing)
    assert.equal(await closing, undefined)
    for (const call of [...everyCall(db), () => statement.get(), () => statement.columns(), () => rows.next()]) {
      const error = await call().then(assert.fail, (error) => error)
      assert.ok(error instanceof TypeError)
      assert.equal(error.code, 'STRONGROOM_CLOSED', call.toString())
    }
    assert.deepEqual([db.name, db.memory, db.format, db.readers], [name, memory, format, 0])
  }
})

test('close() lets running statements finish, and rejects those that wait', async (t) => {
  const db = await openWal(t, { readers: 1 })
  const slow = 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 2000000) SELECT max(x) AS x FROM n'
  // The threads begin the slow statements as soon as they have answered these calls.
  const before = [db.get('SELECT 1'), db.run('SELECT 1')]
  const running = [db.get(slow), db.all(`INSERT INTO t (id) ${slow} RETURNING id`)]
  await Promise.all(before)
  await wait(20)
  const waiting = [db.get('SELECT 1'), db.run('DELETE FROM t'), db.transaction(() => assert.fail('ran'))]
  const closing = db.close()
  assert.deepEqual(await Promise.all(running), [{ x: 2_000_000 }, [{ id: 2_000_000 }]])
  for (const call of waiting) assert.equal(await codeOf(call), 'STRONGROOM_CLOSED')
  await closing
})

test('close() rolls back an open transaction', async (t) => {
  const path = freshPath()
  const db = await open(t, path)
  await db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
  const inside = deferred()
  const gate = deferred()
  let late
  const transaction = db.transaction(async (tx) => {
    await tx.run('INSERT INTO t DEFAULT VALUES')
    inside.resolve()
    await gate.promise
    late = tx.run('INSERT INTO t DEFAULT VALUES')
    await late
  })
  await inside.promise
  const code = codeOf(transaction)
  await db.close()
  gate.resolve()
  assert.equal(await code, 'STRONGROOM_CLOSED')
  await wait(1)
  assert.equal(await codeOf(late), 'STRONGROOM_TRANSACTION_ENDED')
  const again = await open(t, path)
  assert.deepEqual(await again.all('SELECT * FROM t'), [])
})

test('close() ends iterators and snapshots', async (t) => {
  for (const db of [await openWal(t, {}, 300), await openMemory(t, {}, 300)]) {
    const rows = db.iterate('SELECT * FROM t')
    await rows.next()
    const inside = deferred()
    const gate = deferred()
    const snapshot = db.read(async (snapshot) => {
      await snapshot.get('SELECT 1')
      inside.resolve()
      await gate.promise
    })
    await inside.promise
    const next = codeOf(Promise.all(Array.from({ length: 300 }, () => rows.next())))
    const ended = codeOf(snapshot)
    await db.close()
    assert.equal(await next, 'STRONGROOM_CLOSED')
    assert.equal(await codeOf(rows.next()), 'STRONGROOM_CLOSED')
    assert.equal(await ended, 'STRONGROOM_CLOSED')
    gate.resolve()
  }
})

/** Runs a program in a process of its own. */
function run(source, ...args) {
  const program = `import { open } from 'strongroom/async'\n${source}`
  return spawnSync(process.execPath, ['--input-type=module', '-e', program, ...args], {
    cwd: new URL('../', import.meta.url),
    encoding: 'utf8',
    timeout: 30_000,
  })
}

test('a process with nothing to do exits although a database is open', () => {
  const { status, stdout, stderr } = run(
    `
    const db = await open(process.argv[1])
    await db.exec('CREATE TABLE t (x); PRAGMA journal_mode = WAL')
    const rows = db.iterate('SELECT 1 UNION ALL SELECT 2')
    await rows.next()
    db.transaction(() => new Promise(() => {}))
    console.log(db.readers)`,
    freshPath(),
  )
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '2\n', stderr: '' })
})

test('a process waits for its calls', () => {
  const { status, stdout, stderr } = run(`
    const db = await open(':memory:')
    db.get('WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 100000) SELECT max(x) AS x FROM n')
      .then(({ x }) => console.log(x))
    setImmediate(() => {})`)
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '100000\n', stderr: '' })
})

test('process.exit and an uncaught exception end running statements', () => {
  const begin = `
    const db = await open(process.argv[1])
    await db.exec('CREATE TABLE IF NOT EXISTS t (x); PRAGMA journal_mode = WAL')
    await db.run('INSERT INTO t VALUES (1)')
    const ENDLESS = ${JSON.stringify(ENDLESS)}
    for (let i = 0; i < 3; i++) db.get(ENDLESS)
    db.run(ENDLESS)
    await new Promise((resolve) => setTimeout(resolve, 20))
    console.log((await open(process.argv[1]).then((other) => other.all('SELECT * FROM t'))).length)\n`
  const path = freshPath()
  const exited = run(`${begin}process.exit(7)`, path)
  assert.deepEqual([exited.status, exited.signal, exited.stdout, exited.stderr], [7, null, '1\n', ''])
  const thrown = run(`${begin}throw new Error('mine')`, path)
  assert.deepEqual([thrown.status, thrown.signal, thrown.stdout], [1, null, '2\n'])
  assert.match(thrown.stderr, /Error: mine/)
})
