import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import Database, { SqliteError, testIn } from './database.mjs'
import { freshPath } from './temporary.mjs'

const HEADER = 'SQLite format 3\0'

function filled(path, options) {
  const db = new Database(path, options)
  db.exec(`CREATE TABLE t (a INTEGER PRIMARY KEY, b); WITH n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
    INSERT INTO t SELECT i, 'row ' || i || zeroblob(500) FROM n`)
  return db
}

const content = (db) => db.prepare('SELECT * FROM t ORDER BY a').raw().all()

test('serialize returns a Buffer that opens as an in-memory database', () => {
  for (const options of [{}, { key: randomBytes(32) }, { passphrase: 'p', cipherCompatibility: 3, kdfIter: 100 }]) {
    const db = filled(freshPath(), options)
    const image = db.serialize()
    assert.ok(Buffer.isBuffer(image))
    assert.equal(image.toString('latin1', 0, 16), HEADER)
    const copy = new Database(image)
    assert.deepEqual(
      { name: copy.name, memory: copy.memory, readonly: copy.readonly, open: copy.open },
      { name: ':memory:', memory: true, readonly: false, open: true },
    )
    assert.deepEqual(content(copy), content(db))
    assert.deepEqual(copy.serialize(), image)
    copy.exec("INSERT INTO t VALUES (0, 'new')")
    assert.equal(copy.prepare('SELECT count(*) FROM t').pluck().get(), 101)
    assert.equal(db.prepare('SELECT count(*) FROM t').pluck().get(), 100)
    copy.close()
    db.close()
  }
})

test('an image opens in plain SQLite, in journal mode DELETE', () => {
  const db = filled(freshPath(), { key: randomBytes(32) })
  db.pragma('journal_mode = WAL')
  db.exec("UPDATE t SET b = 'in the log' WHERE a = 1")
  const path = freshPath()
  writeFileSync(path, db.serialize())
  const sql = 'PRAGMA integrity_check; PRAGMA journal_mode; SELECT count(*), min(b) FROM t'
  const { error, stdout, stderr } = spawnSync('sqlite3', [path, sql], { encoding: 'utf8' })
  if (error) return console.log('skipped: no sqlite3 on PATH')
  assert.deepEqual({ stdout, stderr }, { stdout: 'ok\ndelete\n100|in the log\n', stderr: '' })
})

test('an encrypted image is a complete encrypted file, and opens from memory with its key', () => {
  const key = randomBytes(32)
  for (const mode of ['delete', 'wal']) {
    const db = filled(freshPath(), { key })
    db.pragma(`journal_mode = ${mode}`)
    content(db)
    const files = readdirSync(dirname(db.name))
    const image = db.serialize({ encrypted: true })
    assert.deepEqual(readdirSync(dirname(db.name)), files, 'nothing is written to a file')
    assert.notEqual(image.toString('latin1', 0, 16), HEADER)
    assert.equal(image.includes('row 1'), false)
    const path = freshPath()
    writeFileSync(path, image)
    for (const place of [path, image]) {
      const copy = new Database(place, { key })
      assert.deepEqual(content(copy), content(db))
      assert.deepEqual(copy.check().problems, [])
      copy.exec('DELETE FROM t')
      assert.equal(copy.serialize().toString('latin1', 0, 16), HEADER)
      copy.close()
      assert.throws(() => new Database(place, { key: randomBytes(32) }), { code: 'STRONGROOM_WRONG_KEY' })
    }
    db.close()
    const bytes = readFileSync(db.name)
    const copy = new Database(bytes, { key, readonly: true })
    assert.equal(copy.prepare('SELECT count(*) FROM t').pluck().get(), 100)
    copy.close()
  }
})

testIn(['plain'], 'one of the databases is plain', 'an encrypted image can have another key', async () => {
  const db = filled(freshPath(), { key: randomBytes(32) })
  const other = { passphrase: 'other', kdfIter: 100 }
  for (const options of [other, { ...other, encrypted: true }]) {
    const copy = new Database(db.serialize(options), other)
    assert.deepEqual(content(copy), content(db))
    copy.close()
  }
  assert.throws(() => db.serialize({ ...other, cipherCompatibility: 3 }), {
    name: 'SqliteError',
    code: 'STRONGROOM_OTHER_LAYOUT',
    message: /back the database up to a file/,
  })
  const plain = filled(':memory:')
  assert.throws(() => plain.serialize({ encrypted: true }), { code: 'STRONGROOM_NOT_ENCRYPTED' })
  assert.throws(() => plain.serialize({ key: randomBytes(32) }), { code: 'STRONGROOM_OTHER_LAYOUT' })
})

