// Backups, checks and new keys of the asynchronous class.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { open as openOriginal } from 'strongroom/async'
import { codeOf, deferred, open, openMemory, openWal } from './async-database.mjs'
import Database, { FORMAT, OWN, testIn } from './database.mjs'
import { freshPath } from './temporary.mjs'

const OTHER = Buffer.alloc(32, 0x77)

/** Returns the ids of the table in a file. */
function idsIn(path, options) {
  const db = new Database(path, options)
  try {
    return db.prepare('SELECT id FROM t ORDER BY id').pluck().all()
  } finally {
    db.close()
  }
}

for (const [name, make] of [
  ['on a reader', (t) => openWal(t, {}, 20_000)],
  ['with one connection', (t) => openMemory(t, {}, 20_000)],
]) {
  test(`a backup copies the database and reports its progress ${name}`, async (t) => {
    const db = await make(t)
    const path = freshPath()
    const seen = []
    const result = await db.backup(path, {
      progress(progress) {
        seen.push(progress)
        return 20
      },
    })
    assert.equal(result.remainingPages, 0)
    assert.ok(result.totalPages > 40)
    assert.deepEqual(seen[0], { totalPages: seen[0].totalPages, remainingPages: seen[0].totalPages })
    assert.ok(seen.length > result.totalPages / 20 - 1)
    assert.equal(idsIn(path, OWN).length, 20_000)
    await db.backup(path, { plain: FORMAT !== 'plain' })
    assert.equal(idsIn(path).length, 20_000)
    await db.backup(path, { key: OTHER })
    assert.equal(idsIn(path, { key: OTHER }).length, 20_000)
    const failing = db.backup(path, {
      progress() {
        throw new Error('mine')
      },
    })
    await assert.rejects(failing, { message: 'mine' })
    assert.equal(await codeOf(db.backup(path, { progress: () => -1 })), 'ERR_OUT_OF_RANGE')
    assert.equal(await codeOf(db.backup(path, { attached: 'missing' })), 'STRONGROOM_NOT_ATTACHED')
    assert.ok(!existsSync(`${path}-strongroom-backup`))
  })

  test(`calls run while a backup is under way ${name}`, async (t) => {
    const db = await make(t)
    const path = freshPath()
    let inside
    const backup = db.backup(path, {
      progress({ remainingPages, totalPages }) {
        // The progress function is the caller's own code, and may use the database.
        if (inside === undefined && remainingPages < totalPages)
          inside = Promise.all([db.get('SELECT count(*) AS rows FROM t'), db.run('INSERT INTO t VALUES (-1, NULL)')])
        return 10
      },
    })
    await backup
    const [count] = await inside
    assert.ok(count.rows >= 20_000)
    assert.equal(await db.get('SELECT count(*) AS rows FROM t').then(({ rows }) => rows), 20_001)
    // On a reader, the copy is the state at the beginning.
    assert.equal(idsIn(path, OWN).length, db.readers > 0 ? 20_000 : 20_001)
  })

  test(`a check reports the pages and its progress ${name}`, async (t) => {
    const db = await make(t)
    const seen = []
    const result = await db.check({ progress: (progress) => void seen.push(progress) })
    const sync = new Database(':memory:')
    assert.deepEqual(Object.keys(result), Object.keys(sync.check()))
    assert.equal(result.ok, true)
    assert.equal(result.authenticated, FORMAT !== 'plain' && !db.memory)
    if (seen.length > 0) assert.deepEqual(Object.keys(seen[0]), ['checkedPages', 'totalPages'])
    await assert.rejects(db.check({ attached: 'missing' }), (error) => error.code === 'STRONGROOM_NOT_ATTACHED')
  })
}

