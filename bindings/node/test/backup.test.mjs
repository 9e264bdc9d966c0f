import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import Database, { OWN, SqliteError, testIn } from './database.mjs'
import { freshPath } from './temporary.mjs'

/** The main file of the package, which workers require. */
const module = createRequire(import.meta.url).resolve('strongroom')

/** Creates a database of about `rows` / 2 pages. */
function filled(path, options, rows = 500) {
  const db = new Database(path, options)
  db.exec('CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)')
  db.prepare(
    'WITH n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO t SELECT i, randomblob(1500) FROM n',
  ).run(rows)
  return db
}

const content = (db) => db.prepare('SELECT a, hex(b) AS b FROM t ORDER BY a').raw().all()

/** Returns the names of the files in a path's folder that begin with the name of the path. */
const around = (path) =>
  readdirSync(dirname(path))
    .filter((name) => name.startsWith(basename(path)))
    .sort()

const isPlain = (path) => readFileSync(path).toString('latin1', 0, 15) === 'SQLite format 3'

function assertCopy(path, options, db) {
  assert.deepEqual(around(path), [basename(path)])
  const copy = new Database(path, options)
  assert.equal(copy.pragma('integrity_check', { simple: true }), 'ok')
  assert.deepEqual(content(copy), content(db))
  copy.close()
}

testIn(
  ['plain'],
  'the test opens the encrypted copy without a key',
  'a backup has the key of its source, and the promise resolves to the number of pages',
  async () => {
    const key = randomBytes(32)
    const db = filled(freshPath(), { key })
    const path = freshPath()
    const promise = db.backup(path)
    assert.ok(promise instanceof Promise)
    assert.equal(existsSync(path), false)
    const totalPages = Number(db.pragma('page_count', { simple: true }))
    assert.deepEqual(await promise, { totalPages, remainingPages: 0 })
    assert.equal(isPlain(path), false)
    assertCopy(path, { key }, db)
    assert.throws(() => new Database(path, { key: randomBytes(32) }), { code: 'STRONGROOM_WRONG_KEY' })
    assert.throws(() => content(new Database(path)), { code: 'SQLITE_NOTADB' })
    db.close()
  },
)

test('a backup keeps the cipher settings of its source', async () => {
  const options = { passphrase: 'p', cipherCompatibility: 3, kdfIter: 100 }
  const created = filled(freshPath(), options)
  created.close()
  const db = new Database(created.name, options)
  const path = freshPath()
  await db.backup(path)
  assertCopy(path, options, db)
})

testIn(['plain'], 'the source is plain', 'the backup of a plain database is plain', async () => {
  for (const options of [undefined, null, {}, { plain: true }, { plain: false }]) {
    const db = filled(freshPath())
    const path = freshPath()
    await db.backup(path, options)
    assert.equal(isPlain(path), true)
    assertCopy(path, {}, db)
  }
})

test('a backup can have another key, other cipher settings, or no encryption', async () => {
  const sourceKey = randomBytes(32)
  const targets = [
    { key: randomBytes(32) },
    { passphrase: 'other', kdfIter: 100, format: 'sqlcipher' },
    { passphrase: 'other', kdfIter: 100, pageSize: 8192, format: 'sqlcipher' },
    { passphrase: Buffer.from('old'), kdfIter: 100, cipherCompatibility: 1, format: 'sqlcipher' },
    {},
  ]
  for (const source of [{ key: sourceKey }, {}]) {
    const db = filled(freshPath(), source)
    for (const target of targets) {
      const path = freshPath()
      const given = { ...target, ...(target.key && { key: Buffer.from(target.key) }) }
      await db.backup(path, Object.keys(target).length === 0 ? { plain: true } : target)
      assert.deepEqual(target, given, "the caller's bytes must not change")
      assert.equal(isPlain(path), Object.keys(target).length === 0)
      assertCopy(path, target, db)
    }
    db.close()
  }
})

