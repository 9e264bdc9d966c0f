// Exchanges files in the Strongroom format between machines: writes files into a folder, or reads the files that other
// machines wrote. The script needs only Node: the suite `format exchange` runs it on several processors and systems.
// usage: node exchange.cjs PACKAGE_FOLDER write FOLDER
//        node exchange.cjs PACKAGE_FOLDER read FOLDER...
'use strict'
const assert = require('node:assert')
const { createHash } = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { performance } = require('node:perf_hooks')

const KEY = Buffer.alloc(32, 7)
const NEW_KEY = Buffer.alloc(32, 9)
const PASSPHRASE = 'the horse’s battery'
const HEADER_BYTES = 8192
/** The rows that a file holds when no transaction was lost. */
const ROWS = 300
/** The rows of the first transaction. */
const FIRST = 100

/** Each file: the key that opens it, its page size, and the kind of its key slot. */
const FILES = {
  'raw-1024.db': { open: { key: KEY }, pageSize: 1024, kind: 1 },
  'raw-4096.db': { open: { key: KEY }, pageSize: 4096, kind: 1 },
  'raw-65536.db': { open: { key: KEY }, pageSize: 65_536, kind: 1 },
  'passphrase.db': { open: { passphrase: PASSPHRASE }, pageSize: 4096, kind: 2 },
  'rekeyed.db': { open: { key: NEW_KEY }, pageSize: 4096, kind: 1 },
  'wal.db': { open: { key: KEY }, pageSize: 4096, kind: 1 },
  'journal.db': { open: { key: KEY }, pageSize: 4096, kind: 1 },
}

const [folder, mode, ...folders] = process.argv.slice(2)
const Database = require(path.resolve(folder))
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'strongroom-exchange-'))
process.on('exit', () => fs.rmSync(scratch, { recursive: true, force: true }))

/** Returns the values of a row. Every 50th row has a blob that is longer than the largest page. */
function row(id) {
  const bytes = id % 50 === 0 ? 200_000 : id % 90
  const blob = createHash('shake256', { outputLength: Math.max(bytes, 1) })
    .update(`${id}`)
    .digest()
  return { id, text: `größe ${id} 語 😀`, real: id / 3, big: -9007199254740993n * BigInt(id), blob }
}

function insert(db, from, to) {
  const statement = db.prepare('INSERT INTO t VALUES (@id, @text, @real, @big, @blob)')
  db.transaction(() => {
    for (let id = from; id <= to; id += 1) statement.run(row(id))
  })()
}

/** Compares row by row: a diff of all rows, as `deepStrictEqual` prints, takes gigabytes of memory. */
function assertRows(db, to) {
  const statement = db.prepare('SELECT * FROM t ORDER BY id').safeIntegers()
  let expected = 0
  for (const found of statement.iterate()) {
    expected += 1
    const { id, text, real, big, blob } = row(expected)
    const same = found.id === BigInt(id) && found.text === text && found.real === real && found.big === big
    assert(same && blob.equals(found.blob), `row ${expected} differs`)
  }
  assert.strictEqual(expected, to)
  // Reads the index too.
  assert.strictEqual(db.prepare('SELECT id FROM t WHERE text = ?').pluck().get(row(77).text), 77)
}

/** Copies a database and its log or journal as a crash would leave them: the connection is still open. */
function copyFiles(from, to) {
  for (const ending of ['', '-wal', '-journal'])
    if (fs.existsSync(from + ending)) fs.copyFileSync(from + ending, to + ending)
}

function create(file, { open, pageSize }) {
  const db = new Database(file, { ...open, format: 'strongroom', pageSize })
  db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT, real REAL, big INTEGER, blob BLOB)')
  db.exec('CREATE INDEX by_text ON t (text)')
  insert(db, 1, FIRST)
  return db
}

/** Changes many rows in a transaction that stays open, until SQLite has written pages of this transaction. */
function spill(db) {
  db.pragma('cache_size = 10')
  db.exec("BEGIN; UPDATE t SET text = 'uncommitted ' || text, blob = zeroblob(1000)")
}

