import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { inspect } from 'node:util'
import Database from 'strongroom'
import { freshPath } from './temporary.mjs'

/** A low number of key derivation iterations, which keeps the tests fast: the default is slow on purpose. */
const kdfIter = 1000

function filled(path, options) {
  const db = new Database(path, options)
  db.exec("CREATE TABLE secrets (text); INSERT INTO secrets VALUES ('the cat is in the bag')")
  db.close()
  return path
}

test('a raw key encrypts the file, and opens it again', () => {
  const key = randomBytes(32)
  const path = filled(freshPath(), { key })
  const bytes = readFileSync(path)
  assert.equal(bytes.includes('SQLite format 3'), false)
  assert.equal(bytes.includes('the cat'), false)
  assert.equal(bytes.includes('secrets'), false)
  for (const same of [key, new Uint8Array(key)]) {
    const db = new Database(path, { key: same })
    assert.equal(db.prepare('SELECT text FROM secrets').pluck().get(), 'the cat is in the bag')
    db.close()
  }
})

test('a passphrase, as a string or as bytes, encrypts the file, and opens it again', () => {
  const path = filled(freshPath(), { passphrase: 'grüße', kdfIter })
  for (const passphrase of ['grüße', Buffer.from('grüße')]) {
    const db = new Database(path, { passphrase, kdfIter })
    assert.equal(db.prepare('SELECT count(*) FROM secrets').pluck().get(), 1)
    db.close()
    assert.equal(Buffer.from(passphrase).toString(), 'grüße')
  }
})

test('a wrong key has an error code of its own in the constructor', () => {
  const path = filled(freshPath(), { key: randomBytes(32) })
  const before = readFileSync(path)
  assert.throws(() => new Database(path, { key: randomBytes(32) }), {
    name: 'SqliteError',
    code: 'STRONGROOM_WRONG_KEY',
  })
  assert.deepEqual(readFileSync(path), before)
})

test('page size and compatibility are part of the format', () => {
  const passphrase = 'p'
  const path = filled(freshPath(), { passphrase, kdfIter, pageSize: 8192 })
  const db = new Database(path, { passphrase, kdfIter, pageSize: 8192 })
  // SQLCipher answers this pragma itself, as text.
  assert.equal(Number(db.pragma('page_size', { simple: true })), 8192)
  db.close()
  const old = filled(freshPath(), { passphrase, cipherCompatibility: 3, kdfIter })
  // The file has two pages of 1,024 bytes. Version 4 has pages of 4,096 bytes, so the length shows another format.
  assert.throws(() => new Database(old, { passphrase, kdfIter }), { code: /^(STRONGROOM_WRONG_KEY|SQLITE_NOTADB)$/ })
  new Database(old, { passphrase, cipherCompatibility: 3, kdfIter }).close()
})

test('without a key, the constructor reads nothing, so PRAGMA key can follow', () => {
  const path = filled(freshPath(), { passphrase: 'later', kdfIter })
  const db = new Database(path)
  db.pragma("key = 'later'")
  db.pragma(`kdf_iter = ${kdfIter}`)
  assert.equal(db.prepare('SELECT count(*) FROM secrets').pluck().get(), 1)
  db.close()
})

test('an encrypted file without its key fails at the first statement', () => {
  const db = new Database(filled(freshPath(), { key: randomBytes(32) }))
  assert.throws(() => db.prepare('SELECT * FROM secrets'), { name: 'SqliteError', code: 'SQLITE_NOTADB' })
  db.close()
})

test('a plain file with a key is reported as not encrypted', () => {
  const path = filled(freshPath())
  assert.throws(() => new Database(path, { key: randomBytes(32) }), { code: 'STRONGROOM_NOT_ENCRYPTED' })
})

