// Backups, checks, rekeys and the formats, through the addon's asynchronous interface.
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { test } from 'node:test'
import Database from 'strongroom'
import {
  Client,
  CONTROL,
  expectReply,
  GET,
  HOLD,
  IN_TRANSACTION,
  interrupted,
  READERS,
  RELEASE,
  WRITER,
} from './async-native.mjs'
import { freshPath } from './temporary.mjs'

const KEY = { key: Buffer.alloc(32, 7), format: 'strongroom' }
const OTHER = { key: Buffer.alloc(32, 8), format: 'strongroom' }

/** A database with rows on several pages. */
async function filled(options = {}, readers = 0, rows = 300) {
  const path = freshPath()
  const db = await Client.open(path, options, readers)
  await db.exec(`CREATE TABLE t (a);
    WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < ${rows}) INSERT INTO t SELECT zeroblob(1000) FROM c`)
  return { db, path }
}

/** Copies a database. Calls `between` after each step. */
async function copy(db, request, lane = WRITER, between = () => {}) {
  const { ticket } = await start(db, request, lane)
  for (;;) {
    const step = expectReply({}, ticket)
    db.native.backupStep(lane, ticket, 20)
    const { value } = await step
    await between(value)
    if (value.copied) break
  }
  const reports = []
  const done = expectReply({ progress: (report) => reports.push(report) }, ticket)
  db.native.backupComplete(lane, ticket)
  await done
  return reports
}

async function start(db, request, lane = WRITER) {
  const reply = expectReply()
  db.native.backup(lane, reply.ticket, { schema: 'main', plain: false, ...request })
  await reply
  return { ticket: reply.ticket }
}