test('progress is called at the start, and counts down over both phases of a conversion', async () => {
  const db = filled(freshPath(), { key: randomBytes(32) })
  const pages = Number(db.pragma('page_count', { simple: true }))
  for (const [options, totalPages] of [
    [{}, pages],
    [{ plain: true }, 3 * pages],
  ]) {
    const calls = []
    const result = await db.backup(freshPath(), {
      ...options,
      progress(...args) {
        calls.push({ context: this, args })
      },
    })
    assert.deepEqual(calls[0], { context: undefined, args: [{ totalPages, remainingPages: totalPages }] })
    const remaining = calls.map(({ args }) => args[0].remainingPages)
    assert.deepEqual(remaining.slice(0, 3), [totalPages, totalPages - 100, totalPages - 200])
    assert.deepEqual(
      remaining,
      remaining.toSorted((a, b) => b - a),
    )
    assert.ok(calls.every(({ args }) => args[0].totalPages === totalPages))
    assert.deepEqual(result, { totalPages, remainingPages: 0 })
  }
  db.close()
})

test('progress sets the pages of the next turn, pauses with 0, and sees changes by its own connection', async () => {
  const db = filled(freshPath(), {}, 20)
  const path = freshPath()
  const { promise, states, turn } = controlled(db, path)
  const total = db.pragma('page_count', { simple: true })
  await turn(0)
  await turn(0)
  await turn(3)
  assert.deepEqual(states, [total, total, total])
  await turn(3)
  assert.deepEqual(states.slice(3), [total - 3])
  db.prepare('INSERT INTO t VALUES (?, ?)').run(1000, Buffer.alloc(100_000))
  db.prepare('UPDATE t SET b = ? WHERE a = 1').run(Buffer.from('changed'))
  const grown = db.pragma('page_count', { simple: true })
  assert.ok(grown > total)
  await turn(Number.POSITIVE_INFINITY)
  assert.deepEqual(states.slice(4), [grown - 6])
  assert.deepEqual(await promise, { totalPages: grown, remainingPages: 0 })
  assertCopy(path, {}, db)
})

/** Starts a backup that the test advances turn by turn: `turn(rate)` makes the next call of progress return `rate`. */
function controlled(db, path) {
  const states = []
  let next
  const rates = []
  const promise = db.backup(path, {
    progress({ remainingPages }) {
      states.push(remainingPages)
      next?.()
      return rates.at(-1) ?? 0
    },
  })
  promise.catch(() => {})
  const turn = async (rate) => {
    rates.push(rate)
    await new Promise((resolve) => {
      next = resolve
    })
  }
  return { promise, states, turn }
}

test('a change by another connection restarts the backup', async () => {
  const key = randomBytes(32)
  const db = filled(freshPath(), { key }, 100)
  const other = new Database(db.name, { key })
  const path = freshPath()
  const { promise, states, turn } = controlled(db, path)
  await turn(20)
  await turn(20)
  other.prepare('UPDATE t SET b = ? WHERE a = 1').run(Buffer.from('other'))
  await turn(5)
  await turn(1000)
  const [total] = states
  // The third turn also copied 20 pages, but from the start.
  assert.deepEqual(states, [total, total - 20, total - 20, total - 25])
  await promise
  assertCopy(path, { key }, db)
})

test('backup() checks the number that progress returns', async () => {
  const db = filled(freshPath(), {}, 20)
  for (const wrong of [null, '1', Number.NaN, new Number(1), [1], () => 1, true]) {
    const path = freshPath()
    await assert.rejects(
      db.backup(path, { progress: () => wrong }),
      { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: /progress.*number/ },
      String(wrong),
    )
    assert.deepEqual(around(path), [])
  }
  // better-sqlite3 treats a negative number as 0: a backup whose progress always returns a negative number never ends.
  for (const negative of [-5, -0.1, Number.NEGATIVE_INFINITY])
    await assert.rejects(db.backup(freshPath(), { progress: () => negative }), {
      name: 'RangeError',
      code: 'ERR_OUT_OF_RANGE',
    })
  for (const odd of [undefined, -0, 0.4, Number.POSITIVE_INFINITY]) {
    let turns = 0
    await db.backup(freshPath(), { progress: () => (turns++ === 0 ? odd : 1000) })
  }
})

test('an error thrown by progress ends either phase of a backup, and rejects the promise', async () => {
  const db = filled(freshPath(), { key: randomBytes(32) }, 2000)
  const pages = Number(db.pragma('page_count', { simple: true }))
  const path = freshPath()
  writeFileSync(path, '')
  const cases = [
    [{}, (remaining) => remaining < pages],
    [{ plain: true }, (remaining) => remaining < 3 * pages],
    [{ plain: true }, (remaining) => remaining <= 2 * pages],
  ]
  for (const [options, stop] of cases) {
    const mine = new RangeError('mine')
    const progress = ({ remainingPages }) => {
      if (stop(remainingPages)) throw mine
      return 1000
    }
    await assert.rejects(db.backup(path, { ...options, progress }), (error) => error === mine)
    assert.deepEqual(around(path), [basename(path)])
    assert.equal(readFileSync(path).length, 0, 'the target must not change')
  }
  db.close()
})

