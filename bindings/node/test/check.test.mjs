import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import Database, { FORMAT, testIn } from './database.mjs'
import { freshPath } from './temporary.mjs'

const PAGE = 4096

/** Creates a database of several pages in the file `db.name`. */
function filled(options) {
  const db = new Database(freshPath(), options)
  db.exec(`
    CREATE TABLE parent (id INTEGER PRIMARY KEY);
    CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT, parent REFERENCES parent);
    CREATE INDEX by_text ON note (text);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
      INSERT INTO note SELECT i, printf('%0100d', i), NULL FROM n`)
  return db
}

/** Returns the length of the header before the first page. */
function headerOf(bytes) {
  return bytes.toString('latin1', 1, 11) === 'Strongroom' ? 8192 : 0
}

function damage(db, page) {
  const bytes = readFileSync(db.name)
  bytes[headerOf(bytes) + (page - 1) * PAGE + 1000] ^= 1
  writeFileSync(db.name, bytes)
}

const rootOf = (db, name) => db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').pluck().get(name)

test('check() returns ok for a sound database', () => {
  for (const [options, authenticated] of [
    [{ key: randomBytes(32) }, true],
    [undefined, FORMAT !== 'plain'],
  ]) {
    const db = filled(options)
    const bytes = readFileSync(db.name)
    const pages = (bytes.length - headerOf(bytes)) / PAGE
    assert.deepEqual(db.check(), { ok: true, pages, authenticated, problems: [] })
  }
  assert.deepEqual(filled({ key: randomBytes(32), useHmac: false }).check(null).authenticated, false)
  assert.deepEqual(new Database().check({}), { ok: true, pages: 0, authenticated: false, problems: [] })
})

test('check() names damaged pages and their tables, and the connection stays usable', () => {
  const db = filled({ key: randomBytes(32) })
  const [table, index] = [rootOf(db, 'note'), rootOf(db, 'by_text')]
  damage(db, table)
  damage(db, index)
  const { ok, authenticated, problems } = db.check()
  assert.deepEqual({ ok, authenticated }, { ok: false, authenticated: true })
  assert.deepEqual(
    problems.map(({ kind, page, table }) => ({ kind, page, table })),
    [
      { kind: 'page', page: table, table: 'note' },
      { kind: 'page', page: index, table: 'note' },
    ],
  )
  assert.match(problems[1].message, /index "by_text"/)
  assert.equal(db.prepare('SELECT count(*) FROM note').pluck().get(), 400)
})

test('check() reports a truncated file', () => {
  const db = filled({ key: randomBytes(32) })
  truncateSync(db.name, readFileSync(db.name).length - PAGE)
  const { ok, problems } = db.check()
  assert.equal(ok, false)
  assert.match(problems[0].message, /cut off/)
})

testIn(
  ['plain'],
  'the test edits a plain page',
  'check() reports the rowid of a row that is missing from an index',
  () => {
    const db = new Database(freshPath())
    db.exec(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, a); CREATE INDEX i ON t (a); INSERT INTO t VALUES (10, 'a'), (20, 'b')",
    )
    const bytes = readFileSync(db.name)
    // The byte at offset 4 is the low byte of the number of cells on the index page.
    bytes[(rootOf(db, 'i') - 1) * PAGE + 4] = 1
    writeFileSync(db.name, bytes)
    const { ok, problems } = db.check()
    assert.equal(ok, false)
    const { kind, table, rowid } = problems.find(({ message }) => /missing from index i/.test(message))
    assert.deepEqual({ kind, table, rowid }, { kind: 'structure', table: 't', rowid: 20 })
  },
)

test('check() reports the rowid of a row whose parent row is missing', () => {
  const db = filled()
  db.pragma('foreign_keys = OFF')
  db.prepare('INSERT INTO note VALUES (?, ?, 7)').run(2n ** 60n, 'zzz secret')
  db.prepare('INSERT INTO note VALUES (500, ?, 8)').run('zzz hidden')
  const { problems } = db.check()
  assert.deepEqual(
    problems.map(({ kind, table, rowid }) => ({ kind, table, rowid })),
    [
      { kind: 'foreign-key', table: 'note', rowid: 500 },
      { kind: 'foreign-key', table: 'note', rowid: 2n ** 60n },
    ],
  )
  assert.doesNotMatch(JSON.stringify(problems.map(({ message }) => message)), /secret|hidden/)
})

test('the progress callback of check() counts pages, and can cancel', () => {
  const db = filled({ key: randomBytes(32) })
  const seen = []
  const { pages } = db.check({
    progress(progress) {
      seen.push(progress)
      assert.throws(() => db.exec('SELECT 1'), { code: 'STRONGROOM_BUSY' })
    },
  })
  assert.deepEqual(seen[0], { checkedPages: 0, totalPages: pages })
  assert.deepEqual(seen.at(-1), { checkedPages: pages, totalPages: pages })
  assert.throws(() => db.check({ progress: () => false }), { name: 'SqliteError', code: 'STRONGROOM_CANCELLED' })
  assert.throws(() => db.check({ progress: ({ checkedPages }) => checkedPages === 0 }), {
    code: 'STRONGROOM_CANCELLED',
  })
  let calls = 0
  const failing = () => {
    calls += 1
    throw new RangeError('from the callback')
  }
  assert.throws(() => db.check({ progress: failing }), { name: 'RangeError', message: 'from the callback' })
  assert.equal(calls, 1)
  assert.equal(db.check().ok, true)
})

test('check() takes the name of an attached database', () => {
  const db = new Database(freshPath(), { key: randomBytes(32) })
  const other = filled({ passphrase: 'other', kdfIter: 1000 })
  db.attach(other.name, 'other', { passphrase: 'other', kdfIter: 1000 })
  assert.equal(db.check({ attached: 'other' }).ok, true)
  damage(other, 5)
  assert.deepEqual(
    db.check({ attached: 'other' }).problems.map(({ page }) => page),
    [5],
  )
  assert.equal(db.check().ok, true)
  assert.throws(() => db.check({ attached: 'none' }), { name: 'SqliteError', code: 'STRONGROOM_NOT_ATTACHED' })
})

testIn(
  ['plain', 'sqlcipher'],
  'a rekey of a Strongroom file changes no page',
  'check() fails while the database is locked, after a rekey, and after close()',
  () => {
    const key = randomBytes(32)
    const db = filled({ key })
    const other = new Database(db.name, { key, timeout: 0 })
    db.exec('BEGIN EXCLUSIVE')
    assert.throws(() => other.check(), { name: 'SqliteError', code: 'SQLITE_BUSY' })
    assert.throws(() => db.check(), { name: 'SqliteError', code: 'SQLITE_BUSY' })
    db.exec('COMMIT')
    other.rekey({ key: randomBytes(32) })
    assert.throws(() => db.check(), { name: 'SqliteError', code: 'STRONGROOM_KEY_CHANGED' })
    assert.equal(other.check().ok, true)
    other.close()
    assert.throws(() => other.check(), { code: 'STRONGROOM_CLOSED' })
  },
)

test('check() refuses options of the wrong type', () => {
  const db = new Database()
  for (const [options, message] of [
    [5, /first argument/],
    [{ progress: 5 }, /"progress" option/],
    [{ attached: 5 }, /"attached" option/],
    [{ schema: 'main' }, /"schema" does not exist/],
  ])
    assert.throws(() => db.check(options), { name: 'TypeError', message })
})
