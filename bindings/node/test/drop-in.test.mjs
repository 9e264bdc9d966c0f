// The behaviour that programs written for better-sqlite3 rely on.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import Original from 'strongroom'
import Database, { FORMAT, SqliteError, testIn } from './database.mjs'
import { freshPath } from './temporary.mjs'

function filled(options) {
  const db = new Database(':memory:', options)
  db.exec('CREATE TABLE cat (name TEXT, age INTEGER); CREATE TABLE dog (name TEXT)')
  db.exec("INSERT INTO cat VALUES ('joey', 2), ('sally', 4); INSERT INTO dog VALUES ('rex')")
  return db
}

test('every option except the key may be undefined or null', () => {
  for (const absent of [undefined, null]) {
    const options = { readonly: absent, fileMustExist: absent, timeout: absent, verbose: absent, nativeBinding: absent }
    new Database(freshPath(), options).close()
    for (const name of ['key', 'passphrase'])
      assert.throws(() => new Database(freshPath(), { ...options, [name]: absent }), { code: 'ERR_INVALID_ARG_TYPE' })
  }
})

test('unknown options are ignored, but a name that looks like a misspelled option or a key is refused', () => {
  new Database(freshPath(), { filename: 'x', debug: true, client: 'better-sqlite3' }).close()
  for (const name of [
    'readOnly',
    'timeOut',
    'verbos',
    'memory',
    'password',
    'hexKey',
    'encryptionKey',
    'cipher',
    'fileMustExists',
    'pwd',
    'pw',
    'phrase',
  ])
    assert.throws(() => new Database(freshPath(), { [name]: 'x' }), {
      name: 'TypeError',
      message: new RegExp(`"${name}"`),
    })
})

// A fixed bug: each of the calls in this test opened an unencrypted database, because the key was ignored.
test('a key inside a nested object or inside invalid options is refused', async () => {
  const passphrase = 'correct horse'
  for (const options of [{ options: { passphrase } }, { connection: { key: Buffer.alloc(32) } }])
    assert.throws(() => new Database(freshPath(), options), { name: 'TypeError', message: /holds a key/ })
  for (const options of [Promise.resolve({ passphrase }), new Map([['passphrase', passphrase]]), [{ passphrase }]])
    assert.throws(() => new Database(freshPath(), options), { name: 'TypeError', message: /to be an options object/ })
})

test('a database works through a proxy, an inheriting object, and a reactive wrapper', () => {
  const db = filled()
  // Wraps each extensible object that is read from a property, as Vue's `reactive` does.
  const reactive = (object) =>
    new Proxy(object, {
      get(target, name, receiver) {
        const value = Reflect.get(target, name, receiver)
        return typeof value === 'object' && value !== null && Object.isExtensible(value) ? reactive(value) : value
      },
    })
  for (const view of [new Proxy(db, {}), Object.create(db), reactive(db)]) {
    assert.equal(view.prepare('SELECT count(*) FROM cat').pluck().get(), 2)
    assert.equal(view.transaction(() => view.pragma('user_version', { simple: true }))(), 0)
    assert.deepEqual([view.open, view.inTransaction, view.memory, view.name], [true, false, true, ':memory:'])
    assert.equal(view.exec('SELECT 1'), view)
  }
  db.close()
})

test('the same properties and methods are enumerable as in better-sqlite3', () => {
  const db = filled()
  assert.deepEqual(Object.keys(db), ['name', 'open', 'inTransaction', 'readonly', 'memory'])
  const statement = db.prepare('SELECT 1')
  assert.deepEqual(Object.keys(statement).sort(), ['busy', 'database', 'reader', 'readonly', 'source'])
  for (const name of ['prepare', 'transaction', 'pragma', 'explain', 'backup', 'serialize', 'function', 'aggregate'])
    assert.ok(name in db && Object.keys(Database.prototype).includes(name), name)
  assert.equal(
    inspect(db),
    "Database {\n  name: ':memory:',\n  open: true,\n  inTransaction: false,\n  readonly: false,\n  memory: true\n}",
  )
  class Mine extends Database {}
  assert.ok(new Mine() instanceof Mine && new Mine() instanceof Database && Database() instanceof Database)
  assert.equal(Database.prototype.constructor, Original)
  db.close()
})

