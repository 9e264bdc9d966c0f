// `error.cause` is the chain of sources of the engine's error.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, openSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import Original from 'strongroom'
import Database, { SqliteError, testIn } from './database.mjs'
import { otherUser } from './loading.mjs'
import { folder, freshPath } from './temporary.mjs'

const require = createRequire(import.meta.url)
const key = Buffer.alloc(32, 7)
const windows = process.platform === 'win32'

/** Returns the error that `work` throws. */
function thrown(work) {
  try {
    work()
  } catch (error) {
    return error
  }
  assert.fail('nothing was thrown')
}

/** Returns the class, the code and the message of an error and of each of its causes. */
function chain(error) {
  const { name, code, message } = error
  const rest = 'cause' in error ? chain(error.cause) : []
  return [code === undefined ? { name, message } : { name, code, message }, ...rest]
}

/** Checks that an error is a SqliteError whose cause is an operating system error with Node's code `name`. */
function assertSystemCause(error, code, name, message) {
  assert.ok(error instanceof SqliteError)
  assert.equal(error.code, code)
  const { cause } = error
  assert.equal(cause.constructor, Error)
  assert.match(cause.message, message)
  const expected = windows ? [undefined, undefined] : [name, -constants.errno[name]]
  assert.deepEqual([cause.code, cause.errno], expected)
  assert.equal('cause' in cause, false)
}

test('the cause of the error for a missing folder or file is an operating system error', () => {
  const missing = join(folder, 'nowhere', 'x.db')
  const error = thrown(() => new Database(missing))
  assert.deepEqual([error.constructor, error.code, error.cause.code], [TypeError, 'SQLITE_CANTOPEN', 'ENOENT'])
  const folderName = dirname(missing)
  assert.equal(error.message, `cannot open "${missing}": the folder "${folderName}" does not exist; create it first`)
  for (const options of [{ fileMustExist: true }, { readonly: true, key }])
    assertSystemCause(
      thrown(() => new Database(freshPath(), options)),
      'SQLITE_CANTOPEN',
      'ENOENT',
      /^No such file or directory|cannot find the file/,
    )
})

test('the cause of the error for a file in place of a folder is an operating system error', () => {
  const path = freshPath()
  writeFileSync(path, '')
  const below = join(path, 'x.db')
  const error = thrown(() => new Database(below))
  assertSystemCause(error, 'SQLITE_CANTOPEN', 'ENOTDIR', /^Not a directory|cannot find the path/)
  assert.equal(error.message, `cannot open "${below}": "${path}" is a file, not a folder; check the path`)
})

test("the cause has Node's own code and number", { skip: windows && 'Windows has other numbers' }, () => {
  const loop = freshPath()
  symlinkSync(loop, loop)
  const long = join(folder, 'a'.repeat(300))
  for (const [path, name] of [
    [join(folder, 'nowhere', 'x.db'), 'ENOENT'],
    [loop, 'ELOOP'],
    [long, 'ENAMETOOLONG'],
  ]) {
    const { code, errno } = thrown(() => openSync(path, 'r+'))
    assert.equal(code, name)
    for (const options of [{}, { key }]) {
      const { cause } = thrown(() => new Database(path, options))
      assert.deepEqual({ code: cause.code, errno: cause.errno }, { code, errno })
    }
  }
})

test('the cause of the error for a missing permission is an operating system error', { skip: otherUser.skip }, () => {
  const closed = join(folder, 'closed')
  mkdirSync(closed)
  writeFileSync(join(closed, 'x.db'), '')
  chmodSync(join(closed, 'x.db'), 0o000)
  chmodSync(closed, 0o555)
  chmodSync(folder, 0o755)
  const script = `
    const Database = require(${JSON.stringify(require.resolve('strongroom'))})
    const errors = ['x.db', 'new.db'].map((name) => {
      try { new Database(${JSON.stringify(closed)} + '/' + name) } catch (error) { return error }
    })
    console.log(JSON.stringify(errors.map(({ code, cause }) => [code, cause.name, cause.code, cause.message])))`
  const { stdout, stderr } = spawnSync(otherUser.node, ['-e', script], { encoding: 'utf8', ...otherUser.spawn })
  const expected = ['SQLITE_PERM', 'Error', 'EACCES', 'Permission denied (os error 13)']
  assert.deepEqual(JSON.parse(stdout || 'null'), [expected, expected], stderr)
})

