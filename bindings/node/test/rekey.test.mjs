import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { inspect } from 'node:util'
import Database, { SqliteError } from 'strongroom'
import { freshPath } from './temporary.mjs'

const ROWS = 3000

function filled(options, mode = 'delete') {
  const path = freshPath()
  const db = new Database(path, { timeout: 0, ...options })
  db.pragma(`journal_mode = ${mode}`)
  db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)')
  const insert = db.prepare('INSERT INTO t (v) VALUES (?)')
  db.transaction(() => {
    for (let i = 0; i < ROWS; i++) insert.run(`row ${i} ${'.'.repeat(300)}`)
  })()
  return { path, db }
}

const rows = (db) => db.prepare('SELECT count(*) FROM t').pluck().get()

for (const mode of ['delete', 'wal']) {
  test(`rekey changes the key of the file, and the connection stays usable, with journal_mode ${mode}`, () => {
    const [before, after] = [randomBytes(32), randomBytes(32)]
    const { path, db } = filled({ key: before }, mode)
    const select = db.prepare('SELECT v FROM t WHERE id = ?')
    const seen = []
    assert.equal(db.rekey({ key: after }, { progress: (now) => seen.push(now) }), db)
    assert.ok(seen.every(({ done, total }) => done <= total && total === seen[0].total))
    assert.equal(seen.at(-1).done, seen[0].total)
    assert.match(select.get(7).v, /^row 6 /)
    db.prepare('INSERT INTO t (v) VALUES (?)').run('after')
    db.rekey({ passphrase: 'correct horse', kdfIter: 500 })
    db.close()
    for (const key of [before, after])
      assert.throws(() => new Database(path, { key }), { code: 'STRONGROOM_WRONG_KEY' })
    const again = new Database(path, { passphrase: 'correct horse', kdfIter: 500 })
    assert.equal(rows(again), ROWS + 1)
    again.close()
  })

  test(`another connection reports that the key has changed, with journal_mode ${mode}`, () => {
    const key = randomBytes(32)
    const { path, db } = filled({ key }, mode)
    const other = new Database(path, { key })
    assert.equal(rows(other), ROWS)
    db.rekey({ key: randomBytes(32) })
    for (const use of [() => rows(other), () => other.exec('DELETE FROM t')]) {
      assert.throws(use, (error) => {
        assert.ok(error instanceof SqliteError)
        assert.equal(error.code, 'STRONGROOM_KEY_CHANGED')
        assert.match(error.message, /close the database, and open it with a present key/)
        return true
      })
    }
    other.close()
    assert.equal(rows(db), ROWS)
    db.close()
  })
}

// A fixed bug: after such a failure, SQLCipher's rekey left the connection writing with the new key, which destroyed
// the file.
test('after rekey fails on a locked database, the key stays, and the next write uses it', () => {
  const key = randomBytes(32)
  const { path, db } = filled({ key })
  const other = new Database(path, { key })
  other.exec('BEGIN IMMEDIATE')
  assert.throws(() => db.rekey({ key: randomBytes(32) }), { code: 'SQLITE_BUSY', message: /keeps its old key/ })
  other.exec('ROLLBACK')
  other.close()
  db.exec("INSERT INTO t (v) VALUES ('after')")
  db.close()
  const again = new Database(path, { key })
  assert.equal(rows(again), ROWS + 1)
  assert.equal(again.pragma('integrity_check', { simple: true }), 'ok')
  again.close()
})

// A fixed bug: PRAGMA rekey committed the transaction in which it ran.
test('rekey inside a transaction is refused, and the transaction can be rolled back', () => {
  const { db } = filled({ key: randomBytes(32) })
  assert.throws(
    () =>
      db.transaction(() => {
        db.exec('DELETE FROM t')
        db.rekey({ key: randomBytes(32) })
      })(),
    { code: 'STRONGROOM_IN_TRANSACTION' },
  )
  assert.equal(rows(db), ROWS)
  db.close()
})

