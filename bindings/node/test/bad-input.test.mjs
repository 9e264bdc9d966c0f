import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import Database, { SqliteError, testIn } from './database.mjs'
import { otherUser } from './loading.mjs'
import { folder, freshPath } from './temporary.mjs'

const key = randomBytes(32)

/** Creates a database with 100 rows on several pages, and returns its path. */
function filled(options) {
  const path = freshPath()
  const db = new Database(path, options)
  db.exec('CREATE TABLE t (i INTEGER PRIMARY KEY, text)')
  const insert = db.prepare('INSERT INTO t (text) VALUES (?)')
  db.transaction(() => {
    for (let i = 0; i < 100; i++) insert.run(`row ${i} `.repeat(50))
  })()
  db.close()
  return path
}

function refused(work, code) {
  assert.throws(work, (error) => {
    assert.ok(error instanceof SqliteError, `${error.stack}`)
    assert.match(error.code, code)
    assert.ok(error.message.length > 10, error.message)
    return true
  })
}

test('opening a file in a missing folder fails', () => {
  const path = join(folder, 'nowhere', 'x.db')
  assert.throws(() => new Database(path), { name: 'TypeError', code: 'SQLITE_CANTOPEN', message: /create it first/ })
})

test('opening a folder fails', () => {
  refused(() => new Database(folder).exec('CREATE TABLE t (a)'), /^SQLITE_CANTOPEN/)
})

test('opening a file without permission fails', { skip: otherUser.skip }, () => {
  const path = filled()
  chmodSync(path, 0)
  chmodSync(folder, 0o755)
  const script = `
    const Database = require(${JSON.stringify(createRequire(import.meta.url).resolve('strongroom'))})
    try { new Database(${JSON.stringify(path)}).exec('SELECT * FROM t') } catch (error) { console.log(error.name, error.code) }`
  const { stdout, stderr } = spawnSync(otherUser.node, ['-e', script], { encoding: 'utf8', ...otherUser.spawn })
  assert.match(stdout, /^SqliteError SQLITE_(PERM|CANTOPEN)/, stderr)
})

test('a file that is not a database is refused and stays as it is', () => {
  const path = freshPath()
  writeFileSync(path, 'this is a letter to the editor. '.repeat(300))
  refused(() => new Database(path).prepare('SELECT * FROM t'), /^SQLITE_NOTADB$/)
  refused(() => new Database(path, { key }), /^(SQLITE_NOTADB|STRONGROOM_WRONG_KEY)$/)
  assert.ok(readFileSync(path, 'utf8').startsWith('this is a letter'))
})

test('reading a truncated file fails', () => {
  for (const options of [{}, { key }]) {
    const path = filled(options)
    truncateSync(path, 4096 * 3 + 100)
    refused(() => {
      const db = new Database(path, options)
      try {
        db.prepare('SELECT * FROM t').all()
      } finally {
        db.close()
      }
    }, /^(SQLITE_CORRUPT|SQLITE_NOTADB|SQLITE_IOERR|STRONGROOM_TRUNCATED)/)
  }
})

testIn(
  ['plain', 'sqlcipher'],
  'the header of a Strongroom file has a second copy',
  'reading an encrypted page detects a flipped byte anywhere in it',
  () => {
    const path = filled({ key })
    const intact = readFileSync(path)
    const page = 4096
    // The offsets are in the salt and the header of the first page, and in the content, the initialisation vector and the
    // authentication code of the first page and of a later page.
    for (const offset of [
      0,
      20,
      2000,
      page - 70,
      page - 10,
      page * 4 + 5,
      page * 4 + 2000,
      page * 5 - 70,
      page * 5 - 1,
    ]) {
      const bytes = Buffer.from(intact)
      bytes[offset] ^= 0x40
      writeFileSync(path, bytes)
      refused(() => {
        const db = new Database(path, { key })
        try {
          db.prepare('SELECT * FROM t').all()
        } finally {
          db.close()
        }
      }, /^(SQLITE_CORRUPT|SQLITE_NOTADB|SQLITE_IOERR|STRONGROOM_WRONG_KEY)/)
    }
    writeFileSync(path, intact)
    const db = new Database(path, { key })
    assert.equal(db.prepare('SELECT count(*) FROM t').pluck().get(), 100)
    assert.equal(db.pragma('integrity_check', { simple: true }), 'ok')
  },
)

test('invalid SQL, an empty string, and several statements are refused', () => {
  const db = new Database(':memory:')
  refused(() => db.prepare('SELEC 1'), /^SQLITE_ERROR$/)
  const several = { name: 'RangeError', code: 'STRONGROOM_MULTIPLE_STATEMENTS' }
  assert.throws(() => db.prepare('SELECT 1; SELECT 2'), several)
  for (const sql of ['', ' ', ';', '-- nothing', '/* nothing */'])
    assert.throws(() => db.prepare(sql), { name: 'RangeError', code: 'STRONGROOM_NO_STATEMENT' })
  assert.equal(db.prepare('SELECT 1; -- and a comment').pluck().get(), 1)
  assert.throws(() => db.pragma('user_version; DROP TABLE t'), several)
  refused(() => db.prepare('SELECT 1 \0 + 1'), /^STRONGROOM_NUL_IN_SQL$/)
  refused(() => db.exec('SELECT 1; \0'), /^STRONGROOM_NUL_IN_SQL$/)
  for (const sql of [undefined, null, 5, {}, Buffer.from('SELECT 1')]) {
    assert.throws(() => db.prepare(sql), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
    assert.throws(() => db.exec(sql), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })
  }
  assert.throws(() => db.prepare("SELECT '\ud800'"), { name: 'TypeError', message: /surrogate/ })
})

testIn(
  ['plain'],
  'the strings reach no page, and take a minute in a debug build',
  'a string or blob over SQLite’s limit is refused',
  () => {
    const db = new Database(':memory:')
    const select = db.prepare('SELECT length(?)').pluck()
    // The buffer takes up no memory: the call fails because of its length, before any of its pages is touched.
    refused(() => select.get(Buffer.alloc(1_000_000_001)), /^SQLITE_TOOBIG$/)
    refused(() => select.get('é'.repeat(500_000_001)), /^SQLITE_TOOBIG$/)
    refused(() => db.prepare('SELECT zeroblob(2000000000)').get(), /^SQLITE_TOOBIG$/)
    assert.equal(select.get('fine'), 4)
  },
)

test('a failed call leaves the database intact', () => {
  const path = filled({ key })
  const db = new Database(path, { key })
  const failures = [
    () => db.exec('INSERT INTO t VALUES (1, 1)'),
    () => db.prepare('INSERT INTO t (text) VALUES (?)').run(),
    () => db.prepare('INSERT INTO t (text) VALUES (?)').run('\ud800'),
    () => db.prepare('INSERT INTO t (text) VALUES (:a)').run({ b: 1 }),
    () => db.prepare('INSERT INTO t (text) VALUES (?)').run(2n ** 64n),
    () => db.prepare('INSERT INTO t (i) VALUES (?)').run('no integer'),
    () => db.prepare('SELECT 1; DELETE FROM t'),
  ]
  for (const failure of failures) assert.throws(failure)
  assert.equal(db.prepare('SELECT count(*) FROM t').pluck().get(), 100)
  assert.equal(db.pragma('integrity_check', { simple: true }), 'ok')
  db.close()
})
