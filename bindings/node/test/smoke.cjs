// Loads the package from a folder and uses it: writes an encrypted file, reads it here and in a worker thread, opens it
// with a wrong key, and survives a panic in the addon. The script needs only Node: `cargo xtask load` and a check of
// the flake run it on every system that has an addon.
// usage: node smoke.cjs PACKAGE_FOLDER [EXPECTED_GLIBC]
'use strict'
const assert = require('node:assert')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { Worker } = require('node:worker_threads')

// Prints no stack: the loader's message has every cause, and the stack would hide it.
process.on('uncaughtException', (error) => {
  console.error(`${error.name}: ${error.message}`)
  process.exit(1)
})

const [folder, expectedGlibc] = process.argv.slice(2)
process.report.excludeNetwork = true
const glibc = process.report.getReport().header.glibcVersionRuntime
if (expectedGlibc)
  assert.strictEqual(
    glibc,
    expectedGlibc,
    `the C library is ${glibc ? `glibc ${glibc}` : 'not glibc'}, but glibc ${expectedGlibc} is expected`,
  )

const entry = require.resolve(path.resolve(folder))
const Database = require(entry)
const addon = require(path.join(path.dirname(entry), 'load', 'loader.js')).addon()
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-load-'))
process.on('exit', () => fs.rmSync(scratch, { recursive: true, force: true }))

const file = path.join(scratch, 'smoke.db')
const key = Buffer.alloc(32, 7)
const text = 'a text that the file must not hold'
const written = new Database(file, { key })
written.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT, z BLOB)')
const insert = written.prepare('INSERT INTO t (x, z) VALUES (?, zstd_compress(?))')
written.transaction(() => {
  for (let row = 0; row < 100; row += 1) insert.run(`${text} ${row}`, text.repeat(10))
})()
written.close()
assert(!fs.readFileSync(file).includes(text), 'the file holds plaintext')

assert.throws(() => addon.panicForTest('on purpose'), /on purpose/)

const read = new Database(file, { key, readonly: true })
const row = read.prepare('SELECT count(*) AS n, max(x) AS x, zstd_decompress(z) AS z FROM t').get()
assert.strictEqual(row.n, 100)
assert.strictEqual(row.x, `${text} 99`)
assert.strictEqual(row.z.toString(), text.repeat(10))
read.close()
assert.throws(() => new Database(file, { key: Buffer.alloc(32, 8) }), { code: 'STRONGROOM_WRONG_KEY' })

// The asynchronous class: a file with readers on threads of their own.
const { open } = require(path.join(path.dirname(entry), 'async.js'))
const asynchronous = (async () => {
  const db = await open(path.join(scratch, 'async.db'), { key, readers: 2 })
  assert.strictEqual(await db.pragma('journal_mode = WAL', { simple: true }), 'wal')
  assert.strictEqual(db.readers, 2)
  await db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)')
  await db.transaction(async (tx) => {
    for (let row = 0; row < 100; row += 1) await tx.run('INSERT INTO t (x) VALUES (?)', [`${text} ${row}`])
  })
  let rows = 0
  for await (const { x } of db.iterate('SELECT x FROM t ORDER BY id')) assert.strictEqual(x, `${text} ${rows++}`)
  assert.strictEqual(rows, 100)
  const counts = await Promise.all([1, 2, 3, 4].map(() => db.get('SELECT count(*) AS n FROM t')))
  assert.deepStrictEqual(counts, Array(4).fill({ n: 100 }))
  await assert.rejects(db.get('SELECT missing'), { code: 'SQLITE_ERROR' })
  await db.close()
})()

// The worker loads the addon again, and destroys its thread's values when it ends.
const inWorker = `
  const { parentPort, workerData: { entry, file, key } } = require('node:worker_threads')
  const Database = require(entry)
  const db = new Database(file, { key: Buffer.from(key), readonly: true })
  parentPort.postMessage(db.prepare('SELECT count(*) FROM t').pluck().get())
`
const counted = []
const worker = new Worker(inWorker, { eval: true, workerData: { entry, file, key } })
worker.on('message', (count) => counted.push(count))
worker.on('error', (error) => {
  throw error
})
worker.on('exit', async (code) => {
  assert.deepStrictEqual(
    [code, counted],
    [0, [100]],
    `the worker ended with exit code ${code} and read ${counted[0] ?? 'no'} rows instead of 100`,
  )
  await asynchronous
  const libc = process.platform !== 'linux' ? process.platform : glibc ? `glibc ${glibc}` : 'musl'
  console.log(`Node ${process.versions.node}, ${libc}`)
})
