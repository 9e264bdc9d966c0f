import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { relative } from 'node:path'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import Database from './database.mjs'
import { folder, freshPath } from './temporary.mjs'

const require = createRequire(import.meta.url)

/** Returns sqlite-vec, or undefined if the package is not installed or has no library for this system. */
function sqliteVec() {
  try {
    const vec = require('sqlite-vec')
    // The package has a library for glibc, which may not load on musl.
    if (existsSync('/lib/ld-musl-x86_64.so.1') || existsSync('/lib/ld-musl-aarch64.so.1')) return undefined
    return existsSync(vec.getLoadablePath()) ? vec : undefined
  } catch {
    return undefined
  }
}
const vec = sqliteVec()
const withVec = { skip: vec === undefined && 'skipped: sqlite-vec is not installed, or has no library for this system' }

const failure = (message) => ({ name: 'SqliteError', code: 'SQLITE_ERROR', message })
const vector = (...numbers) => Buffer.from(new Float32Array(numbers).buffer)
const SCHEMA = 'CREATE VIRTUAL TABLE v USING vec0(id INTEGER PRIMARY KEY, embedding float[3], +note TEXT)'
const NEAREST = 'SELECT id FROM v WHERE embedding MATCH ? ORDER BY distance LIMIT 2'

/** Inserts three vectors, and returns the ids of the two vectors that are nearest to a fourth vector. */
function nearest(db) {
  const insert = db.prepare('INSERT INTO v (id, embedding, note) VALUES (?, ?, ?)')
  db.transaction(() => {
    insert.run(1n, vector(1, 0, 0), 'x')
    insert.run(2n, vector(0, 1, 0), 'y')
    insert.run(3n, vector(0, 0, 1), 'z')
  })()
  return db
    .prepare(NEAREST)
    .pluck()
    .all(vector(0.1, 0.9, 0.2))
}

for (const [name, options] of [
  ['plain', {}],
  ['encrypted', { key: Buffer.alloc(32, 7) }],
])
  test(`sqlite-vec from npm works with a file: ${name}`, withVec, () => {
    const path = freshPath()
    const db = new Database(path, options)
    vec.load(db)
    assert.match(db.prepare('SELECT vec_version()').pluck().get(), /^v0\.1\./)
    db.exec(SCHEMA)
    assert.deepEqual(nearest(db), [2, 3])
    db.exec('DELETE FROM v WHERE id = 2')
    db.close()
    const again = new Database(path, options)
    assert.throws(() => again.prepare(NEAREST), failure('no such module: vec0'))
    vec.load(again)
    assert.deepEqual(
      again
        .prepare(NEAREST)
        .pluck()
        .all(vector(0, 1, 0.5)),
      [3, 1],
    )
    assert.equal(again.pragma('integrity_check', { simple: true }), 'ok')
    again.close()
  })

test('a database with vectors can be checked, backed up, serialized and converted', withVec, async () => {
  const path = freshPath()
  const key = Buffer.alloc(32, 7)
  let db = new Database(path, { key })
  vec.load(db)
  db.exec(SCHEMA)
  nearest(db)
  const { ok, problems } = db.check()
  assert.deepEqual({ ok, problems }, { ok: true, problems: [] })
  const copy = freshPath()
  await db.backup(copy)
  const image = db.serialize()
  db.close()
  await Database.decrypt(path, { from: { key } })
  for (const opened of [new Database(copy, { key }), new Database(image), new Database(path)]) {
    db = opened
    vec.load(db)
    assert.deepEqual(
      db
        .prepare(NEAREST)
        .pluck()
        .all(vector(0, 1, 0.5)),
      [2, 3],
    )
    db.close()
  }
})

test('loadExtension returns the database, and takes an entry point and a path without suffix', withVec, () => {
  const path = vec.getLoadablePath()
  const db = new Database(':memory:')
  assert.equal(db.loadExtension(path), db)
  assert.equal(db.loadExtension(path, 'sqlite3_vec_init'), db)
  assert.equal(db.loadExtension(path, undefined), db)
  db.close()
  for (const given of [path.replace(/\.[a-z]+$/, ''), relative('.', path)]) {
    const other = new Database(':memory:')
    other.loadExtension(given.includes('/') ? given : `./${given}`)
    assert.match(other.prepare('SELECT vec_version()').pluck().get(), /^v/)
    other.close()
  }
  assert.throws(
    () => new Database(':memory:').loadExtension(path, 'no_such_function'),
    failure(/the library has no function "no_such_function"; check the name/),
  )
})