testIn(
  ['sqlcipher', 'strongroom'],
  'plain databases have no key',
  'a new key closes the readers, which open again',
  async (t) => {
    const path = freshPath()
    const db = await open(t, path)
    await db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY); PRAGMA journal_mode = WAL')
    const reads = Array.from({ length: 10 }, () => db.get('SELECT 1 AS x'))
    const progress = []
    const rekey = db.rekey({ key: OTHER }, { progress: (now) => void progress.push(now) })
    const write = db.run('INSERT INTO t VALUES (1)')
    const read = db.get('SELECT count(*) AS rows FROM t')
    assert.equal(await rekey, undefined)
    assert.deepEqual(await Promise.all(reads), Array(10).fill({ x: 1 }))
    await write
    assert.ok((await read).rows <= 1)
    assert.equal(db.readers, 2)
    assert.deepEqual(await Promise.all([1, 2].map(() => db.get('SELECT id FROM t'))), [{ id: 1 }, { id: 1 }])
    if (FORMAT === 'sqlcipher') assert.deepEqual(Object.keys(progress[0]), ['done', 'total'])
    await db.close()
    assert.equal(await codeOf(openOriginal(path, OWN).then((db) => db.close())), 'STRONGROOM_WRONG_KEY')
    assert.deepEqual(idsIn(path, { key: OTHER }), [1])
  },
)

testIn(
  ['sqlcipher'],
  'only this format reports progress',
  'a progress function cancels a rekey and a check',
  async (t) => {
    const db = await openWal(t)
    // The progress arrives while the rekey continues, so the file must be large enough.
    await db.exec(
      'CREATE TABLE big AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 5000) SELECT randomblob(3000) AS blob FROM n',
    )
    assert.equal(await codeOf(db.rekey({ key: OTHER }, { progress: () => false })), 'STRONGROOM_CANCELLED')
    await assert.rejects(
      db.rekey(
        { key: OTHER },
        {
          progress() {
            throw new Error('mine')
          },
        },
      ),
      { message: 'mine' },
    )
    assert.equal(await codeOf(db.check({ progress: () => false })), 'STRONGROOM_CANCELLED')
    const controller = new AbortController()
    const aborted = db.rekey(
      { key: OTHER },
      { signal: controller.signal, progress: () => controller.abort(new Error('mine')) },
    )
    await assert.rejects(aborted, { message: 'mine' })
    assert.equal(db.readers, 2)
    assert.equal((await db.get('SELECT count(*) AS rows FROM big')).rows, 5000)
  },
)

testIn(['plain'], 'the error is that of a plain database', 'a rekey of a plain database fails', async (t) => {
  const db = await openWal(t)
  assert.equal(await codeOf(db.rekey({ key: OTHER })), 'STRONGROOM_NOT_ENCRYPTED')
  assert.equal(db.readers, 2)
})

test('close() ends a backup', async (t) => {
  for (const db of [await openWal(t, {}, 20_000), await openMemory(t, {}, 20_000)]) {
    const begun = deferred()
    const path = freshPath()
    const code = codeOf(
      db.backup(path, {
        progress() {
          begun.resolve()
          return 1
        },
      }),
    )
    await begun.promise
    await db.close()
    assert.equal(await code, 'STRONGROOM_CLOSED')
    assert.ok(!existsSync(path))
    assert.ok(!existsSync(`${path}-strongroom-backup`))
  }
})

for (const closes of [false, true])
  test(`a backup that is cancelled${closes ? ' by close()' : ''} at any moment settles, and leaves its file free`, async (t) => {
    const path = freshPath()
    for (let turns = 0; turns < 120; turns += 3) {
      const db = await openWal(t, { readers: 1 }, 2000)
      const controller = new AbortController()
      const reason = new Error('enough')
      const backup = db.backup(path, { signal: controller.signal, key: OTHER }).then(
        () => 'copied',
        (error) => (error === reason ? 'cancelled' : error.code),
      )
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
      controller.abort(reason)
      if (closes) await db.close()
      const outcome = await backup
      assert.ok(['copied', 'cancelled', closes && 'STRONGROOM_CLOSED'].includes(outcome), outcome)
      await db.close()
      assert.equal(existsSync(`${path}-strongroom-backup`), false)
    }
  })
