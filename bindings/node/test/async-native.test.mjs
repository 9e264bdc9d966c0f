// The addon's asynchronous interface, without the TypeScript layer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ALL,
  BIGINTS,
  Client,
  CONTROL,
  COUNT,
  END,
  forget,
  GET,
  HOLD,
  IN_TRANSACTION,
  interrupted,
  LONG,
  MORE,
  ONLY_FIRST,
  PREPARE,
  READ_ONLY,
  READERS,
  RELEASE,
  RUN,
  START,
  seen,
  WRITER,
} from './async-native.mjs'
import { freshPath } from './temporary.mjs'

test('opens, runs, gets, and closes', async () => {
  const db = await Client.open(freshPath())
  assert.deepEqual(db.facts, { format: 'plain', readonly: false, journal: 'delete' })
  await db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)')
  const first = await db.run('INSERT INTO t (a, b) VALUES (?, ?)', ['x', new Uint8Array([1, 2])])
  assert.deepEqual([first.changes, first.lastInsertRowid], [1, 1])
  const second = await db.run('INSERT INTO t (a, b) VALUES (?, ?)', [2n ** 60n, null], { flags: BIGINTS })
  assert.deepEqual([second.changes, second.lastInsertRowid], [1, 2n])
  assert.deepEqual(await db.get('SELECT * FROM t WHERE id = ?', [1]), { id: 1, a: 'x', b: Buffer.from([1, 2]) })
  assert.deepEqual(await db.all('SELECT a FROM t ORDER BY id', [], { flags: BIGINTS }), [{ a: 'x' }, { a: 2n ** 60n }])
  assert.equal(await db.get('SELECT a FROM t', [], { flags: ONLY_FIRST }), 'x')
  assert.equal(await db.get('SELECT a FROM t WHERE id = 7'), undefined)
  await db.close()
})

