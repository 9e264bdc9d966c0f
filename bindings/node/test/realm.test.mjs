import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import vm from 'node:vm'
import { freshPath } from './temporary.mjs'

const require = createRequire(import.meta.url)

/** Loads the package in a context with its own globals, as test runners do to isolate test files. */
function loadedElsewhere() {
  const context = vm.createContext({ process, TextEncoder, setImmediate, setTimeout, clearTimeout, performance })
  const loaded = new Map()
  const load = (file) => {
    if (!file.endsWith('.js')) return require(file)
    if (!loaded.has(file)) {
      const module = { exports: {} }
      loaded.set(file, module)
      const wrapper = `(function (module, exports, require, __dirname) {${readFileSync(file, 'utf8')}\n})`
      const requireFrom = (name) =>
        name.startsWith('.') ? load(require.resolve(join(dirname(file), name))) : require(name)
      vm.runInContext(wrapper, context)(module, module.exports, requireFrom, dirname(file))
    }
    return loaded.get(file).exports
  }
  return {
    Database: load(require.resolve('strongroom')),
    async: load(require.resolve('strongroom/async')),
    globals: vm.runInContext('({ Array, Object, Promise })', context),
  }
}

/*
 * `instanceof` compares with the globals of one context. A fixed bug: in a context other than Node's own, the addon's
 * errors kept their internal codes, and a Buffer was refused as a key.
 */
test('in another context, errors are the same, and a Buffer is accepted as a key', () => {
  const { Database } = loadedElsewhere()
  const { SqliteError } = Database
  const path = freshPath()
  const db = new Database(path)
  assert.throws(
    () => db.prepare('SELEC 1'),
    (error) => error instanceof SqliteError && error.code === 'SQLITE_ERROR',
  )
  db.exec('CREATE TABLE t (a)')
  db.prepare('INSERT INTO t VALUES (?)').run(Buffer.from('b'))
  assert.deepEqual(db.prepare('SELECT a FROM t').pluck().get(), Buffer.from('b'))
  db.close()
  for (const secret of [{ key: Buffer.alloc(32, 1) }, { passphrase: Buffer.from('p'), kdfIter: 1 }])
    assert.throws(
      () => new Database(path, secret),
      (error) => error instanceof SqliteError && error.code === 'STRONGROOM_NOT_ENCRYPTED',
    )
})

// A fixed bug: `columns()` returned an array of Node's main context, and toStrictEqual in Vitest's vmThreads reported a
// difference.
test('in another context, returned arrays and objects belong to that context', () => {
  const { Database, globals } = loadedElsewhere()
  const db = new Database(':memory:')
  db.exec('PRAGMA foreign_keys = OFF; CREATE TABLE p (id INTEGER PRIMARY KEY)')
  db.exec('CREATE TABLE t (a REFERENCES p); INSERT INTO t VALUES (5)')
  const rows = db.prepare('SELECT a FROM t')
  const report = db.check()
  const arrays = [rows.columns(), rows.all(), rows.raw().all(), rows.raw().get(), db.pragma('table_info(t)')]
  arrays.push(report.problems, db.explain('SELECT 1'))
  const objects = [...rows.raw(false).all(), ...rows.columns(), report, ...report.problems, db.pragma('page_size')[0]]
  objects.push(db.prepare('DELETE FROM t').run(), Database.versions)
  for (const array of arrays) assert.equal(Object.getPrototypeOf(array), globals.Array.prototype)
  for (const object of objects) assert.equal(Object.getPrototypeOf(object), globals.Object.prototype)
})

test('in another context, the asynchronous class returns promises and rows of that context', async (t) => {
  const { async, Database, globals } = loadedElsewhere()
  const db = await async.open(':memory:')
  t.after(() => db.close())
  await db.exec('CREATE TABLE t (a)')
  await db.run('INSERT INTO t VALUES (?)', [Buffer.from('b')])
  await db.run('INSERT INTO t VALUES (:a)', { a: 1 })
  const rows = await db.all('SELECT a FROM t')
  assert.ok(rows instanceof globals.Array)
  assert.ok(rows[0] instanceof globals.Object)
  assert.ok(db.get('SELECT 1') instanceof globals.Promise)
  const statement = await db.prepare('SELECT a FROM t')
  assert.ok((await statement.columns()) instanceof globals.Array)
  assert.equal(async.SqliteError, Database.SqliteError)
  await assert.rejects(
    db.get('SELECT missing'),
    (error) => error instanceof async.SqliteError && error.code === 'SQLITE_ERROR' && /realm\.test/.test(error.stack),
  )
  const controller = new AbortController()
  controller.abort()
  await assert.rejects(db.get('SELECT 1', [], { signal: controller.signal }), { name: 'AbortError' })
})
