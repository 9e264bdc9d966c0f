// The values that threads pass to JavaScript, compared with the synchronous class. Long texts are external strings.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { open } from './async-database.mjs'
import Database from './database.mjs'
import { freshPath } from './temporary.mjs'

/** Bytes that are not UTF-8, and that become a text. */
const INVALID = ['ff', '61ff62', 'e6bc', 'f09f98', 'eda080', 'c0af', 'ff'.repeat(200), `${'61'.repeat(150)}e6`]
/** Texts of one and of two bytes per character, below and above the length from which a text is external. */
const TEXTS = ['a', 'é', '漢', '😀', 'a\0é', '\uFEFF'].flatMap((unit) =>
  [1, 47, 48, 95, 96, 5000].map((n) => unit.repeat(n)),
)
const BLOBS = [0, 1, 64, 65, 65_535, 65_536, 300_000].map((length) => Buffer.alloc(length, 7))
const NUMBERS = [null, 1, -1.5, 2 ** 31, 2n ** 40n, -(2n ** 63n), Number.POSITIVE_INFINITY]

/** Fills a table with each value in a random order, which changes the encoding of the column again and again. */
function fill(path) {
  const db = new Database(path)
  db.exec('PRAGMA journal_mode = WAL; CREATE TABLE v (id INTEGER PRIMARY KEY, x)')
  const insert = db.prepare('INSERT INTO v (x) VALUES (?)')
  for (const value of [...NUMBERS, ...TEXTS, ...BLOBS]) insert.run(value)
  for (const bytes of INVALID) db.exec(`INSERT INTO v (x) VALUES (CAST(x'${bytes}' AS TEXT))`)
  return db
}

/** Replaces each Buffer by its class and its bytes, because deepEqual accepts a Uint8Array for a Buffer. */
const seen = (rows) =>
  rows.map((row) =>
    Object.entries(row).map(([key, value]) => [key, Buffer.isBuffer(value) ? value.toString('hex') : value]),
  )

test('rows of every kind are those of the synchronous class', async (t) => {
  const path = freshPath()
  const sync = fill(path)
  t.after(() => sync.close())
  const db = await open(t, path)
  for (const sql of [
    'SELECT * FROM v ORDER BY id',
    'SELECT * FROM v ORDER BY typeof(x), id',
    'SELECT * FROM v ORDER BY (id * 7919) % 101',
    'SELECT a.x AS a, b.x AS b FROM v a, v b WHERE length(a.x) < 6000 AND length(b.x) < 6000',
    'SELECT x FROM v WHERE x IS NULL',
    'SELECT x FROM v WHERE 0',
  ])
    for (const bigints of [false, true]) {
      const expected = sync.prepare(sql).safeIntegers(bigints)
      const statement = (await db.prepare(sql)).safeIntegers(bigints)
      assert.deepEqual(seen(await statement.all()), seen(expected.all()), sql)
      const rows = []
      for await (const row of statement.iterate()) rows.push(row)
      assert.deepEqual(seen(rows), seen(expected.all()), sql)
      assert.deepEqual(seen([(await statement.get()) ?? {}]), seen([expected.get() ?? {}]), sql)
      assert.deepEqual(seen(await statement.raw().all()), seen(expected.raw().all()), sql)
      assert.deepEqual(seen([await statement.raw(false).pluck().all()]), seen([expected.raw(false).pluck().all()]), sql)
    }
})

test('parameters reach the thread unchanged, with a slot or without', async (t) => {
  const db = await open(t, freshPath())
  await db.exec('CREATE TABLE p (i INTEGER PRIMARY KEY, x)')
  const values = [...NUMBERS, ...TEXTS, ...BLOBS]
  // More values than the shared memory has slots, and blobs above and below the length that it takes.
  const many = Array.from({ length: 600 }, (_, i) => values[i % values.length])
  await db.run(`INSERT INTO p (x) VALUES ${many.map(() => '(?)').join()}`, many)
  const statement = await db.prepare('SELECT x FROM p ORDER BY i')
  const rows = await statement.raw().safeIntegers().all()
  // A number is stored as it is in the synchronous class: an integer only if it was a bigint.
  assert.deepEqual(seen(rows), seen(many.map((value) => [value])))
})

test('a changed Buffer does not change the parameter of a call that waits', async (t) => {
  const db = await open(t, freshPath())
  for (const length of [10, 10_000]) {
    const bytes = Buffer.alloc(length, 1)
    const call = db.get('SELECT ? AS x', [bytes])
    bytes.fill(2)
    assert.deepEqual((await call).x, Buffer.alloc(length, 1))
  }
})

/** Runs a fixture in a process of its own, which must exit with 0 and print no error. */
function run(name) {
  const script = fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))
  const { status, signal, stderr } = spawnSync(process.execPath, ['--expose-gc', script], { encoding: 'utf8' })
  assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' })
}

test('dropped texts are collected', () => run('async-texts.mjs'))

test('replies that wait for the main thread take little memory', () => run('async-replies.mjs'))

test('a worker that ends frees its texts', async () => {
  const source = `
    const { parentPort } = require('node:worker_threads')
    import('strongroom/async').then(async ({ open }) => {
      const db = await open(':memory:')
      globalThis.rows = await db.all("SELECT hex(zeroblob(1000)) AS text, printf('%.1000c', 'x') AS more")
      parentPort.postMessage(globalThis.rows[0].text.length)
      await new Promise(() => setInterval(() => {}, 1000))
    })`
  const base = fileURLToPath(new URL('.', import.meta.url))
  for (let i = 0; i < 5; i++) {
    const worker = new Worker(source, { eval: true, cwd: base })
    const [length] = await new Promise((resolve, reject) => {
      worker.once('message', (message) => resolve([message]))
      worker.once('error', reject)
    })
    assert.equal(length, 2000)
    await worker.terminate()
  }
})