test('verbose runs before its statement, can stop it by throwing, and shows no key', () => {
  const seen = []
  let fail = false
  const mine = new Error('mine')
  const verbose = function (...args) {
    seen.push([this, ...args])
    if (fail) throw mine
  }
  const db = new Database(freshPath(), { verbose, key: Buffer.alloc(32, 1) })
  db.exec('CREATE TABLE t (a); INSERT INTO t VALUES (1)')
  const insert = db.prepare('INSERT INTO t VALUES (?)')
  insert.run(2)
  const iterator = db.prepare('SELECT a FROM t WHERE a > ?').iterate(0)
  iterator.next()
  iterator.return()
  assert.deepEqual(
    seen.map(([self, sql]) => [self, sql]),
    [
      'CREATE TABLE t (a);',
      'INSERT INTO t VALUES (1)',
      'INSERT INTO t VALUES (2.0)',
      'SELECT a FROM t WHERE a > 0.0',
    ].map((sql) => [undefined, sql]),
  )
  fail = true
  const calls = [() => db.exec('DELETE FROM t'), () => insert.run(3), () => db.pragma('user_version = 5')]
  for (const call of calls) assert.throws(call, (error) => error === mine, `${call}`)
  fail = false
  assert.deepEqual(db.prepare('SELECT a FROM t').pluck().all(), [1, 2])
  assert.equal(db.pragma('user_version', { simple: true }), 0)
  seen.length = 0
  // SQL attaches nothing to a database in the Strongroom format.
  if (FORMAT !== 'strongroom') db.prepare("ATTACH ? AS other KEY 's3cr3t'").run(freshPath())
  db.attach(freshPath(), 'third', { passphrase: 's3cr3t', kdfIter: 1 })
  assert.ok(seen.length >= (FORMAT === 'strongroom' ? 1 : 2))
  assert.doesNotMatch(inspect(seen), /s3cr3t/)
  db.close()
})

test('turning on pluck, raw or expand turns off the other two', () => {
  const db = filled()
  const select = db.prepare('SELECT cat.name, dog.name, age + 1 AS next FROM cat, dog ORDER BY age')
  assert.deepEqual(select.expand().get(), { cat: { name: 'joey' }, dog: { name: 'rex' }, $: { next: 3 } })
  assert.deepEqual(select.raw().get(), ['joey', 'rex', 3])
  assert.equal(select.pluck().get(), 'joey')
  assert.deepEqual(select.expand().all().length, 2)
  assert.deepEqual([...select.iterate()][1], { cat: { name: 'sally' }, dog: { name: 'rex' }, $: { next: 5 } })
  assert.deepEqual(select.expand(false).get(), { name: 'rex', next: 3 })
  db.exec('ALTER TABLE dog RENAME TO wolf; ALTER TABLE wolf RENAME TO dog')
  assert.deepEqual(select.expand().get(), { cat: { name: 'joey' }, dog: { name: 'rex' }, $: { next: 3 } })
  for (const method of ['pluck', 'raw', 'expand']) {
    assert.throws(() => db.prepare('DELETE FROM dog')[method](), { name: 'TypeError' })
    assert.throws(() => select[method](1), { name: 'TypeError' })
  }
  db.close()
})

test('explain returns the bytecode or the query plan, and needs no values', () => {
  const db = filled()
  assert.ok(db.explain('SELECT * FROM cat WHERE age = ? AND name = :name').some(({ opcode }) => opcode === 'Column'))
  assert.match(db.explain('QUERY PLAN SELECT * FROM cat')[0].detail, /SCAN cat/)
  assert.throws(() => db.explain('SELEC'), SqliteError)
  assert.throws(() => db.explain(5), { name: 'TypeError' })
  db.close()
})

