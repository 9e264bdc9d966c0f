import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'
import Database, { SqliteError } from 'strongroom'
import { freshPath } from './temporary.mjs'

const ROWS = 2000

function filled(options, rows = ROWS) {
  const path = freshPath()
  const db = new Database(path, options)
  db.pragma('user_version = 7')
  db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)')
  const insert = db.prepare('INSERT INTO t (v) VALUES (?)')
  db.transaction(() => {
    for (let i = 0; i < rows; i++) insert.run(`row ${i} ${'.'.repeat(300)}`)
  })()
  db.close()
  return path
}

function assertRows(path, options, rows = ROWS) {
  const db = new Database(path, options)
  assert.equal(db.prepare('SELECT count(*) FROM t').pluck().get(), rows)
  assert.equal(db.pragma('user_version', { simple: true }), 7)
  assert.equal(db.pragma('integrity_check', { simple: true }), 'ok')
  db.close()
}

/** Returns the names of the files in a database's folder that begin with its name. */
const beside = (path) => readdirSync(dirname(path)).filter((name) => name.startsWith(basename(path)))

test('encrypt, migrate and decrypt convert a file and report the result', async () => {
  const path = filled()
  const key = randomBytes(32)
  const encrypted = await Database.encrypt(path, { key })
  assert.deepEqual(Object.keys(encrypted), ['tables', 'rows', 'pages', 'pageSize'])
  assert.deepEqual([encrypted.tables, encrypted.rows, encrypted.pageSize], [1, ROWS, 4096])
  assert.equal(readFileSync(path).length, encrypted.pages * 4096)
  assertRows(path, { key })
  const three = { passphrase: 'correct horse', cipherCompatibility: 3, kdfIter: 500 }
  const older = await Database.migrate(path, { from: { key }, to: three })
  assert.equal(older.pageSize, 1024)
  assertRows(path, three)
  await Database.migrate(path, { from: three, to: { passphrase: Buffer.from('horse'), kdfIter: 500 } })
  await Database.decrypt(path, { from: { passphrase: 'horse', kdfIter: 500 } })
  assert.equal(readFileSync(path).toString('latin1', 0, 15), 'SQLite format 3')
  assertRows(path)
  await Database.migrate(path, { from: { plain: true }, to: { key } })
  await Database.migrate(path, { from: { key }, to: { plain: true } })
  assertRows(path)
  assert.deepEqual(beside(path), [basename(path)])
})

test('the event loop keeps running during a conversion, and progress rises to the total', async () => {
  const path = filled({}, 30_000)
  const seen = []
  let turns = 0
  const timer = setInterval(() => {
    turns += 1
  }, 1)
  await Database.encrypt(path, { key: randomBytes(32) }, { progress: (now) => seen.push(now) })
  clearInterval(timer)
  assert.ok(turns > 5, `${turns}`)
  assert.ok(seen.length > 2, `${seen.length}`)
  const { total } = seen.at(-1)
  assert.ok(total > 0)
  assert.equal(seen.at(-1).done, total)
  for (let i = 1; i < seen.length; i++) assert.ok(seen[i - 1].done < seen[i].done || seen[i - 1].total === 0)
  assert.deepEqual(Object.keys(seen[0]), ['done', 'total'])
})

test('keep is the path where the original remains', async () => {
  const path = filled()
  const keep = `${path}.original`
  const before = readFileSync(path)
  const key = randomBytes(32)
  await Database.encrypt(path, { key }, { keep })
  assert.deepEqual(readFileSync(keep), before)
  await assert.rejects(Database.decrypt(path, { from: { key }, keep }), {
    name: 'SqliteError',
    code: 'STRONGROOM_EXISTS',
  })
  assertRows(path, { key })
})

test('a signal cancels before or during a conversion, and its reason is the cause of the error', async () => {
  const path = filled({}, 30_000)
  const before = readFileSync(path)
  const key = randomBytes(32)
  const reason = new Error('the user has left')
  await assert.rejects(Database.encrypt(path, { key }, { signal: AbortSignal.abort(reason) }), (error) => {
    assert.ok(error instanceof SqliteError)
    assert.deepEqual([error.code, error.cause], ['STRONGROOM_CANCELLED', reason])
    return true
  })
  const controller = new AbortController()
  const progress = ({ done, total }) => done < total && controller.abort(reason)
  await assert.rejects(Database.encrypt(path, { key }, { signal: controller.signal, progress }), (error) => {
    assert.deepEqual([error.code, error.cause], ['STRONGROOM_CANCELLED', reason])
    return true
  })
  await assert.rejects(Database.encrypt(path, { key }, { progress: () => false }), {
    code: 'STRONGROOM_CANCELLED',
    message: /the file is as it was/,
  })
  const thrown = new TypeError('a bug of the caller')
  const throws = () => {
    throw thrown
  }
  await assert.rejects(Database.encrypt(path, { key }, { progress: throws }), (error) => error === thrown)
  assert.deepEqual(readFileSync(path), before)
  assert.deepEqual(beside(path), [basename(path)])
})

