// Where the calls of the asynchronous class run: on the writer or on a reader, and in which order.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { open as openOriginal } from 'strongroom/async'
import { codeOf, deferred, open, openMemory, openWal, settled } from './async-database.mjs'
import Database, { OWN } from './database.mjs'
import { freshPath } from './temporary.mjs'

/** Runs `during` while a transaction owns the writer. The calls that `during` returns must wait for its end. */
async function whileWriting(db, during) {
  const gate = deferred()
  const begun = deferred()
  const transaction = db.transaction(async () => {
    begun.resolve()
    await gate.promise
  })
  await begun.promise
  let waiting = []
  try {
    waiting = await during()
    for (const call of waiting) assert.equal(await settled(call), false)
  } finally {
    gate.resolve()
    await transaction
  }
  await Promise.all(waiting)
}

test('in WAL mode, reads run beside a transaction, and other calls wait for its end', async (t) => {
  const db = await openWal(t, {}, 3)
  assert.equal(db.readers, 2)
  await whileWriting(db, async () => {
    assert.deepEqual(await db.get('SELECT count(*) AS rows FROM t'), { rows: 3 })
    assert.equal((await db.all('WITH a AS (SELECT 1) SELECT * FROM t, a')).length, 3)
    for await (const { id } of db.iterate('SELECT id FROM t')) assert.ok(id <= 3)
    assert.equal((await db.prepare('SELECT * FROM t')).reader, true)
    await db.read((snapshot) => snapshot.get('SELECT 1'))
    return [
      db.run('INSERT INTO t DEFAULT VALUES'),
      db.get('SELECT changes()'),
      db.all('INSERT INTO t DEFAULT VALUES RETURNING id'),
      db.exec('SELECT 1'),
      db.pragma('user_version'),
      db.iterate('DELETE FROM t RETURNING id').next(),
    ]
  })
})

test('a read sees the writes that were awaited before', async (t) => {
  const db = await openWal(t, { readers: 4 })
  for (let i = 1; i <= 50; i++) {
    await db.run('INSERT INTO t DEFAULT VALUES')
    const counts = await Promise.all([1, 2, 3, 4].map(() => db.get('SELECT count(*) AS rows FROM t')))
    assert.deepEqual(counts, [{ rows: i }, { rows: i }, { rows: i }, { rows: i }])
  }
})

for (const [name, make] of [
  ['in memory', (t) => openMemory(t)],
  ['with readers: 0', (t) => openWal(t, { readers: 0 })],
  ['without WAL', (t) => open(t, freshPath())],
  [
    'after the first SQL with TEMP',
    async (t) => {
      const db = await openWal(t)
      await db.exec('CREATE TEMP TABLE own (x)')
      return db
    },
  ],
  [
    'after the first SQL with ATTACH',
    async (t) => {
      const db = await openWal(t)
      await db.exec("ATTACH ':memory:' AS other KEY ''")
      return db
    },
  ],
])
  test(`one connection serves all calls in their order ${name}`, async (t) => {
    const db = await make(t)
    await db.exec('CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, text TEXT)')
    // The readers close once their calls have ended.
    while (db.readers > 0) await wait(1)
    const seen = []
    for (let i = 1; i <= 20; i++) {
      db.run('INSERT INTO t DEFAULT VALUES')
      seen.push(db.get('SELECT count(*) AS rows FROM t'))
    }
    assert.deepEqual(
      (await Promise.all(seen)).map(({ rows }) => rows),
      seen.map((_, i) => i + 1),
    )
    await whileWriting(db, () => [db.get('SELECT count(*) AS rows FROM t')])
  })

test('a temporary table made in a transaction is visible to later reads', async (t) => {
  const db = await openWal(t)
  await db.transaction((tx) => tx.exec('CREATE TEMP TABLE own AS SELECT 7 AS x'))
  assert.deepEqual(await db.get('SELECT x FROM own'), { x: 7 })
})

test('the readers close for a change of the journal mode, and open again', async (t) => {
  const db = await openWal(t)
  const reads = Array.from({ length: 20 }, () => db.get('SELECT 1 AS x'))
  const mode = db.pragma('journal_mode = DELETE', { simple: true })
  const later = db.get('SELECT 2 AS x')
  assert.deepEqual(
    await Promise.all(reads),
    reads.map(() => ({ x: 1 })),
  )
  assert.equal(await mode, 'delete')
  assert.deepEqual(await later, { x: 2 })
  assert.equal(db.readers, 0)
  await db.exec('CREATE TABLE more (x); PRAGMA journal_mode = WAL')
  assert.equal(db.readers, 2)
  assert.deepEqual(await db.pragma('journal_mode'), [{ journal_mode: 'wal' }])
  assert.equal(db.readers, 2)
})

