import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import Database, { testIn } from './database.mjs'
import { folder, freshPath } from './temporary.mjs'

/** A low number of key derivation iterations, which keeps the tests fast: the default is slow on purpose. */
const kdfIter = 1000

function filled(options) {
  const path = freshPath()
  const db = new Database(path, options)
  db.exec("CREATE TABLE note (text); INSERT INTO note VALUES ('elsewhere')")
  db.close()
  return path
}

const read = (db) => db.prepare('SELECT text FROM other.note').pluck().get()
const attached = (db) => db.pragma('database_list').map(({ name }) => name)

test('attach() takes a key of its own, and detach() removes the database', () => {
  const main = new Database(freshPath(), { key: randomBytes(32) })
  for (const options of [
    { key: randomBytes(32) },
    { passphrase: 'other', kdfIter },
    { passphrase: Buffer.from('other'), kdfIter, cipherCompatibility: 3 },
    { passphrase: 'other', kdfIter, pageSize: 8192, hmacAlgorithm: 'sha256' },
  ]) {
    const path = filled(options)
    assert.equal(main.attach(path, 'other', options), main)
    assert.equal(read(main), 'elsewhere')
    main.exec("UPDATE other.note SET text = 'changed'")
    assert.equal(main.detach('other'), main)
    assert.deepEqual(attached(main), ['main'])
    assert.throws(() => main.prepare('SELECT * FROM other.note'), { code: 'SQLITE_ERROR' })
    const again = new Database(path, options)
    assert.equal(again.prepare('SELECT text FROM note').pluck().get(), 'changed')
    again.close()
  }
})

test('without a key, attach() uses the key of the main database', () => {
  const options = { passphrase: 'main', kdfIter, pageSize: 2048 }
  const main = new Database(freshPath(), options)
  main.exec('CREATE TABLE a (b)')
  const path = freshPath()
  main.attach(path, 'other')
  main.exec("CREATE TABLE other.note (text); INSERT INTO other.note VALUES ('elsewhere')")
  main.close()
  const again = new Database(path, options)
  assert.equal(again.prepare('SELECT text FROM note').pluck().get(), 'elsewhere')
})

testIn(
  ['plain'],
  'the attached file is plain',
  'attach() opens a file without encryption only with plain: true',
  () => {
    const main = new Database(freshPath(), { key: randomBytes(32) })
    main.exec('CREATE TABLE a (b)')
    const path = filled()
    assert.throws(() => main.attach(path, 'other'), { name: 'SqliteError', code: 'STRONGROOM_NOT_ENCRYPTED' })
    main.attach(path, 'other', { plain: true })
    assert.equal(read(main), 'elsewhere')
    const plain = freshPath()
    main.attach(plain, 'new', { plain: true })
    main.exec('CREATE TABLE new.a (b)')
    assert.equal(readFileSync(plain).toString('latin1', 0, 15), 'SQLite format 3')
  },
)

testIn(
  ['plain', 'sqlcipher'],
  'strongroom-format.test.mjs has the codes of the other format',
  'attach() refuses a wrong key, and attaches nothing',
  () => {
    const key = randomBytes(32)
    const path = filled({ key })
    const main = new Database(freshPath(), { key: randomBytes(32) })
    main.exec('CREATE TABLE a (b)')
    for (const options of [undefined, { key: randomBytes(32) }, { passphrase: 'x', kdfIter }]) {
      assert.throws(() => main.attach(path, 'other', options), { name: 'SqliteError', code: 'STRONGROOM_WRONG_KEY' })
      assert.deepEqual(attached(main), ['main'])
    }
    assert.throws(() => main.attach(path, 'other', { plain: true }), { code: 'SQLITE_NOTADB' })
    main.attach(path, 'other', { key })
    assert.equal(read(main), 'elsewhere')
  },
)

test('attach() reports a bad file as the constructor does', () => {
  const main = new Database()
  const missing = join(folder, 'missing.db')
  assert.throws(
    () => main.attach(missing, 'other', { fileMustExist: true }),
    (error) => {
      assert.ok(error instanceof Database.SqliteError)
      assert.equal(error.code, 'SQLITE_CANTOPEN')
      assert.match(error.message, /missing\.db.*does not exist/)
      if (process.platform !== 'win32') assert.equal(error.cause.code, 'ENOENT')
      return true
    },
  )
  assert.throws(() => main.attach(missing, 'other', { readonly: true }), { code: 'SQLITE_CANTOPEN' })
  assert.throws(() => main.attach(join(folder, 'no', 'a.db'), 'other'), { code: 'SQLITE_CANTOPEN' })
  assert.throws(() => main.attach(folder, 'other'), { code: 'SQLITE_CANTOPEN_ISDIR' })
  assert.equal(existsSync(missing), false)
})