test('backup() replaces an existing database at the end, whatever its key', async () => {
  const key = randomBytes(32)
  const db = filled(freshPath(), { key })
  for (const options of [{}, { key: randomBytes(32) }]) {
    const path = freshPath()
    filled(path, options, 10).close()
    const before = readFileSync(path)
    let seen
    await db.backup(path, {
      progress() {
        seen = readFileSync(path)
      },
    })
    assert.deepEqual(seen, before)
    assertCopy(path, { key }, db)
  }
})

test('backup() refuses a target that is open, is the source, or is not a database', async () => {
  const db = filled(freshPath())
  const path = freshPath()
  const open = filled(path)
  const cases = [
    [path, 'STRONGROOM_IN_USE'],
    [db.name, 'STRONGROOM_TARGET_IS_SOURCE'],
    [join(dirname(path), 'missing', 'a.db'), 'SQLITE_CANTOPEN'],
    [dirname(path), 'SQLITE_CANTOPEN_ISDIR'],
  ]
  for (const [target, code] of cases) {
    await assert.rejects(db.backup(target), (error) => {
      assert.ok(error instanceof SqliteError)
      assert.equal(error.code, code)
      return true
    })
  }
  open.close()
  writeFileSync(path, 'not a database file')
  await assert.rejects(db.backup(path), { code: 'SQLITE_NOTADB' })
  assert.equal(readFileSync(path, 'utf8'), 'not a database file')
})

test('closing the database ends its backups', async () => {
  const db = filled(freshPath())
  const path = freshPath()
  const { promise, turn } = controlled(db, path)
  await turn(1)
  await turn(1)
  db.close()
  await assert.rejects(promise, { name: 'TypeError', code: 'STRONGROOM_CLOSED', message: /not open/ })
  assert.deepEqual(around(path), [])
  await assert.rejects(db.backup(path), { name: 'TypeError', code: 'STRONGROOM_CLOSED' })
})

test('a backup waits for an open transaction, but not for an iterator', async () => {
  const db = filled(freshPath(), {}, 20)
  const path = freshPath()
  db.exec('BEGIN; DELETE FROM t WHERE a > 10')
  let settled = false
  const states = []
  const promise = db.backup(path, { progress: ({ remainingPages }) => void states.push(remainingPages) })
  promise.finally(() => {
    settled = true
  })
  while (states.length < 3) await nextTurn()
  assert.equal(settled, false)
  assert.ok(states.every((remaining) => remaining > 0))
  db.exec('COMMIT')
  await promise
  const copy = new Database(path)
  assert.equal(copy.prepare('SELECT max(a) FROM t').pluck().get(), 10)
  copy.close()

  const iterator = db.prepare('SELECT a FROM t').iterate()
  iterator.next()
  await db.backup(path)
  assert.equal([...iterator].length, 9)
  assertCopy(path, {}, db)
})

test('a backup fails if another connection holds a lock beyond the timeout', async () => {
  const db = filled(freshPath(), { timeout: 0 })
  const other = new Database(db.name)
  other.exec('BEGIN EXCLUSIVE')
  const path = freshPath()
  await assert.rejects(db.backup(path), { name: 'SqliteError', code: 'SQLITE_BUSY' })
  other.exec('COMMIT')
  await db.backup(path)
  assertCopy(path, {}, db)
})

test('the backup of an attached database has its key', async () => {
  const [key, own] = [randomBytes(32), randomBytes(32)]
  const attached = filled(freshPath(), { key: own })
  const db = new Database(freshPath(), { key })
  db.attach(attached.name, 'other', { key: own })
  const path = freshPath()
  await db.backup(path, { attached: 'other' })
  assertCopy(path, { key: own }, attached)
  await assert.rejects(db.backup(path, { attached: 'another' }), {
    code: 'STRONGROOM_NOT_ATTACHED',
    message: /"another"/,
  })
})

test('an in-memory database or a database in WAL mode is backed up into one file', async () => {
  const key = randomBytes(32)
  const memory = filled(':memory:', { key })
  const wal = freshPath()
  new Database(wal, { key }).pragma('journal_mode = WAL')
  for (const db of [memory, filled(wal, { key })]) {
    const path = freshPath()
    await db.backup(path)
    assertCopy(path, { key }, db)
  }
})

