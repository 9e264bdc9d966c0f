import assert from 'node:assert/strict'
import { test } from 'node:test'
import Database from './database.mjs'
import { DIFFERENCES, PEER } from './fixtures/compile-options.mjs'

/** Options that depend on the compiler and the operating system. */
const OF_THE_PLATFORM = /^(COMPILER|ATOMIC_INTRINSICS|MUTEX_\w+|HAVE_ISNAN|SYSTEM_MALLOC|WIN32_MALLOC|MAX_MMAP_SIZE)$/

function parsed(options) {
  const pairs = options.map((option) => [option.split('=')[0], option.split('=').slice(1).join('=')])
  return new Map(pairs.filter(([name]) => !OF_THE_PLATFORM.test(name)))
}

test('the compile options are the same as in better-sqlite3, except for the listed differences', () => {
  const db = new Database(':memory:')
  const ours = parsed(db.pragma('compile_options').map(({ compile_options }) => compile_options))
  const theirs = parsed(PEER)
  const differences = {}
  for (const name of new Set([...theirs.keys(), ...ours.keys()]))
    if (theirs.get(name) !== ours.get(name)) differences[name] = [theirs.get(name), ours.get(name)]
  assert.deepEqual(differences, DIFFERENCES)
})

test('compile options that SQLite does not list are in effect', () => {
  const shown = []
  const db = new Database(':memory:', { verbose: (sql) => shown.push(sql) })
  assert.equal(db.prepare(`SELECT json('{"a": 1}')`).pluck().get(), '{"a":1}')
  assert.ok(db.serialize() instanceof Buffer)
  db.prepare('SELECT ?').get('0123456789012345678901234567890123456789')
  assert.match(shown.at(-1), /^SELECT '01234567890123456789012345678901'/)
  assert.equal(db.pragma('trusted_schema', { simple: true }), 0)
})

test('the default settings are the same as in better-sqlite3', () => {
  const db = new Database(':memory:')
  assert.deepEqual(db.pragma('cache_size'), [{ cache_size: -16000 }])
  assert.deepEqual(db.pragma('foreign_keys'), [{ foreign_keys: 1 }])
  assert.throws(() => db.prepare('SELECT "no column"'), { code: 'SQLITE_ERROR' })
})

test('every SQLite feature in the build answers a query', () => {
  const db = new Database(':memory:')
  const value = (sql) => db.prepare(sql).pluck().get()
  db.exec(`
    CREATE VIRTUAL TABLE g USING geopoly(name);
    INSERT INTO g (_shape, name) VALUES ('[[0,0],[4,0],[4,4],[0,4],[0,0]]', 'square');
    CREATE VIRTUAL TABLE r USING rtree(id, x0, x1);
    INSERT INTO r VALUES (1, 0, 10);
    CREATE TABLE n (a);
    INSERT INTO n VALUES (1), (2), (9);
  `)
  for (const version of [3, 4, 5])
    db.exec(`CREATE VIRTUAL TABLE f${version} USING fts${version}(t); INSERT INTO f${version} VALUES ('a quick fox')`)
  assert.equal(value('SELECT name FROM g WHERE geopoly_contains_point(_shape, 1, 1)'), 'square')
  assert.equal(value('SELECT id FROM r WHERE x0 < 5 AND x1 > 5'), 1)
  assert.equal(value('SELECT median(a) FROM n'), 2)
  assert.equal(value('SELECT percentile(a, 100) FROM n'), 9)
  assert.equal(value('SELECT percentile_cont(a, 0.5) FROM n'), 2)
  assert.ok(value("SELECT sum(pgsize) FROM dbstat WHERE name = 'n'") >= 512)
  for (const version of [3, 4, 5])
    assert.equal(value(`SELECT t FROM f${version} WHERE f${version} MATCH 'fox'`), 'a quick fox')
  assert.equal(value("SELECT count(*) FROM f3 WHERE f3 MATCH '(quick OR slow) AND fox'"), 1)
  assert.equal(value('SELECT sqrt(16) + pow(2, 3) + floor(1.5)'), 13)
  assert.equal(value("SELECT soundex('Robert')"), 'R163')
  assert.equal(value("SELECT '{\"a\": [1, 2]}' ->> '$.a[1]'"), 2)
  assert.equal(value("SELECT x'6162' LIKE 'ab'"), 0)
})

test('an UPDATE or a DELETE with a LIMIT throws an error that shows the rewrite', () => {
  const db = new Database(':memory:')
  db.exec('CREATE TABLE t (a, "limit"); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)')
  const error = (message) => ({ name: 'SqliteError', code: 'SQLITE_ERROR', message })
  assert.throws(
    () => db.prepare("UPDATE t SET a = 's3cr3t' ORDER BY a LIMIT 1"),
    error(/^UPDATE and DELETE cannot have ORDER BY or LIMIT here: write UPDATE t SET … WHERE rowid IN \(SELECT rowid/),
  )
  assert.throws(() => db.exec('SELECT 1; DELETE FROM t LIMIT 1'), error(/write DELETE FROM t WHERE rowid IN \(SELECT/))
  assert.throws(() => db.prepare('UPDATE t SET limit = 1'), error(/syntax error/))
  db.exec('DELETE FROM t WHERE rowid IN (SELECT rowid FROM t ORDER BY a DESC LIMIT 1)')
  assert.deepEqual(db.prepare('SELECT a FROM t').pluck().all(), [1, 2])
})

test('Database.versions has the version of each library', () => {
  const { versions } = Database
  assert.deepEqual(Object.keys(versions), ['strongroom', 'sqlite', 'sqlcipher', 'openssl', 'zstd'])
  for (const version of Object.values(versions)) assert.match(version, /^\d+\.\d+\.\d+/)
  assert.equal(versions.sqlite, new Database(':memory:').prepare('SELECT sqlite_version()').pluck().get())
  const keyed = new Database(':memory:', { key: Buffer.alloc(32, 1), format: 'sqlcipher' })
  assert.equal(versions.sqlcipher, keyed.pragma('cipher_version', { simple: true }))
  assert.equal(Database.versions, versions)
  assert.throws(() => {
    versions.sqlite = '0'
  }, TypeError)
})
