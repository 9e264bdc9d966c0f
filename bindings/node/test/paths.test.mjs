import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import Database, { SqliteError, testIn } from './database.mjs'
import { folder } from './temporary.mjs'

const start = process.cwd()
const isPlain = (path) => readFileSync(path).toString('latin1', 0, 15) === 'SQLite format 3'

let count = 0

/** Creates a folder with a plain database `a.db`, and in its subfolder `sub` another database `a.db`. */
function folders() {
  count += 1
  const top = join(folder, `paths-${count}`)
  const sub = join(top, 'sub')
  mkdirSync(sub, { recursive: true })
  for (const path of [join(top, 'a.db'), join(sub, 'a.db')]) {
    const db = new Database(path)
    db.exec("CREATE TABLE t (a); INSERT INTO t VALUES ('x')")
    db.close()
  }
  return { top, sub }
}

// A fixed bug: the conversion resolved the path on its own thread. If the program changed its working directory right
// after the call, another file was encrypted.
testIn(
  ['plain'],
  'the test encrypts a plain file',
  'a conversion and a backup resolve their paths when they are called, even if the program then changes its working directory',
  async () => {
    try {
      for (let round = 0; round < 8; round++) {
        const { top, sub } = folders()
        process.chdir(top)
        const key = randomBytes(32)
        const encrypted = Database.encrypt('a.db', { key }, { keep: 'a.bak' })
        process.chdir(sub)
        await encrypted
        assert.ok(isPlain(join(sub, 'a.db')) && !isPlain(join(top, 'a.db')) && isPlain(join(top, 'a.bak')))
        assert.deepEqual(readdirSync(sub), ['a.db'])

        process.chdir(top)
        const migrated = Database.migrate('a.db', { from: { key }, to: { key, pageSize: 8192 } })
        process.chdir(sub)
        await migrated
        process.chdir(top)
        const decrypted = Database.decrypt('a.db', { from: { key: randomBytes(32) } })
        process.chdir(sub)
        await assert.rejects(decrypted, { code: 'STRONGROOM_WRONG_KEY' })

        process.chdir(top)
        const db = new Database('a.db', { key })
        process.chdir(sub)
        db.exec('CREATE TABLE later (a)')
        process.chdir(top)
        const backedUp = db.backup('b.db', { plain: true })
        const other = db.backup('c.db')
        process.chdir(sub)
        await Promise.all([backedUp, other])
        db.attach('d.db', 'd', { plain: true })
        process.chdir(top)
        db.exec('CREATE TABLE d.t (a)')
        assert.equal(db.check().ok, true)
        db.close()
        assert.deepEqual(readdirSync(sub), ['a.db', 'd.db'])
        assert.deepEqual(readdirSync(top), ['a.bak', 'a.db', 'b.db', 'c.db', 'sub'])
      }
    } finally {
      process.chdir(start)
    }
  },
)

test('an error message shows the path as it was passed', async () => {
  const { top } = folders()
  try {
    process.chdir(top)
    const encrypted = Database.encrypt('missing.db', { key: randomBytes(32) })
    process.chdir(start)
    await assert.rejects(encrypted, /cannot open "missing\.db"/)
  } finally {
    process.chdir(start)
  }
})

// SQLite removes or uses these files when it next opens the database.
testIn(
  ['plain'],
  'the test encrypts a plain file',
  'backup() and keep refuse the name of a file that SQLite or this package removes',
  async () => {
    const { top } = folders()
    const path = join(top, 'a.db')
    const reserved = { name: 'SqliteError', code: 'STRONGROOM_RESERVED_NAME' }
    const db = new Database(path)
    for (const name of ['a.db', 'b.db'])
      for (const ending of [
        '-journal',
        '-wal',
        '-shm',
        '-strongroom-migrating',
        '-strongroom-keeping',
        '-strongroom-backup',
      ]) {
        const other = join(top, `${name}${ending}`)
        await assert.rejects(db.backup(other), reserved)
        await assert.rejects(Database.encrypt(path, { key: randomBytes(32) }, { keep: other }), (error) => {
          assert.ok(error instanceof SqliteError && error.message.includes(basename(other)))
          assert.equal(error.code, reserved.code)
          return true
        })
        assert.equal(existsSync(other), false)
      }
    db.close()
    assert.ok(isPlain(path))
  },
)

testIn(
  ['plain'],
  'one of the messages is about a plain file',
  'the message says that a file is missing or plain, or that a name is unknown',
  async () => {
    const { top } = folders()
    const [path, missing] = [join(top, 'a.db'), join(top, 'missing.db')]
    const key = randomBytes(32)
    const gone = {
      code: 'SQLITE_CANTOPEN',
      message: `cannot open "${missing}": the file does not exist; check the path`,
    }
    await assert.rejects(Database.encrypt(missing, { key }), gone)
    const db = new Database(path)
    assert.throws(() => db.attach(missing, 'other', { readonly: true }), gone)
    const notAttached = { name: 'SqliteError', code: 'STRONGROOM_NOT_ATTACHED' }
    await assert.rejects(db.backup(missing, { attached: 'other' }), notAttached)
    assert.throws(() => db.serialize({ attached: 'other' }), notAttached)
    assert.throws(() => db.serialize({ key }), {
      code: 'STRONGROOM_OTHER_LAYOUT',
      message: /the database is not encrypted, and its pages have no room for the cipher; back the database up/,
    })
    const memory = new Database(':memory:')
    memory.exec('CREATE TABLE t (a)')
    assert.throws(() => memory.serialize({ key }), /"main" with this key: the database is not encrypted/)
    memory.close()
    db.close()
    const plain = { code: 'STRONGROOM_NOT_ENCRYPTED' }
    await assert.rejects(Database.decrypt(path, { from: { key } }), {
      ...plain,
      message: /^cannot convert .* the file is not encrypted, but a current key was given/,
    })
    assert.throws(() => new Database(path, { key }), { ...plain, message: /encrypt it with Database\.encrypt\(\)$/ })
  },
)

testIn(['plain'], 'the test encrypts a plain file', 'an operating system error has a code of SQLite', async () => {
  const { top } = folders()
  const path = join(top, 'a.db')
  const long = join(top, 'x'.repeat(300))
  const options = { key: randomBytes(32) }
  const cannot = { name: 'SqliteError', code: 'SQLITE_CANTOPEN' }
  await assert.rejects(Database.encrypt(long, options), cannot)
  await assert.rejects(Database.encrypt(path, options, { keep: long }), cannot)
  await assert.rejects(Database.encrypt(path, options, { keep: join(top, 'no', 'a.db') }), cannot)
  const db = new Database(path)
  await assert.rejects(db.backup(long), cannot)
  await assert.rejects(db.backup(join(top, 'no', 'a.db')), cannot)
  db.close()
  assert.deepEqual(readdirSync(top), ['a.db', 'sub'])
})