test('unsafeMode allows writes during an iterator, and turns defensive mode off', () => {
  const db = filled()
  const insert = db.prepare("INSERT INTO dog VALUES ('fido')")
  const schema = "UPDATE sqlite_schema SET sql = sql WHERE name = 'dog'"
  const inLoop = (work) => {
    for (const _ of db.prepare('SELECT * FROM cat').iterate()) work()
  }
  assert.throws(() => inLoop(() => insert.run()), { code: 'STRONGROOM_BUSY' })
  db.pragma('writable_schema = ON')
  assert.throws(() => db.exec(schema), SqliteError)
  assert.equal(db.unsafeMode(), db)
  inLoop(() => insert.run())
  inLoop(() => db.exec("DELETE FROM dog WHERE name = 'fido'"))
  db.pragma('writable_schema = ON')
  db.exec(schema)
  db.unsafeMode(false)
  assert.throws(() => inLoop(() => insert.run()), { code: 'STRONGROOM_BUSY' })
  assert.throws(() => db.exec(schema), SqliteError)
  assert.throws(() => db.unsafeMode('on'), { name: 'TypeError' })
  db.close()
})

testIn(
  ['plain', 'sqlcipher'],
  'SQL attaches nothing to a database in the Strongroom format',
  'String(statement) is its SQL with the values from bind()',
  () => {
    const db = filled()
    const sql = 'SELECT ?, :b'
    assert.equal(`${db.prepare(sql)}`, sql)
    const bound = db.prepare(sql).bind('it', { b: null })
    assert.equal(`${bound}`, "SELECT 'it', NULL")
    const secret = db.prepare("ATTACH ? AS x KEY 's3cr3t'").bind(':memory:')
    assert.doesNotMatch(`${secret}`, /s3cr3t/)
    db.close()
    assert.equal(`${bound}`, sql)
  },
)

test('Symbol.dispose closes a database, and ends the run of an iterator or a statement', (t) => {
  if (Symbol.dispose === undefined) return t.skip('this Node has no Symbol.dispose')
  const db = filled()
  const select = db.prepare('SELECT * FROM cat')
  const iterator = select.iterate()
  iterator.next()
  assert.equal(select.busy, true)
  iterator[Symbol.dispose]()
  assert.equal(select.busy, false)
  select.iterate().next()
  select[Symbol.dispose]()
  assert.equal(select.busy, false)
  db[Symbol.dispose]()
  assert.equal(db.open, false)
})

test('nativeBinding is the path of the addon, or the addon itself', () => {
  const require = createRequire(import.meta.url)
  const loader = require(join(dirname(require.resolve('strongroom')), 'load/loader.js'))
  for (const nativeBinding of [loader.addon(), null])
    assert.equal(new Database(':memory:', { nativeBinding }).prepare('SELECT 1').pluck().get(), 1)
  assert.throws(
    () => new Database(':memory:', { nativeBinding: join(dirname(freshPath()), 'nothing') }),
    /nothing\.node/,
  )
  assert.throws(() => new Database(':memory:', { nativeBinding: 5 }), { name: 'TypeError' })
})

test('the error is about the first wrong argument', () => {
  const db = filled()
  const select = db.prepare('SELECT ?, ?')
  assert.throws(() => select.get(true, 1, 2), { name: 'TypeError' })
  assert.throws(() => select.get(1, 2, true), { name: 'TypeError' })
  assert.throws(() => select.get(1, 2, 3), { name: 'RangeError' })
  assert.throws(() => db.prepare('SELECT :a').get(), { name: 'TypeError' })
  assert.throws(() => db.prepare('SELECT :a').get({}), { name: 'RangeError' })
  assert.throws(() => db.prepare('SELECT :a').get({ a: 1 }, { a: 1 }), { name: 'TypeError' })
  assert.equal(
    db
      .prepare('SELECT :a')
      .pluck()
      .get({ a: 'x', b: Symbol('unused') }),
    'x',
  )
  db.close()
})