testIn(
  ['plain', 'sqlcipher'],
  'a Strongroom file that is cut to its header is an empty database',
  "the cause of the error for a damaged file, or for a file that is not a database, is SQLite's error",
  () => {
    const letter = freshPath()
    writeFileSync(letter, 'this is a letter to the editor. '.repeat(300).slice(1))
    const [error, cause] = chain(thrown(() => new Database(letter, { key })))
    assert.equal(error.code, 'SQLITE_NOTADB')
    assert.deepEqual(cause, { name: 'SqliteError', code: 'SQLITE_NOTADB', message: 'file is not a database' })

    const path = freshPath()
    const db = new Database(path, { key })
    db.exec('CREATE TABLE t (a); INSERT INTO t VALUES (randomblob(50000))')
    db.close()
    truncateSync(path, 4096)
    const damaged = thrown(() => new Database(path, { key }))
    assert.deepEqual([damaged.code, damaged.cause.code], ['SQLITE_CORRUPT', 'SQLITE_CORRUPT'])
    assert.ok(damaged.message.includes(`(${damaged.cause.message})`))
  },
)

test("the cause of the error of a zstd function is the codec's error, with its own code", () => {
  const db = new Database()
  const decompress = db.prepare('SELECT zstd_decompress(?)').pluck()
  const frame = db.prepare("SELECT zstd_compress('a text that repeats, a text that repeats')").pluck().get()
  const damaged = Buffer.from(frame)
  damaged[damaged.length - 1] ^= 1
  for (const [work, code] of [
    [() => decompress.get(Buffer.from('no frame')), 'STRONGROOM_ZSTD_NOT_A_FRAME'],
    [() => decompress.all(frame.subarray(0, 10)), 'STRONGROOM_ZSTD_TRUNCATED'],
    [() => [...decompress.iterate(damaged)], 'STRONGROOM_ZSTD_CORRUPT'],
    [() => db.prepare('CREATE TABLE t AS SELECT zstd_compress(?, 99)').run('a'), 'STRONGROOM_ZSTD_LEVEL'],
    [() => db.exec("SELECT zstd_compress('a', 3, x'00')"), 'STRONGROOM_ZSTD_DICTIONARY_INVALID'],
  ]) {
    const error = thrown(work)
    assert.ok(error instanceof SqliteError && error.cause instanceof SqliteError)
    assert.deepEqual([error.code, error.cause.code], ['SQLITE_ERROR', code])
    assert.match(error.message, /^zstd_(de)?compress: /)
    assert.ok(error.message.endsWith(`: ${error.cause.message}`))
    assert.equal('cause' in error.cause, false)
  }
  // Later errors do not keep the codec's error as their cause.
  assert.equal('cause' in thrown(() => decompress.get('text')), false)
  assert.equal('cause' in thrown(() => db.prepare('SELEC 1')), false)
})

/** Checks that each call throws an error with its code and without the property `cause`. */
function assertNoCause(calls) {
  for (const [work, code] of calls) {
    const error = thrown(work)
    assert.equal(error.code, code, inspect(error))
    assert.equal('cause' in error, false, inspect(error))
  }
}

test('other errors of the constructor have no cause', () => {
  const path = freshPath()
  const db = new Database(path, { key })
  db.exec('CREATE TABLE t (a); INSERT INTO t VALUES (randomblob(50000))')
  const plain = freshPath()
  new Original(plain).exec('CREATE TABLE t (a)').close()
  db.exec('BEGIN EXCLUSIVE')
  // A fixed bug: this error had a cause that only repeated the end of the error's message.
  assertNoCause([[() => new Database(path, { key, timeout: 0 }), 'SQLITE_BUSY']])
  db.close()
  assertNoCause([
    [() => new Database(path, { key: Buffer.alloc(32, 8) }), 'STRONGROOM_WRONG_KEY'],
    [() => new Database(path, { passphrase: 'sesame' }), 'STRONGROOM_WRONG_KEY'],
    [() => new Database(plain, { key }), 'STRONGROOM_NOT_ENCRYPTED'],
    [() => new Database(folder), 'SQLITE_CANTOPEN_ISDIR'],
    [() => new Database(folder, { key }), 'SQLITE_CANTOPEN_ISDIR'],
    [() => new Database(path, { key: Buffer.alloc(31) }), 'ERR_OUT_OF_RANGE'],
  ])
})