test('a call fails with the error of the synchronous class, and the connection goes on', async () => {
  const db = await Client.open(':memory:')
  await assert.rejects(db.get('SELECT * FROM missing'), { code: 'SQLITE_ERROR', message: 'no such table: missing' })
  await assert.rejects(db.get('SELECT ?', ['\ud800']), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' })
  await assert.rejects(db.get('SELECT * FROM missing WHERE a = ?', ['\ud800']), { code: 'SQLITE_ERROR' })
  await assert.rejects(db.run('SELECT 1; SELECT 2'), { name: 'RangeError' })
  await assert.rejects(db.get('CREATE TABLE t (a)'), { name: 'TypeError', message: /does not return data/ })
  await assert.rejects(db.run('CREATE TABLE t (a)', [], { flags: READ_ONLY }), { code: 'SQLITE_READONLY' })
  await assert.rejects(db.run('SELECT 1', [], { flags: IN_TRANSACTION }), { code: 'STRONGROOM_TRANSACTION_ENDED' })
  assert.deepEqual(await db.get('SELECT 1 AS a'), { a: 1 })
  await db.close()
})

test('a prepared statement is described', async () => {
  const db = await Client.open(':memory:')
  await db.exec('CREATE TABLE t (a INT)')
  const { value } = await db.call(PREPARE, 'SELECT a, 1 AS b FROM t')
  assert.deepEqual(
    [value.source, value.reader, value.readonly, value.columns.map(({ name, table, type }) => [name, table, type])],
    [
      'SELECT a, 1 AS b FROM t',
      true,
      true,
      [
        ['a', 't', 'INT'],
        ['b', undefined, undefined],
      ],
    ],
  )
  await db.close()
})

test('SQL that leaves a transaction open is rolled back and fails', async () => {
  const db = await Client.open(':memory:')
  await db.exec('CREATE TABLE t (a)')
  const code = 'STRONGROOM_OPEN_TRANSACTION'
  await assert.rejects(db.exec('BEGIN; INSERT INTO t VALUES (1)'), (error) => error.code === code && !error.state.open)
  await assert.rejects(db.run('SAVEPOINT a'), { code })
  await db.exec('BEGIN; INSERT INTO t VALUES (2); COMMIT')
  assert.deepEqual(await db.all('SELECT a FROM t'), [{ a: 2 }])
  await db.close()
})

test('SQL inside a transaction does not end it', async () => {
  const db = await Client.open(':memory:')
  await db.exec('CREATE TABLE t (a)')
  await db.call(CONTROL, 'BEGIN', [], { flags: IN_TRANSACTION })
  for (const sql of ['COMMIT', 'INSERT INTO t VALUES (1); COMMIT; BEGIN', 'ROLLBACK', 'BEGIN'])
    await assert.rejects(
      db.exec(sql, { flags: IN_TRANSACTION }),
      (error) => error.code === 'STRONGROOM_IN_TRANSACTION' && error.state.open,
    )
  await db.call(CONTROL, 'ROLLBACK', [], { flags: IN_TRANSACTION })
  assert.deepEqual(await db.all('SELECT a FROM t'), [])
  await db.close()
})

test('calls of the writer run in the order in which they were made', async () => {
  const db = await Client.open(':memory:')
  await db.exec('CREATE TABLE t (a)')
  const ended = []
  const calls = Array.from({ length: 500 }, (_, i) =>
    (i % 2 === 0 ? db.run('INSERT INTO t VALUES (?)', [i]) : db.call(GET, 'SELECT count(*) AS n FROM t')).then(
      ({ rows }) => {
        ended.push(i)
        if (i % 2 !== 0) assert.equal(rows[0].n, (i + 1) / 2)
      },
    ),
  )
  await Promise.all(calls)
  assert.deepEqual(
    ended,
    Array.from({ length: 500 }, (_, i) => i),
  )
  await db.close()
})

test('all returns 100,000 rows in batches, and holds only a few of them at once', async () => {
  const db = await Client.open(':memory:')
  const sql = `WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100000)
    SELECT i, 'text ' || i AS text, i / 2.0 AS half, zeroblob(100) AS blob FROM c`
  const before = seen.drains
  const { rows } = await db.call(ALL, sql)
  assert.equal(rows.length, 100_000)
  rows.forEach(({ i, text, half, blob }, at) => {
    if (i !== at + 1 || text !== `text ${i}` || half !== i / 2 || blob.length !== 100) assert.fail(`row ${at}`)
  })
  // The thread sends a batch of at most 1,022 rows at a time, and waits for JavaScript after a few.
  assert.ok(seen.drains - before > 20, `${seen.drains - before}`)
  await db.close()
})

test('a thread that reads rows waits for JavaScript', async () => {
  const db = await Client.open(':memory:')
  // 1 GB of rows. Without the wait, the thread would hold them all.
  const sql = `WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1000)
    SELECT zeroblob(1000000) AS blob FROM c`
  const peak = () => process.resourceUsage().maxRSS
  const before = peak()
  const all = db.call(ALL, sql)
  const end = performance.now() + 300
  while (performance.now() < end);
  assert.ok(peak() - before < 100_000, `${peak() - before} KB`)
  assert.equal(db.cancel(all), 'running')
  await assert.rejects(all, { code: 'SQLITE_INTERRUPT' })
  await db.close()
})

test('a cursor reads batches, also after its rows changed kinds, and ends', async () => {
  const db = await Client.open(':memory:')
  const sql = `WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 5)
    SELECT CASE i WHEN 3 THEN 'x' ELSE i END AS a FROM c`
  const first = db.call(START, sql, [], { limit: 2 })
  assert.deepEqual((await first).rows, [{ a: 1 }, { a: 2 }])
  const more = () => db.call(MORE, undefined, [], { ticket: first.ticket, limit: 2 })
  // Other calls run in between, with the same SQL too.
  assert.equal((await db.all(sql)).length, 5)
  assert.deepEqual((await more()).rows, [{ a: 'x' }, { a: 4 }])
  const last = await more()
  assert.deepEqual([last.rows, last.done], [[{ a: 5 }], true])
  await assert.rejects(more(), { code: 'STRONGROOM_CLOSED' })
  const second = db.call(START, sql, [], { limit: 1 })
  await second
  db.tell(END, { ticket: second.ticket })
  db.tell(END, { ticket: second.ticket })
  await assert.rejects(db.call(MORE, undefined, [], { ticket: second.ticket, limit: 1 }), { code: 'STRONGROOM_CLOSED' })
  await db.close()
})

test('an error after rows comes with the next batch', async () => {
  const db = await Client.open(':memory:')
  const sql = "SELECT 1 AS a UNION ALL SELECT json_extract('not json', '$')"
  const first = db.call(START, sql, [], { limit: 10 })
  assert.deepEqual((await first).rows, [{ a: 1 }])
  await assert.rejects(db.call(MORE, undefined, [], { ticket: first.ticket, limit: 1 }), { code: 'SQLITE_ERROR' })
  await assert.rejects(db.call(ALL, sql), { code: 'SQLITE_ERROR' })
  await db.close()
})

// The text is longer than V8's longest string, and needs more than a gigabyte of memory.
const large = process.env.STRONGROOM_TEST_LARGE_FILES ? {} : { skip: 'STRONGROOM_TEST_LARGE_FILES is not set' }
test('rows that JavaScript cannot hold fail the call, end its cursor, and free its reader', large, async () => {
  const db = await Client.open(freshPath(), {}, 1)
  const sql = `WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 20)
    SELECT zeroblob(300000) AS b, CASE i WHEN ? THEN CAST(zeroblob(540000000) AS TEXT) ELSE 'x' END AS a FROM c`
  const error = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' }
  await assert.rejects(db.all(sql, [3]), error)
  await assert.rejects(db.call(START, sql, [1], { lane: READERS, flags: HOLD, limit: 1 }), error)
  assert.deepEqual(await db.get('SELECT 1 AS a', [], { lane: READERS }), { a: 1 })
  for (const options of [{}, { lane: READERS, flags: HOLD }]) {
    const cursor = db.call(START, sql, [2], { ...options, limit: 1 })
    const { thread: lane } = await cursor
    const more = () => db.call(MORE, undefined, [], { lane, ticket: cursor.ticket, limit: 1 })
    await assert.rejects(more(), error)
    await assert.rejects(more(), { code: 'STRONGROOM_CLOSED' })
    if (lane !== WRITER) db.tell(RELEASE, { lane })
  }
  await db.call(CONTROL, 'BEGIN', [], { lane: READERS, flags: HOLD | IN_TRANSACTION })
  const flags = IN_TRANSACTION
  assert.deepEqual(await db.get('SELECT 1 AS a', [], { lane: 1, flags }), { a: 1 })
  db.tell(RELEASE, { lane: 1 })
  await db.close()
})

test('cancel removes a waiting call and interrupts a running one', async () => {
  const db = await Client.open(':memory:')
  let after
  const { call: running } = await interrupted(db, () => {
    const call = db.call(GET, COUNT, [LONG])
    const waiting = db.call(GET, 'SELECT 1 AS a')
    after = db.call(GET, 'SELECT 2 AS a')
    assert.equal(db.cancel(waiting), 'waiting')
    forget(waiting)
    return call
  })
  await assert.rejects(running, { code: 'SQLITE_INTERRUPT' })
  assert.equal(db.cancel(running), 'unknown')
  assert.deepEqual((await after).rows, [{ a: 2 }])
  // The interrupt does not reach the next call.
  assert.deepEqual(await db.get(COUNT, [10_000]), { sum: 50_005_000 })
  await db.close()
})

test('an interrupt leaves an open cursor of the same connection as it was', async () => {
  const db = await Client.open(':memory:')
  const cursor = db.call(START, COUNT.replace('sum(i) AS sum', 'i'), [100], { limit: 1 })
  await cursor
  const { call: running } = await interrupted(db, () => db.call(GET, COUNT, [LONG]))
  await assert.rejects(running, { code: 'SQLITE_INTERRUPT' })
  const { rows } = await db.call(MORE, undefined, [], { ticket: cursor.ticket, limit: 99 })
  assert.deepEqual(rows.at(-1), { i: 100 })
  await db.close()
})

test('an interrupted write is rolled back', async () => {
  const db = await Client.open(freshPath())
  await db.exec('CREATE TABLE t (a)')
  const { call: write } = await interrupted(db, () =>
    db.run(`INSERT INTO t ${COUNT.replace('sum(i) AS sum', 'i')}`, [LONG]),
  )
  await assert.rejects(write, (error) => error.code === 'SQLITE_INTERRUPT' && !error.state.open)
  assert.deepEqual(await db.get('SELECT count(*) AS n FROM t'), { n: 0 })
  await db.close()
})

test('readers run beside the writer, refuse writes, and see each committed write', async () => {
  const db = await Client.open(freshPath(), {}, 2)
  assert.deepEqual(db.readers, [1, 2])
  await db.exec('CREATE TABLE t (a)')
  const long = db.call(GET, COUNT, [LONG], { lane: READERS })
  for (let i = 0; i < 20; i++) {
    const { wal } = await db.run('INSERT INTO t VALUES (?)', [i]).catch((error) => assert.fail(error))
    assert.equal(wal, true)
    const { rows, thread } = await db.call(GET, 'SELECT count(*) AS n FROM t', [], { lane: READERS })
    assert.deepEqual(rows, [{ n: i + 1 }])
    assert.ok(db.readers.includes(thread))
  }
  assert.notEqual(db.cancel(long), 'unknown')
  long.catch(() => {})
  await assert.rejects(db.run('DELETE FROM t', [], { lane: READERS }), { code: 'SQLITE_READONLY' })
  await db.close()
})

test('a held reader serves only its own queue, and keeps its snapshot, until it is released', async () => {
  const db = await Client.open(freshPath(), {}, 1)
  await db.exec('CREATE TABLE t (a)')
  const { thread: lane } = await db.call(CONTROL, 'BEGIN', [], { lane: READERS, flags: HOLD | IN_TRANSACTION })
  const flags = IN_TRANSACTION
  assert.deepEqual(await db.get('SELECT count(*) AS n FROM t', [], { lane, flags }), { n: 0 })
  let settled = false
  const shared = db.call(GET, 'SELECT count(*) AS n FROM t', [], { lane: READERS }).then(({ rows }) => {
    settled = true
    return rows[0]
  })
  await db.run('INSERT INTO t VALUES (1)')
  assert.deepEqual(await db.get('SELECT count(*) AS n FROM t', [], { lane, flags }), { n: 0 })
  assert.equal(settled, false)
  db.tell(RELEASE, { lane })
  assert.deepEqual(await shared, { n: 1 })
  await db.close()
})

test('a call that fails does not hold its reader', async () => {
  const db = await Client.open(freshPath(), {}, 1)
  const options = { lane: READERS, flags: HOLD }
  await assert.rejects(db.call(START, 'SELECT * FROM missing', [], options), { code: 'SQLITE_ERROR' })
  assert.deepEqual(await db.get('SELECT 1 AS a', [], { lane: READERS }), { a: 1 })
  await db.close()
})

test('dropReaders ends the readers after their calls, and later readers take the calls that wait', async () => {
  const db = await Client.open(freshPath(), {}, 2)
  const { thread: lane } = await db.call(START, COUNT.replace('sum(i) AS sum', 'i'), [1000], {
    lane: READERS,
    flags: HOLD,
    limit: 1,
  })
  let ended = false
  const dropped = db.dropReaders().then(() => {
    ended = true
  })
  const waiting = db.call(GET, 'SELECT 1 AS a', [], { lane: READERS })
  await db.get('SELECT 1')
  assert.equal(ended, false)
  db.tell(RELEASE, { lane })
  await dropped
  const reader = await db.addReader()
  assert.equal(reader, 3)
  const { rows, thread } = await waiting
  assert.deepEqual([rows, thread], [[{ a: 1 }], 3])
  await db.dropReaders()
  await db.dropReaders()
  await db.close()
})

test('a setting of the writer reaches present and later readers', async () => {
  const db = await Client.open(freshPath(), {}, 1)
  const size = async () => (await db.get('PRAGMA cache_size', [], { lane: READERS })).cache_size
  db.native.setting('PRAGMA cache_size = -1234')
  assert.equal(await size(), -1234)
  await db.dropReaders()
  await db.addReader()
  assert.equal(await size(), -1234)
  await db.close()
})

test('a panic in a job fails the call, and the connection goes on', async () => {
  const { addon } = await import('./async-native.mjs')
  const db = await Client.open(':memory:')
  await db.exec('CREATE TABLE t (a)')
  addon.panicInJobForTest()
  await assert.rejects(db.run('INSERT INTO t VALUES (1)'), { code: 'STRONGROOM_INTERNAL', message: /by a test/ })
  assert.deepEqual(await db.get('SELECT count(*) AS n FROM t'), { n: 0 })
  await db.close()
})

test('close lets the running calls end, drops the waiting ones, and rolls back', async () => {
  const path = freshPath()
  const db = await Client.open(path, {}, 1)
  await db.exec('CREATE TABLE t (a)')
  await db.call(CONTROL, 'BEGIN', [], { flags: IN_TRANSACTION })
  await db.run('INSERT INTO t VALUES (1)', [], { flags: IN_TRANSACTION })
  const running = db.call(GET, COUNT, [1_000_000], { lane: READERS })
  const write = db.call(GET, COUNT, [1_000_000], { flags: IN_TRANSACTION })
  // The reader and the writer have taken the calls once the next ones do not.
  const waiting = db.call(RUN, 'INSERT INTO t VALUES (2)', [], { flags: IN_TRANSACTION })
  const also = db.call(GET, 'SELECT 1', [], { lane: READERS })
  await Promise.race([write, new Promise((resolve) => setTimeout(resolve, 50))])
  const closed = db.close()
  assert.throws(() => db.call(GET, 'SELECT 1'), { code: 'STRONGROOM_CLOSED' })
  assert.deepEqual((await running).rows, [{ sum: 500_000_500_000 }])
  await closed
  for (const call of [write, waiting, also]) forget(call)
  const again = await Client.open(path)
  assert.deepEqual(await again.get('SELECT count(*) AS n FROM t'), { n: 0 })
  await again.close()
})

test('a database that cannot be opened fails, and still closes', async () => {
  const db = new Client('/nonexistent/folder/a.db')
  await assert.rejects(db.opened, { code: 'SQLITE_CANTOPEN' })
  await assert.rejects(db.get('SELECT 1'), { code: 'STRONGROOM_CLOSED' })
  await db.close()
})