test('several backups run at once, but only one per target', async () => {
  const key = randomBytes(32)
  const db = filled(freshPath(), { key })
  const paths = [freshPath(), freshPath(), freshPath()]
  const running = paths.map((path, index) => db.backup(path, index === 1 ? { plain: true } : {}))
  await assert.rejects(db.backup(paths[0]), { code: 'STRONGROOM_IN_USE' })
  db.prepare('UPDATE t SET b = ? WHERE a = 3').run(Buffer.from('changed'))
  await Promise.all(running)
  for (const [index, path] of paths.entries()) assertCopy(path, index === 1 ? {} : { key }, db)
})

test('the error of backup() names the argument or option of the wrong type', async () => {
  const db = filled(freshPath(), {}, 5)
  const key = randomBytes(32)
  const path = freshPath()
  const wrong = [
    [[], TypeError, /first argument/],
    [[null], TypeError, /first argument/],
    [[123], TypeError, /first argument/],
    [[new String(path)], TypeError, /first argument/],
    [[''], TypeError, /empty/],
    [[' \t\n '], TypeError, /empty/],
    [[':memory:'], TypeError, /":memory:"/],
    [['x\0y'], TypeError, /NUL/],
    [[path, 1], TypeError, /options object/],
    [[path, { attached: 1 }], TypeError, /"attached"/],
    [[path, { attached: '' }], TypeError, /"attached".*empty/],
    [[path, { progress: 1 }], TypeError, /"progress"/],
    [[path, { plain: 1 }], TypeError, /"plain"/],
    [[path, { plain: true, key }], TypeError, /"plain" excludes/],
    [[path, { plain: true, passphrase: 'p' }], TypeError, /"plain" excludes/],
    [[path, { key, passphrase: 'p' }], TypeError, /cannot be combined/],
    [[path, { key: undefined }], TypeError, /"key" option is undefined.*own key/],
    [[path, { passphrase: null }], TypeError, /"passphrase" option is null/],
    [[path, { kdfIter: 5 }], TypeError, /"kdfIter"/],
    [[path, { key: randomBytes(31) }], RangeError, /31/],
    [[path, { passphrse: 'p' }], TypeError, /"passphrse"/],
  ]
  for (const [args, type, message] of wrong) {
    await assert.rejects(db.backup(...args), (error) => {
      assert.ok(error instanceof type, `${error}`)
      assert.match(error.message, message)
      assert.match(error.code, /^ERR_/)
      return true
    })
  }
  assert.deepEqual(around(path), [])
})

test('a worker backs up a database while the main thread writes to it', async () => {
  const key = randomBytes(32)
  const db = filled(freshPath(), { key })
  db.pragma('journal_mode = WAL')
  const path = freshPath()
  const source = `
    const { parentPort, workerData } = require('node:worker_threads')
    const Database = require(workerData.module)
    const db = new Database(workerData.name, { key: workerData.key })
    db.backup(workerData.path, { progress: () => 1000 }).then((result) => {
      db.close()
      parentPort.postMessage(result)
    })`
  const worker = new Worker(source, { eval: true, workerData: { module, name: db.name, key, path } })
  for (let i = 0; i < 20; i++) {
    db.prepare('UPDATE t SET b = ? WHERE a = ?').run(randomBytes(10), i)
    await nextTurn()
  }
  const [result] = await once(worker, 'message')
  assert.equal(result.remainingPages, 0)
  await once(worker, 'exit')
  const copy = new Database(path, { key })
  assert.equal(copy.pragma('integrity_check', { simple: true }), 'ok')
})

test('a worker that is terminated during a backup creates no target', async () => {
  const folder = freshPath()
  mkdirSync(folder)
  const db = filled(join(folder, 'a.db'))
  const path = join(folder, 'copy.db')
  const source = `
    const { parentPort, workerData } = require('node:worker_threads')
    const Database = require(workerData.module)
    const db = new Database(workerData.name, workerData.own)
    db.backup(workerData.path, { progress: () => (parentPort.postMessage('started'), 0) })`
  const worker = new Worker(source, { eval: true, workerData: { module, name: db.name, path, own: OWN } })
  await once(worker, 'message')
  await worker.terminate()
  assert.equal(existsSync(path), false)
  await db.backup(path)
  assertCopy(path, {}, db)
})