test('a file that a connection has open, or that is being converted, is refused', async () => {
  const path = filled()
  const key = randomBytes(32)
  const db = new Database(path)
  await assert.rejects(Database.encrypt(path, { key }, { timeout: 0 }), {
    name: 'SqliteError',
    code: 'STRONGROOM_IN_USE',
    message: /close every connection/,
  })
  db.close()
  const [first, second] = await Promise.allSettled([
    Database.encrypt(path, { key }, { timeout: 0 }),
    Database.encrypt(path, { key }, { timeout: 0 }),
  ])
  const [done, failed] = first.status === 'fulfilled' ? [first, second] : [second, first]
  assert.equal(done.status, 'fulfilled')
  // The second conversion fails because the first conversion is still running, or because the file is already
  // encrypted.
  assert.match(failed.reason.code, /^STRONGROOM_(IN_USE|ENCRYPTED)$/)
  assertRows(path, { key })
})

test('a wrong key or a file that is not a database fails with a code, and nothing changes', async () => {
  const key = randomBytes(32)
  const plain = filled()
  const encrypted = filled({ key })
  const other = freshPath()
  writeFileSync(other, 'not a database')
  const empty = freshPath()
  writeFileSync(empty, '')
  const missing = freshPath()
  const cases = [
    [() => Database.decrypt(encrypted, { from: { key: randomBytes(32) } }), 'STRONGROOM_WRONG_KEY'],
    [() => Database.decrypt(plain, { from: { key } }), 'STRONGROOM_NOT_ENCRYPTED'],
    [() => Database.encrypt(encrypted, { key }), 'STRONGROOM_ENCRYPTED'],
    [() => Database.encrypt(other, { key }), 'SQLITE_NOTADB'],
    [() => Database.encrypt(empty, { key }), 'STRONGROOM_EMPTY_FILE'],
    [() => Database.encrypt(missing, { key }), 'SQLITE_CANTOPEN'],
    [() => Database.encrypt(dirname(plain), { key }), 'SQLITE_CANTOPEN_ISDIR'],
  ]
  const before = [plain, encrypted, other, empty].map((path) => readFileSync(path))
  for (const [call, code] of cases) await assert.rejects(call, { name: 'SqliteError', code })
  assert.deepEqual(
    [plain, encrypted, other, empty].map((path) => readFileSync(path)),
    before,
  )
  assert.equal(existsSync(missing), false)
  await assert.rejects(Database.encrypt(missing, { key }), (error) => error.cause.code === 'ENOENT')
})