test('the progress callback of rekey can cancel by returning false or throwing, but cannot use the database', () => {
  const key = randomBytes(32)
  const { path, db } = filled({ key })
  const to = { key: randomBytes(32) }
  assert.throws(() => db.rekey(to, { progress: () => false }), { code: 'STRONGROOM_CANCELLED' })
  const mine = new Error('mine')
  const thrower = () => {
    throw mine
  }
  assert.throws(
    () => db.rekey(to, { progress: thrower }),
    (error) => error === mine,
  )
  for (const use of [() => rows(db), () => db.close(), () => db.rekey(to)])
    assert.throws(() => db.rekey(to, { progress: use }), { code: 'STRONGROOM_BUSY' })
  const late = ({ done, total }) => {
    if (done > total / 2) throw mine
  }
  assert.equal(rows(db), ROWS)
  new Database(path, { key }).close()
  // After the commit, nothing can be cancelled, and an error must not suggest that the old key is still valid.
  assert.throws(
    () => db.rekey(to, { progress: late }),
    (error) => error.code === 'STRONGROOM_REKEY_UNVERIFIED' && error.cause === mine,
  )
  db.close()
  new Database(path, to).close()
})

test('rekey changes the key of an attached database', () => {
  const [main, other] = [{ key: randomBytes(32) }, { key: randomBytes(32) }]
  const { path, db: file } = filled(other)
  file.close()
  const db = new Database(freshPath(), main)
  db.prepare(`ATTACH ? AS other KEY "x'${other.key.toString('hex')}'"`).run(path)
  const to = { key: randomBytes(32) }
  db.rekey(to, { attached: 'other' })
  assert.equal(db.prepare('SELECT count(*) FROM other.t').pluck().get(), ROWS)
  db.close()
  assert.equal(rows(new Database(path, to)), ROWS)
})

test('rekey refuses wrong arguments before it changes anything, and shows no key', () => {
  const key = randomBytes(32)
  const { path, db } = filled({ key })
  const wrong = [
    [[], TypeError, /first argument/],
    [['s3cr3t'], TypeError, /first argument/],
    [[key], TypeError, /pass \{ key: bytes \}/],
    [[{}], TypeError, /rekey needs "key" or "passphrase"/],
    [[{ key: undefined }], TypeError, /"key" option is undefined/],
    [[{ passphrase: '' }], RangeError, /empty/],
    [[{ pass: 's3cr3t' }], TypeError, /"pass" does not exist/],
    [[{ label: 'x' }], TypeError, /"label" does not exist: the options are key, passphrase, format, cipher/],
    [[{ plain: true }], TypeError, /"plain" does not exist: the options are key, passphrase, format, cipher/],
    [[{ recovery: 's3cr3t' }], TypeError, /recovery code opens a file and cannot encrypt one/],
    [[{ key, passphrase: 's3cr3t' }], TypeError, /cannot be combined/],
    [[{ key }, { progress: 5 }], TypeError, /"progress"/],
    [[{ key }, { attached: 5 }], TypeError, /"attached"/],
    [[{ key }, { attached: 'nowhere' }], SqliteError, /no database of this name/],
    [[{ key }, { onProgress() {} }], TypeError, /"onProgress" does not exist/],
    [[{ key, pageSize: 8192 }], SqliteError, /Database\.migrate/],
    [[{ key, cipherCompatibility: 3 }], SqliteError, /Database\.migrate/],
  ]
  for (const [args, type, message] of wrong) {
    assert.throws(
      () => db.rekey(...args),
      (error) => {
        assert.ok(error instanceof type, inspect(error))
        assert.match(error.message, message)
        assert.doesNotMatch(inspect(error, { showHidden: true }), /s3cr3t/)
        return true
      },
    )
  }
  db.close()
  assert.throws(() => db.rekey({ key }), { code: 'STRONGROOM_CLOSED' })
  const again = new Database(path, { key })
  const iterator = again.prepare('SELECT * FROM t').iterate()
  iterator.next()
  assert.throws(() => again.rekey({ key }), { code: 'STRONGROOM_BUSY' })
  iterator.return()
  again.close()
  const plain = new Database(freshPath())
  plain.exec('CREATE TABLE t (a)')
  assert.throws(() => plain.rekey({ key }), { code: 'STRONGROOM_NOT_ENCRYPTED', message: /Database\.encrypt/ })
  plain.close()
})