test('a key of the wrong type or length, and a wrong combination of key options, are refused', () => {
  const key = randomBytes(32)
  const wrong = [
    [{ key, passphrase: 'p' }, TypeError, /cannot be combined/],
    [{ key: 'a string' }, TypeError, /"key"/],
    [{ key: undefined }, TypeError, /"key" option is undefined/],
    [{ passphrase: null }, TypeError, /"passphrase" option is null/],
    [{ passphrase: 5 }, TypeError, /"passphrase"/],
    [{ key: new Uint8Array(0) }, RangeError, /32 bytes, not 0/],
    [{ key: randomBytes(31) }, RangeError, /32 bytes, not 31/],
    [{ key: randomBytes(33) }, RangeError, /32 bytes, not 33/],
    [{ passphrase: '' }, RangeError, /empty/],
    [{ passphrase: Buffer.alloc(0) }, RangeError, /empty/],
    [{ passphrase: 'x\udc00' }, TypeError, /surrogate/],
    [{ key, kdfIter: 0 }, RangeError, /"kdfIter".*0/],
    [{ key, pageSize: 3000 }, RangeError, /power of two/],
    [{ key, pageSize: 512 }, RangeError, /"pageSize".*1024/],
    [{ key, pageSize: 2 ** 17 }, RangeError, /"pageSize"/],
    [{ key, cipherCompatibility: 5 }, RangeError, /"cipherCompatibility"/],
    [{ key, kdfAlgorithm: 'md5' }, TypeError, /"kdfAlgorithm".*"sha1", "sha256" or "sha512", not "md5"/],
    [{ key, hmacAlgorithm: 1 }, TypeError, /"hmacAlgorithm" option to be a string/],
    [{ key, useHmac: 1 }, TypeError, /"useHmac" option to be a boolean/],
    [{ key, hmacSaltMask: 256 }, RangeError, /"hmacSaltMask".*255/],
    [{ key, salt: 'x' }, TypeError, /"salt"/],
    [{ key, salt: Buffer.alloc(15) }, RangeError, /16 bytes, not 15/],
    [{ key, plaintextHeaderSize: 32 }, RangeError, /also pass the 16-byte salt/],
    [{ key, plaintextHeaderSize: 33, salt: Buffer.alloc(16) }, RangeError, /multiple of 16/],
    [{ kdfIter: 1000 }, TypeError, /"kdfIter".*"key" or "passphrase"/],
  ]
  for (const [options, type, message] of wrong) {
    assert.throws(
      () => new Database(freshPath(), options),
      (error) => {
        assert.ok(error instanceof type, `${inspect(error)}`)
        assert.match(error.message, message)
        return true
      },
    )
  }
})

test('errors, verbose and an inspected database show no key', () => {
  const seen = []
  const path = freshPath()
  const db = new Database(path, { verbose: (sql) => seen.push(sql) })
  db.pragma("key = 'open sesame'")
  db.exec('CREATE TABLE t (a)')
  assert.throws(
    () => db.exec("PRAGMA key = 'open sesame' nonsense"),
    (error) => {
      assert.doesNotMatch(inspect(error, { showHidden: true }), /sesame/)
      return true
    },
  )
  assert.throws(
    () => db.pragma("rekey = 'open sesame again'"),
    (error) => error.code === 'STRONGROOM_PRAGMA_REFUSED' && !inspect(error).includes('sesame'),
  )
  assert.ok(seen.length > 0)
  assert.doesNotMatch(seen.join('\n'), /sesame/)
  assert.doesNotMatch(inspect(db, { showHidden: true, depth: 9 }), /sesame/)
  db.close()
  const again = new Database(path, { passphrase: 'open sesame' })
  assert.doesNotMatch(inspect(again, { showHidden: true, depth: 9 }), /sesame/)
  again.close()
})

test('sqlcipher_export makes a plain copy', () => {
  const path = filled(freshPath(), { key: Buffer.alloc(32, 1) })
  const db = new Database(path, { key: Buffer.alloc(32, 1) })
  const plain = freshPath()
  // Without KEY '' the copy would have the key of the main database.
  db.prepare("ATTACH ? AS plain KEY ''").run(plain)
  db.prepare("SELECT sqlcipher_export('plain')").get()
  db.close()
  assert.equal(readFileSync(plain).toString('latin1', 0, 15), 'SQLite format 3')
  assert.equal(new Database(plain).prepare('SELECT count(*) FROM secrets').pluck().get(), 1)
})

test('a statement that holds a key does not show it', () => {
  const db = new Database()
  for (const sql of ["PRAGMA key = 's3cr3t'", "ATTACH 'x.db' AS x KEY 's3cr3t'"]) {
    const statement = db.prepare(sql)
    assert.equal(inspect(statement, { depth: 5 }).includes('s3cr3t'), false)
    assert.match(statement.source, /'<redacted>'$/)
  }
  const harmless = 'SELECT 1 AS key'
  assert.equal(db.prepare(harmless).source, harmless)
  db.close()
})