test('an argument of the wrong type rejects the promise', async () => {
  const path = filled()
  const key = randomBytes(32)
  const before = readFileSync(path)
  const wrong = [
    [() => Database.encrypt(), TypeError, /Expected first argument to be a string/],
    [() => Database.encrypt('a\0b', { key }), TypeError, /NUL/],
    [() => Database.encrypt(':memory:', { key }), TypeError, /path of a file/],
    [() => Database.encrypt(path), TypeError, /second argument of encrypt to be an object/],
    [() => Database.encrypt(path, {}), TypeError, /needs "key" or "passphrase"/],
    [() => Database.encrypt(path, { key: 'text' }), TypeError, /"key"/],
    [() => Database.encrypt(path, { key: randomBytes(31) }), RangeError, /32 bytes, not 31/],
    [() => Database.encrypt(path, { key: undefined }), TypeError, /undefined/],
    [() => Database.encrypt(path, { key, kdfIters: 4 }), TypeError, /"kdfIters" does not exist/],
    [() => Database.encrypt(path, { plain: true }), TypeError, /"plain" does not exist/],
    [() => Database.encrypt(path, { key }, 5), TypeError, /third argument/],
    [() => Database.encrypt(path, { key }, { progress: 5 }), TypeError, /"progress"/],
    [() => Database.encrypt(path, { key }, { signal: {} }), TypeError, /"signal"/],
    [
      () => Database.encrypt(path, { key }, { keep: 5 }),
      TypeError,
      /^Expected the "keep" option to be a string \(a path\)$/,
    ],
    [() => Database.encrypt(path, { key }, { keep: '' }), TypeError, /^The "keep" option cannot be an empty string$/],
    [() => Database.encrypt(path, { key }, { timeout: -1 }), RangeError, /"timeout"/],
    [() => Database.encrypt(path, { key }, { timeOut: 1 }), TypeError, /use "timeout"/],
    [() => Database.decrypt(path), TypeError, /"from" option of decrypt/],
    [() => Database.decrypt(path, { from: { plain: true } }), TypeError, /"plain" does not exist/],
    [() => Database.decrypt(path, { key }), TypeError, /"key" does not exist here: pass it in "from"/],
    [() => Database.migrate(path, { passphrase: 'a', to: { key } }), TypeError, /pass it in "from" or "to"/],
    [() => Database.migrate(path, { from: { key } }), TypeError, /"to" option of migrate/],
    [() => Database.migrate(path, { to: { key } }), TypeError, /"from" option of migrate/],
    [() => Database.migrate(path, { from: {}, to: { key } }), TypeError, /exactly one/],
    [() => Database.migrate(path, { from: { plain: true, key }, to: { key } }), TypeError, /exactly one/],
    [() => Database.migrate(path, { from: { plain: true, kdfIter: 4 }, to: { key } }), TypeError, /kdfIter/],
  ]
  for (const [call, type, message] of wrong) {
    const promise = call()
    await assert.rejects(promise, (error) => {
      assert.ok(error instanceof type, inspect(error))
      assert.match(error.message, message)
      assert.match(error.code, /^ERR_(INVALID_ARG_TYPE|INVALID_ARG_VALUE|OUT_OF_RANGE)$/)
      return true
    })
  }
  assert.deepEqual(readFileSync(path), before)
})

test('a conversion does not change the given keys, and no error shows them', async () => {
  const path = filled()
  const key = Buffer.alloc(32, 7)
  const passphrase = Buffer.from('correct horse')
  await Database.encrypt(path, { key })
  await Database.migrate(path, { from: { key }, to: { passphrase, kdfIter: 500 } })
  assert.deepEqual([key, passphrase], [Buffer.alloc(32, 7), Buffer.from('correct horse')])
  await assert.rejects(
    Database.decrypt(path, { from: { passphrase: 'incorrect horse', kdfIter: 500 } }),
    (error) => !inspect(error, { showHidden: true, depth: 9 }).includes('horse'),
  )
})

test('a worker that ends during a conversion leaves the old file or the complete new file', async () => {
  const path = filled({}, 30_000)
  const worker = new Worker(fileURLToPath(new URL('fixtures/encrypt-worker.mjs', import.meta.url)), {
    workerData: { path },
  })
  await once(worker, 'message')
  await worker.terminate()
  const key = Buffer.alloc(32, 1)
  const from = readFileSync(path).toString('latin1', 0, 6) === 'SQLite' ? { plain: true } : { key }
  // The worker's conversion ends soon after the worker, and leaves no other file.
  for (let ended = false; !ended; ) {
    ended = await Database.migrate(path, { from, to: { key } }).then(
      () => true,
      async (error) => {
        assert.equal(error.code, 'STRONGROOM_IN_USE')
        await new Promise(setImmediate)
        return false
      },
    )
  }
  assertRows(path, { key }, 30_000)
  assert.deepEqual(beside(path), [basename(path)])
})

test('a process that exits during a conversion does not crash', () => {
  const path = filled({}, 30_000)
  const script = `
    const Database = require('strongroom')
    const progress = ({ done }) => { if (done > 0) process.exit(5) }
    Database.encrypt(${JSON.stringify(path)}, { key: Buffer.alloc(32, 1) }, { progress })`
  const { status, signal, stderr } = spawnSync(process.execPath, ['-e', script], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    encoding: 'utf8',
  })
  assert.deepEqual({ status, signal, stderr }, { status: 5, signal: null, stderr: '' })
  const key = Buffer.alloc(32, 1)
  const options = readFileSync(path).toString('latin1', 0, 6) === 'SQLite' ? {} : { key }
  assertRows(path, options, 30_000)
})