test('serialize takes an attached database, and includes an open transaction', () => {
  const key = randomBytes(32)
  const attached = filled(freshPath(), { key })
  const db = new Database(':memory:')
  db.attach(attached.name, 'other', { key })
  db.exec('BEGIN; DELETE FROM other.t WHERE a > 5')
  assert.equal(content(new Database(db.serialize({ attached: 'other' }))).length, 5)
  assert.equal(content(new Database(db.serialize({ attached: 'other', encrypted: true }), { key })).length, 5)
  db.exec('ROLLBACK')
  assert.equal(content(new Database(db.serialize({ attached: 'other' }))).length, 100)
  assert.throws(() => db.serialize({ attached: 'another' }), { code: 'STRONGROOM_NOT_ATTACHED', message: /"another"/ })
})

test('a read-only image refuses every change', () => {
  const db = filled(':memory:')
  const image = db.serialize()
  const copy = new Database(image, { readonly: true })
  assert.equal(copy.readonly, true)
  assert.equal(copy.memory, true)
  assert.throws(() => copy.exec('DELETE FROM t'), { code: 'SQLITE_READONLY' })
  assert.deepEqual(copy.serialize(), image)
})

test('an empty database has an empty image', () => {
  const db = new Database(':memory:')
  const image = db.serialize()
  assert.equal(image.length, 0)
  const copy = new Database(image)
  assert.deepEqual(copy.prepare('SELECT * FROM sqlite_master').all(), [])
  copy.exec('CREATE TABLE t (a)')
  assert.ok(copy.serialize().length > 0)
})

test('the constructor takes any kind of bytes, and copies them', () => {
  const image = filled(':memory:').serialize()
  const shared = new Uint8Array(new SharedArrayBuffer(image.length))
  shared.set(image)
  const resizable = new Uint8Array(new ArrayBuffer(image.length, { maxByteLength: 2 * image.length }))
  resizable.set(image)
  const inside = new Uint8Array(image.length + 7)
  inside.set(image, 7)
  for (const bytes of [image, new Uint8Array(image), shared, resizable, inside.subarray(7)]) {
    const copy = new Database(bytes)
    bytes.fill(0)
    assert.equal(content(copy).length, 100)
    copy.close()
  }
  const gone = new Uint8Array(8)
  structuredClone(gone, { transfer: [gone.buffer] })
  assert.throws(() => new Database(gone), { name: 'TypeError', message: /transferred/ })
})

test('an invalid image fails at the first statement, or in the constructor if a key is given', () => {
  const image = filled(':memory:').serialize()
  const garbage = [
    Buffer.from('x'),
    Buffer.alloc(4096),
    randomBytes(8192),
    image.subarray(0, 50),
    Buffer.alloc(1 << 20, 7),
  ]
  for (const bytes of garbage) {
    const db = new Database(bytes)
    assert.throws(() => db.prepare('SELECT * FROM sqlite_master').all(), SqliteError)
    db.close()
    assert.throws(() => new Database(bytes, { key: randomBytes(32) }), SqliteError)
  }
  const cut = new Database(image.subarray(0, image.length - 4096))
  assert.throws(() => content(cut), { code: 'SQLITE_CORRUPT' })
  assert.throws(() => new Database(image, { key: randomBytes(32) }), { code: 'STRONGROOM_NOT_ENCRYPTED' })
})

test('serialize fails during an iterator, and after close()', () => {
  const db = filled(':memory:')
  for (const _ of db.prepare('SELECT a FROM t').iterate())
    assert.throws(() => db.serialize(), { name: 'TypeError', code: 'STRONGROOM_BUSY' })
  db.close()
  assert.throws(() => db.serialize(), { name: 'TypeError', code: 'STRONGROOM_CLOSED' })
})

test('the error of serialize names the option of the wrong type', () => {
  const db = filled(':memory:')
  const key = randomBytes(32)
  const wrong = [
    [1, TypeError, /options object/],
    [{ attached: 1 }, TypeError, /"attached"/],
    [{ attached: '' }, TypeError, /"attached".*empty/],
    [{ encrypted: 1 }, TypeError, /"encrypted"/],
    [{ encrypted: false, key }, TypeError, /"encrypted: false"/],
    [{ key: undefined }, TypeError, /"key" option is undefined/],
    [{ kdfIter: 5 }, TypeError, /"kdfIter"/],
    [{ encrypt: true }, TypeError, /"encrypt"/],
  ]
  for (const [options, type, message] of wrong) {
    assert.throws(
      () => db.serialize(options),
      (error) => {
        assert.ok(error instanceof type, `${error}`)
        assert.match(error.message, message)
        assert.match(error.code, /^ERR_/)
        return true
      },
    )
  }
})