testIn(['plain'], 'the test opens files without a key', 'other errors of statements have no cause', () => {
  const letter = freshPath()
  writeFileSync(letter, 'this is a letter to the editor. '.repeat(300).slice(1))
  const encrypted = freshPath()
  new Database(encrypted, { key }).exec('CREATE TABLE t (a)').close()
  const damaged = freshPath()
  new Database(damaged).exec('CREATE TABLE t (a); INSERT INTO t VALUES (randomblob(50000))').close()
  truncateSync(damaged, 8192)
  const db = new Database()
  db.exec('CREATE TABLE t (a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)')
  assertNoCause([
    [() => new Database(letter).prepare('SELECT * FROM t'), 'SQLITE_NOTADB'],
    [() => new Database(encrypted).prepare('SELECT * FROM t'), 'SQLITE_NOTADB'],
    [() => new Database(damaged).prepare('SELECT * FROM t').all(), 'SQLITE_CORRUPT'],
    [() => db.exec(`ATTACH '${join(folder, 'nowhere', 'x.db')}' AS x`), 'SQLITE_CANTOPEN'],
    [() => db.exec("SELECT zstd_decompress('text')"), 'SQLITE_ERROR'],
    [() => db.exec('SELECT zstd_decompress(1.5)'), 'SQLITE_ERROR'],
    [() => db.exec("SELECT zstd_compress('a', 3, 'text')"), 'SQLITE_ERROR'],
    [() => db.exec("SELECT zstd_compress('a', 'text')"), 'SQLITE_ERROR'],
    [() => db.exec('INSERT INTO t VALUES (1)'), 'SQLITE_CONSTRAINT_PRIMARYKEY'],
    [() => db.prepare('SELEC 1'), 'SQLITE_ERROR'],
    [() => db.prepare('SELECT 1; SELECT 2'), 'STRONGROOM_MULTIPLE_STATEMENTS'],
    [() => db.prepare('SELECT ?').get(), 'ERR_OUT_OF_RANGE'],
    [() => db.close().prepare('SELECT 1'), 'STRONGROOM_CLOSED'],
  ])
})

test('no cause shows a key or a stored value', () => {
  const db = new Database()
  const secret = 'sesame'
  for (const work of [
    () => db.exec(`PRAGMA key = '${secret}' nonsense`),
    () => db.prepare(`ATTACH '/nowhere/x.db' AS x KEY '${secret}'`).run(),
    () => db.prepare(`SELECT zstd_decompress('${secret}'), sqlcipher_export('${secret}')`).get(),
    () => db.prepare('SELECT zstd_decompress(?)').get(Buffer.from(secret)),
    () => new Database(join(folder, 'nowhere', 'x.db'), { passphrase: secret }),
  ])
    assert.doesNotMatch(inspect(thrown(work), { showHidden: true, depth: 9 }), /sesame/)
})

test('error.cause has every cause that the addon reports', () => {
  const { fromNative } = require(join(dirname(require.resolve('strongroom')), 'api/errors.js'))
  const causes = [
    { code: 'SQLITE_CORRUPT', message: 'second' },
    { code: undefined, message: 'third' },
    { code: 'STRONGROOM_INIT', message: 'fourth' },
  ]
  const native = Object.assign(new Error('first'), { code: 'strongroom:SQLITE_CANTOPEN', causes })
  assert.deepEqual(chain(fromNative(native)), [
    { name: 'SqliteError', code: 'SQLITE_CANTOPEN', message: 'first' },
    { name: 'SqliteError', code: 'SQLITE_CORRUPT', message: 'second' },
    { name: 'Error', message: 'third' },
    { name: 'SqliteError', code: 'STRONGROOM_INIT', message: 'fourth' },
  ])
})

test('the constructor of SqliteError takes a cause', () => {
  const cause = new Error('why')
  assert.equal(new SqliteError('what', 'SQLITE_BUSY', { cause }).cause, cause)
  assert.equal('cause' in new SqliteError('what', 'SQLITE_BUSY'), false)
})