test('each worker can load the extension, and exits normally', withVec, async () => {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    const Database = require(workerData.strongroom)
    const db = new Database(':memory:')
    db.loadExtension(workerData.path)
    parentPort.postMessage(db.prepare('SELECT vec_length(vec_f32(?))').pluck().get('[1, 2, 3]'))
    if (workerData.close) db.close()`
  for (const close of [true, false, true]) {
    const workerData = { strongroom: require.resolve('strongroom'), path: vec.getLoadablePath(), close }
    const worker = new Worker(code, { eval: true, workerData })
    const answers = []
    worker.on('message', (answer) => answers.push(answer))
    const code_ = await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
    assert.deepEqual([code_, answers], [0, [3]])
  }
})

test('SQL cannot load an extension', withVec, () => {
  const db = new Database(':memory:')
  const path = vec.getLoadablePath()
  const refused = failure('not authorized')
  const select = db.prepare('SELECT load_extension(?)')
  assert.throws(() => select.get(path), refused)
  vec.load(db)
  assert.throws(() => select.get(path), refused)
  assert.throws(() => db.exec(`SELECT load_extension('${path}', 'sqlite3_vec_init')`), refused)
  db.exec('CREATE TABLE t (a); CREATE TRIGGER load AFTER INSERT ON t BEGIN SELECT load_extension(NEW.a); END')
  assert.throws(() => db.prepare('INSERT INTO t VALUES (?)').run(path), { name: 'SqliteError', code: 'SQLITE_ERROR' })
  assert.throws(() => db.loadExtension(`${path}x`), failure(/exists; check the path/))
  assert.throws(() => select.get(path), refused)
})

test('the error for a library that cannot be loaded says why', () => {
  const db = new Database(':memory:')
  assert.throws(
    () => db.loadExtension('./no/such/library'),
    failure(/cannot load the extension ".\/no\/such\/library": neither this file nor ".*\.(so|dylib|dll)" exists/),
  )
  assert.throws(() => db.loadExtension('strongroom-no-such-library'), failure(/strongroom-no-such-library/))
  assert.throws(() => db.loadExtension(folder), failure(/the path is a folder/))
  assert.throws(() => db.loadExtension(''), failure(/the path is empty/))
  assert.throws(() => db.loadExtension(`./${'x'.repeat(20_000)}`), failure(/cannot load the extension/))
  const text = `${freshPath()}.so`
  writeFileSync(text, 'SELECT 1; this is a text')
  assert.throws(() => db.loadExtension(text), failure(/the file is not a library \(/))
  const other = `${freshPath()}.so`
  const header = Buffer.alloc(64)
  header.write('\x7fELF\x02\x01\x01', 'latin1')
  header.writeUInt16LE(3, 16)
  header.writeUInt16LE(243, 18)
  writeFileSync(other, header)
  assert.throws(
    () => db.loadExtension(other),
    failure(/the library was built for Linux on riscv64, but this process needs a library for /),
  )
  assert.equal(db.prepare('SELECT 1').pluck().get(), 1)
  db.close()
})

test('a folder of the same name does not hide a library', withVec, () => {
  const path = vec.getLoadablePath()
  const suffix = /\.[a-z]+$/.exec(path)[0]
  const place = freshPath()
  mkdirSync(place)
  execFileSync(process.execPath, [
    '-e',
    `fs.copyFileSync(${JSON.stringify(path)}, ${JSON.stringify(`${place}${suffix}`)})`,
  ])
  const db = new Database(':memory:')
  db.loadExtension(place, 'sqlite3_vec_init')
  db.close()
  rmSync(place, { recursive: true })
})

test('loadExtension checks its arguments before it loads anything', () => {
  const db = new Database(':memory:')
  const type = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }
  const value = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' }
  for (const path of [undefined, null, 1, {}, ['x'], new String('x'), Symbol('x')])
    assert.throws(() => db.loadExtension(path), type)
  for (const entry of [1, {}, Symbol('x'), true]) assert.throws(() => db.loadExtension('./x', entry), type)
  assert.throws(() => db.loadExtension('./x\0.so'), value)
  assert.throws(() => db.loadExtension('./\ud800'), value)
  assert.throws(() => db.loadExtension('./x', 'a\0b'), value)
  assert.throws(() => db.loadExtension('./x', '\ud800'), value)
  for (const _ of db.prepare('SELECT 1 UNION SELECT 2').iterate())
    assert.throws(() => db.loadExtension('./x'), { name: 'TypeError', code: 'STRONGROOM_BUSY' })
  db.close()
  assert.throws(() => db.loadExtension('./x'), { name: 'TypeError', code: 'STRONGROOM_CLOSED' })
})