test('an attached database can be read-only', () => {
  const path = filled()
  const main = new Database()
  main.attach(path, 'other', { readonly: true })
  assert.equal(read(main), 'elsewhere')
  assert.throws(() => main.exec('DELETE FROM other.note'), { code: 'SQLITE_READONLY' })
})

test('attach() and detach() refuse bad names, and attach() refuses an eleventh database', () => {
  const main = new Database()
  for (const name of ['main', 'TEMP', '', 'a\0'])
    assert.throws(() => main.attach('', name), { code: 'STRONGROOM_ATTACH_NAME' })
  for (let i = 0; i < 10; i++) main.attach(':memory:', `index ${i}"`)
  assert.throws(() => main.attach('', 'index 3"'), { code: 'STRONGROOM_ATTACH_NAME' })
  assert.throws(() => main.attach('', 'eleven'), { code: 'STRONGROOM_ATTACH_LIMIT' })
  assert.throws(() => main.detach('eleven'), { code: 'STRONGROOM_NOT_ATTACHED' })
  assert.throws(() => main.detach('main'), { code: 'STRONGROOM_ATTACH_NAME' })
})

test('attach() and detach() fail in a transaction, during an iterator, and after close()', () => {
  const main = new Database()
  const path = filled()
  main.attach(path, 'other')
  main.transaction(() => {
    assert.throws(() => main.attach('', 'more'), { code: 'STRONGROOM_IN_TRANSACTION' })
    assert.equal(read(main), 'elsewhere')
    assert.throws(() => main.detach('other'), { name: 'SqliteError', code: 'SQLITE_LOCKED' })
  })()
  const rows = main.prepare('SELECT 1 UNION SELECT 2').iterate()
  rows.next()
  assert.throws(() => main.detach('other'), { code: 'STRONGROOM_BUSY' })
  assert.throws(() => main.attach('', 'more'), { code: 'STRONGROOM_BUSY' })
  rows.return()
  main.detach('other')
  main.close()
  assert.throws(() => main.attach('', 'more'), { code: 'STRONGROOM_CLOSED' })
  assert.throws(() => main.detach('other'), { code: 'STRONGROOM_CLOSED' })
})

test('verbose shows the path of an attached database, but no key', () => {
  const seen = []
  const main = new Database(':memory:', { verbose: (sql) => seen.push(sql) })
  const path = freshPath()
  main.attach(path, 'other', { passphrase: 'open sesame', kdfIter })
  main.detach('other')
  assert.deepEqual(seen, [`ATTACH '${path}' AS "other"`, 'DETACH "other"'])
  assert.throws(
    () => main.attach(filled({ passphrase: 'another', kdfIter }), 'other', { passphrase: 'open sesame', kdfIter }),
    (error) => {
      assert.doesNotMatch(inspect(error, { showHidden: true, depth: 9 }), /sesame/)
      return true
    },
  )
  assert.doesNotMatch(seen.join('\n'), /sesame/)
})

test('attach() and detach() refuse arguments of a wrong type', () => {
  const db = new Database()
  const key = randomBytes(32)
  for (const [args, message] of [
    [[], /first argument/],
    [[5, 'a'], /first argument/],
    [['x'], /second argument/],
    [['x', 5], /second argument/],
    [['x', 'a', 5], /third argument/],
    [['x', 'a', { plain: 1 }], /"plain" option/],
    [['x', 'a', { plain: true, key }], /"plain" excludes/],
    [['x', 'a', { key: undefined }], /"key" option is undefined/],
    [['x', 'a', { kdfIter: 5 }], /"kdfIter"/],
    [['x', 'a', { timeout: 5 }], /"timeout" does not exist/],
    [['x\0', 'a'], /NUL/],
    [['x', '\ud800'], /surrogate/],
    [['', 'a', { readonly: true }], /cannot be readonly/],
  ])
    assert.throws(() => db.attach(...args), { name: 'TypeError', message })
  assert.throws(() => db.detach(), { name: 'TypeError', message: /first argument/ })
  assert.deepEqual(attached(db), ['main'])
})