/** The ways to write a file. Each leaves all rows committed. */
const writers = {
  'rekeyed.db'(file, given) {
    const db = create(file, { ...given, open: { key: KEY } })
    db.rekey(given.open)
    insert(db, FIRST + 1, ROWS)
    db.close()
  },
  // The log holds two thirds of the rows, and then pages of a transaction without its commit.
  'wal.db'(file, given) {
    const original = path.join(scratch, 'wal.db')
    const db = create(original, given)
    db.pragma('journal_mode = WAL')
    db.pragma('wal_autocheckpoint = 0')
    insert(db, FIRST + 1, 200)
    insert(db, 201, ROWS)
    const committed = fs.statSync(`${original}-wal`).size
    spill(db)
    assert(fs.statSync(`${original}-wal`).size > committed, 'the log has no page of the open transaction')
    copyFiles(original, file)
    db.exec('ROLLBACK')
    db.close()
  },
  // The database holds pages of a transaction without its commit, which only the journal can undo.
  'journal.db'(file, given) {
    const original = path.join(scratch, 'journal.db')
    const db = create(original, given)
    insert(db, FIRST + 1, ROWS)
    const committed = fs.readFileSync(original)
    spill(db)
    copyFiles(original, file)
    assert(!fs.readFileSync(file).equals(committed), 'the database has no page of the open transaction')
    assert(fs.readFileSync(`${file}-journal`).subarray(0, 8).equals(Buffer.from('d9d505f920a163d7', 'hex')))
    db.exec('ROLLBACK')
    db.close()
  },
}

function write(to) {
  fs.mkdirSync(to, { recursive: true })
  for (const [name, given] of Object.entries(FILES)) {
    const file = path.join(to, name)
    if (writers[name]) {
      writers[name](file, given)
      continue
    }
    const db = create(file, given)
    insert(db, FIRST + 1, ROWS)
    db.close()
  }
}

/** Checks the header's fields that say which file this is. */
function assertHeader(bytes, { pageSize, kind }) {
  assert.strictEqual(bytes.toString('latin1', 1, 11), 'Strongroom')
  assert.deepStrictEqual([bytes.readUInt16BE(16), bytes.readUInt16BE(18)], [1, 1])
  assert.strictEqual(bytes.readUInt32BE(20), pageSize)
  assert.deepStrictEqual([bytes[64], bytes[65]], [1, kind])
  assert.strictEqual((bytes.length - HEADER_BYTES) % pageSize, 0)
}

/** Reads a file that a machine wrote, and changes it. Returns the time to open it in milliseconds. */
function readFile(from, name, given) {
  const file = path.join(scratch, name)
  copyFiles(path.join(from, name), file)
  const bytes = fs.readFileSync(file)
  assertHeader(bytes, given)
  for (const text of ['größe', 'CREATE TABLE', 'SQLite format']) assert(!bytes.includes(text), `holds ${text}`)
  if (given.kind === 1) {
    const wrong = () => new Database(file, { key: name === 'rekeyed.db' ? KEY : Buffer.alloc(32, 8) })
    assert.throws(wrong, { code: 'STRONGROOM_WRONG_KEY' })
  }
  const started = performance.now()
  const db = new Database(file, given.open)
  const elapsed = performance.now() - started
  assertRows(db, ROWS)
  const { ok, authenticated, problems } = db.check()
  assert.deepStrictEqual({ ok, authenticated, problems }, { ok: true, authenticated: true, problems: [] })
  insert(db, ROWS + 1, ROWS + 20)
  db.close()
  const again = new Database(file, given.open)
  assertRows(again, ROWS + 20)
  again.close()
  return elapsed
}

/** Shows that the log and the journal matter: without the log, the file lacks rows; without the journal, it is wrong. */
function assertNeeded(from) {
  for (const name of ['wal.db', 'journal.db']) {
    const file = path.join(scratch, `alone-${name}`)
    fs.copyFileSync(path.join(from, name), file)
    const db = new Database(file, FILES[name].open)
    if (name === 'wal.db') assertRows(db, FIRST)
    else assert.throws(() => assertRows(db, ROWS), /row 1 differs/)
    db.close()
    fs.rmSync(file)
  }
}

function read(from) {
  const times = []
  for (const [name, given] of Object.entries(FILES)) {
    try {
      times.push(`${name} ${readFile(from, name, given).toFixed(0)} ms`)
    } catch (error) {
      throw new Error(`cannot use ${path.join(from, name)}: ${error.message}`, { cause: error })
    }
    for (const left of fs.readdirSync(scratch)) fs.rmSync(path.join(scratch, left))
  }
  assertNeeded(from)
  console.log(`${path.basename(from)}: ${times.length} files; time to open: ${times.join(', ')}`)
}

if (mode === 'write') write(...folders)
else folders.forEach(read)
process.report.excludeNetwork = true
const glibc = process.report.getReport().header.glibcVersionRuntime
const libc = process.platform !== 'linux' ? process.platform : glibc ? `glibc ${glibc}` : 'musl'
console.log(`Node ${process.versions.node}, ${libc}`)