/** Returns the files in the test's folder that belong to the copy `path`. */
function leftovers(path) {
  return readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}-`))
}

test('a backup copies in steps, between which other calls run', async () => {
  const { db } = await filled()
  const target = freshPath()
  let calls = 0
  const insert = async ({ copied }) => {
    if (copied) return
    calls++
    await db.run('INSERT INTO t VALUES (1)')
  }
  await copy(db, { path: target }, WRITER, insert)
  assert.ok(calls >= 3, `${calls}`)
  await db.close()
  const result = new Database(target)
  assert.equal(result.prepare('SELECT count(*) FROM t').pluck().get(), 300 + calls)
  result.close()
})

test('a backup on a held reader copies its snapshot while the writer writes', async () => {
  const { db } = await filled({}, 1)
  const target = freshPath()
  const { thread: lane } = await db.call(CONTROL, 'BEGIN', [], { lane: READERS, flags: HOLD | IN_TRANSACTION })
  await db.call(GET, 'SELECT count(*) FROM t', [], { lane, flags: IN_TRANSACTION })
  await copy(db, { path: target }, lane, () => db.run('INSERT INTO t VALUES (1)'))
  db.tell(RELEASE, { lane })
  await db.close()
  const result = new Database(target)
  assert.equal(result.prepare('SELECT count(*) FROM t').pluck().get(), 300)
  result.close()
})

test('a backup to another key reports the progress of its completion', async () => {
  const { db } = await filled()
  const target = freshPath()
  const reports = await copy(db, { path: target, key: KEY })
  assert.ok(reports.length > 0)
  for (const { totalPages, remainingPages } of reports) assert.ok(totalPages >= remainingPages)
  await db.close()
  const result = new Database(target, { key: KEY.key })
  assert.equal(result.prepare('SELECT count(*) FROM t').pluck().get(), 300)
  result.close()
})

test('a backup that ends early, and one whose completion is cancelled, leave no file', async () => {
  const { db } = await filled()
  const ended = freshPath()
  const { ticket } = await start(db, { path: ended })
  db.native.backupEnd(WRITER, ticket)
  await db.get('SELECT 1')
  assert.deepEqual([existsSync(ended), leftovers(ended)], [false, []])
  const cancelled = freshPath()
  const { ticket: second } = await start(db, { path: cancelled, key: KEY })
  const step = expectReply({}, second)
  db.native.backupStep(WRITER, second, 10_000)
  await step
  let stopped = false
  const done = expectReply({ progress: () => (stopped ||= db.native.cancel(second) === 'running') }, second)
  db.native.backupComplete(WRITER, second)
  await assert.rejects(done, { code: 'STRONGROOM_CANCELLED' })
  assert.equal(stopped, true)
  assert.deepEqual([existsSync(cancelled), leftovers(cancelled)], [false, []])
  const lost = expectReply()
  db.native.backupStep(WRITER, lost.ticket, 1)
  await assert.rejects(lost, { code: 'STRONGROOM_BUSY' })
  await db.close()
})

test('a check reports its progress and its result', async () => {
  const { db } = await filled()
  const reports = []
  const reply = expectReply({ progress: (report) => reports.push(report) })
  db.native.check(WRITER, reply.ticket, 'main')
  const { value } = await reply
  assert.deepEqual(value.problems, [])
  assert.ok(value.pages > 75, `${value.pages}`)
  assert.ok(reports.length > 0)
  for (const { done, total } of reports) assert.ok(done <= total)
  await assert.rejects(db.job('check', WRITER, 'missing'), { code: 'STRONGROOM_NOT_ATTACHED' })
  await db.close()
})

test('a check and a rekey that are cancelled end, and the connection goes on', async () => {
  // The jobs take long enough to be interrupted. A rekey in the Strongroom format only rewrites the header.
  const format = 'sqlcipher'
  const { db } = await filled({ key: { ...KEY, format } }, 0, 20_000)
  for (const start of [
    () => db.job('check', WRITER, 'main'),
    () => db.job('rekey', undefined, 'main', { ...OTHER, format }),
  ]) {
    const { call } = await interrupted(db, start)
    await assert.rejects(call, ({ code }) => {
      assert.ok(['STRONGROOM_CANCELLED', 'SQLITE_INTERRUPT'].includes(code), code)
      return true
    })
    assert.deepEqual(await db.get('SELECT count(*) AS n FROM t'), { n: 20_000 })
  }
  await db.close()
})

test('exec ends between two short statements when it is cancelled', async () => {
  const { db } = await filled()
  const { call } = await interrupted(db, () => db.exec('INSERT INTO t VALUES (1);'.repeat(20_000)))
  await assert.rejects(call, { code: 'SQLITE_INTERRUPT' })
  await db.close()
})

for (const [name, key] of [
  ['a key in the Strongroom format', KEY],
  ['a key in the SQLCipher format', { key: Buffer.alloc(32, 7), format: 'sqlcipher' }],
  ['a passphrase', { passphrase: Buffer.from('correct horse'), format: 'strongroom' }],
])
  test(`readers open a database with ${name}, and again after a rekey`, async () => {
    const { db, path } = await filled({ key }, 2)
    assert.equal(db.facts.format, key.format)
    const count = async () => (await db.get('SELECT count(*) AS n FROM t', [], { lane: READERS })).n
    assert.equal(await count(), 300)
    await db.dropReaders()
    await db.job('rekey', undefined, 'main', { ...OTHER, format: key.format })
    await db.addReader()
    await db.run('INSERT INTO t VALUES (1)')
    assert.equal(await count(), 301)
    await db.close()
    const again = await Client.open(path, { key: { ...OTHER, format: key.format } })
    assert.deepEqual(await again.get('SELECT count(*) AS n FROM t'), { n: 301 })
    await again.close()
  })

test('a wrong key fails to open', async () => {
  const { db, path } = await filled({ key: KEY })
  await db.close()
  const wrong = new Client(path, { key: OTHER })
  await assert.rejects(wrong.opened, { code: 'STRONGROOM_WRONG_KEY' })
  await wrong.close()
})

test('an image is copied before the thread opens it', async () => {
  const source = new Database(':memory:')
  source.exec('CREATE TABLE t (a); INSERT INTO t VALUES (7)')
  const image = source.serialize()
  source.close()
  const db = new Client(':memory:', { image })
  image.fill(0)
  await db.opened
  assert.deepEqual(await db.get('SELECT a FROM t'), { a: 7 })
  await db.close()
})

test('a relative path means the folder at the time of the call', async () => {
  const folder = process.cwd()
  const path = freshPath()
  process.chdir(dirname(path))
  const db = new Client(basename(path))
  process.chdir('/')
  await db.opened
  await db.exec('CREATE TABLE t (a)')
  await db.close()
  process.chdir(folder)
  assert.ok(existsSync(path))
})
