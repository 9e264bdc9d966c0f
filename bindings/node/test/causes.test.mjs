// The causes of errors: `error.cause` is the chain of sources of the engine's error.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import Database, { SqliteError } from 'strongroom'
import { otherUser } from './loading.mjs'
import { folder, freshPath } from './temporary.mjs'

const require = createRequire(import.meta.url)
const key = Buffer.alloc(32, 7)

/** Returns the error that `work` throws. */
function thrown(work) {
  try {
    work()
  } catch (error) {
    return error
  }
  assert.fail('nothing was thrown')
}

/** Returns an error and its causes, each by class, code and message. */
function chain(error) {
  const { name, code, message } = error
  const rest = 'cause' in error ? chain(error.cause) : []
  return [code === undefined ? { name, message } : { name, code, message }, ...rest]
}

/** Checks that an error is a SqliteError whose cause is an error of the operating system. */
function assertSystemCause(error, code, message) {
  assert.ok(error instanceof SqliteError)
  assert.equal(error.code, code)
  assert.equal(error.cause.constructor, Error)
  assert.match(error.cause.message, message)
  assert.equal('cause' in error.cause, false)
}

test('a missing folder, and a missing file, have the cause of the operating system', () => {
  const missing = join(folder, 'nowhere', 'x.db')
  const error = thrown(() => new Database(missing))
  assertSystemCause(error, 'SQLITE_CANTOPEN', /^No such file or directory|cannot find the path/)
  const folderName = dirname(missing)
  assert.equal(error.message, `cannot open "${missing}": the folder "${folderName}" does not exist; create it first`)
  for (const options of [{ fileMustExist: true }, { readonly: true, key }])
    assertSystemCause(
      thrown(() => new Database(freshPath(), options)),
      'SQLITE_CANTOPEN',
      /^No such file or directory|cannot find the file/,
    )
})

test('a file in the place of a folder has the cause of the operating system', () => {
  const path = freshPath()
  writeFileSync(path, '')
  assertSystemCause(
    thrown(() => new Database(join(path, 'x.db'))),
    'SQLITE_CANTOPEN',
    /^Not a directory|cannot find the path/,
  )
})

test('a missing permission has the cause of the operating system', { skip: otherUser.skip }, () => {
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
    console.log(JSON.stringify(errors.map(({ code, cause }) => [code, cause.name, cause.message])))`
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', ...otherUser.spawn })
  const expected = ['SQLITE_PERM', 'Error', 'Permission denied (os error 13)']
  assert.deepEqual(JSON.parse(stdout || 'null'), [expected, expected], stderr)
})

test('a file that is not a database, and a damaged one, have the cause of SQLite', () => {
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
})

test('a failed zstd function has the cause of the codec, with its own code', () => {
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
  // The next error is not about the codec.
  assert.equal('cause' in thrown(() => decompress.get('text')), false)
  assert.equal('cause' in thrown(() => db.prepare('SELEC 1')), false)
})

test('an error without a cause has no property for it', () => {
  const path = freshPath()
  new Database(path, { key }).exec('CREATE TABLE t (a INTEGER PRIMARY KEY)').close()
  const db = new Database(path, { key })
  db.exec('INSERT INTO t VALUES (1)')
  const plain = freshPath()
  new Database(plain).exec('CREATE TABLE t (a)').close()
  for (const work of [
    () => new Database(path, { key: Buffer.alloc(32, 8) }),
    () => new Database(plain, { key }),
    () => new Database(folder),
    () => new Database(path, { key: Buffer.alloc(31) }),
    () => db.exec('INSERT INTO t VALUES (1)'),
    () => db.prepare('SELECT 1; SELECT 2'),
    () => db.prepare('SELECT ?').get(),
    () => db.close().prepare('SELECT 1'),
  ]) {
    const error = thrown(work)
    assert.ok(error instanceof Error)
    assert.equal('cause' in error, false, inspect(error))
  }
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

test('a chain of causes is as deep as that of the addon', () => {
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

test('a SqliteError of a caller takes a cause', () => {
  const cause = new Error('why')
  assert.equal(new SqliteError('what', 'SQLITE_BUSY', { cause }).cause, cause)
  assert.equal('cause' in new SqliteError('what', 'SQLITE_BUSY'), false)
})