test('an exclusive lock leaves one connection', async (t) => {
  const db = await openWal(t, { timeout: 1000 })
  assert.equal(await db.pragma('locking_mode = EXCLUSIVE', { simple: true }), 'exclusive')
  assert.equal(db.readers, 0)
  assert.deepEqual(await db.get('SELECT count(*) AS rows FROM t'), { rows: 0 })
  await db.run('INSERT INTO t DEFAULT VALUES')
  // A fixed bug: the writer had still the exclusive lock when the readers opened, and their reads failed.
  await db.pragma('locking_mode = NORMAL')
  assert.equal(db.readers, 2)
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => db.get('SELECT count(*) AS rows FROM t'))), [
    { rows: 1 },
    { rows: 1 },
    { rows: 1 },
  ])
})

test('the journal mode cannot change while an iterate() holds a reader', async (t) => {
  const db = await openWal(t, { timeout: 50 }, 300)
  const rows = db.iterate('SELECT * FROM t')
  await rows.next()
  assert.equal(await codeOf(db.pragma('journal_mode = DELETE')), 'STRONGROOM_BUSY')
  assert.equal(db.readers, 2)
  await rows.return()
  assert.equal(await db.pragma('journal_mode = DELETE', { simple: true }), 'delete')
})

test('settings of a connection apply to the readers', async (t) => {
  const db = await openWal(t, { readers: 1 })
  const unordered = "SELECT 'a' LIKE 'A' AS same"
  assert.deepEqual(await db.get(unordered), { same: 1 })
  await db.pragma('case_sensitive_like = 1')
  assert.deepEqual(await db.get(unordered), { same: 0 })
  await db.exec("/* a comment */ PRAGMA case_sensitive_like(0); SELECT 'PRAGMA case_sensitive_like = 1; '")
  assert.deepEqual(await db.get(unordered), { same: 1 })
  await db.run('PRAGMA case_sensitive_like = 1')
  assert.deepEqual(await db.get(unordered), { same: 0 })
  const statement = await db.prepare('pragma case_sensitive_like = off')
  assert.deepEqual(await db.get(unordered), { same: 0 })
  await statement.run()
  assert.deepEqual(await db.get(unordered), { same: 1 })
  await db.transaction((tx) => tx.pragma('case_sensitive_like = on'))
  await db.run('PRAGMA full_column_names = 1; ')
  await db.run('PRAGMA short_column_names = 0')
  assert.deepEqual(await db.get('SELECT count(*) AS c, t.id FROM t'), { c: 0, 't.id': null })
  // A setting that fails is not repeated.
  await assert.rejects(db.exec('PRAGMA case_sensitive_like = 0; SELECT missing'))
  await db.pragma('journal_mode')
  assert.deepEqual(await db.get(unordered), { same: 0 })
})

test('a passphrase opens the writer and the readers', async (t) => {
  const path = freshPath()
  const passphrase = 'correct horse'
  const options = { passphrase, kdfIter: 1000, readers: 3 }
  const keyed = await openOriginal(path, options)
  t.after(() => keyed.close())
  await keyed.pragma('journal_mode = WAL')
  assert.equal(keyed.readers, 3)
  assert.equal(keyed.format, 'sqlcipher')
  await keyed.exec('CREATE TABLE t (x)')
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => keyed.all('SELECT * FROM t'))), [[], [], []])
})

test('the asynchronous and the synchronous class share a file', async (t) => {
  const path = freshPath()
  const db = await open(t, path)
  await db.exec('CREATE TABLE t (x); PRAGMA journal_mode = WAL')
  const other = new Database(path, OWN)
  t.after(() => other.close())
  other.exec('INSERT INTO t VALUES (1)')
  assert.deepEqual(await db.all('SELECT * FROM t'), [{ x: 1 }])
  await db.run('INSERT INTO t VALUES (2)')
  assert.deepEqual(other.prepare('SELECT * FROM t').pluck().all(), [1, 2])
})

test('an image has one connection', async (t) => {
  const source = new Database(':memory:')
  source.exec('CREATE TABLE t (x); INSERT INTO t VALUES (1)')
  const db = await openOriginal(source.serialize())
  t.after(() => db.close())
  assert.equal(db.name, ':memory:')
  assert.equal(db.memory, true)
  assert.equal(db.readers, 0)
  assert.deepEqual(await db.all('SELECT * FROM t'), [{ x: 1 }])
})
