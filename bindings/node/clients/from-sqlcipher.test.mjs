// Tests docs/from-sqlcipher.md: files of @journeyapps/sqlcipher, @signalapp/sqlcipher and the sqlcipher command line.
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, beforeEach, describe, test } from 'node:test'
import { PASSPHRASE, Project } from './project.mjs'

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const COMPILE = ['--noEmit', '--allowJs', '--checkJs', '--strict', '--skipLibCheck', '--ignoreConfig']
COMPILE.push('--noImplicitAny', 'false', '--module', 'nodenext', '--target', 'es2023', '--types', 'node')
const env = { NOTES_PASSPHRASE: PASSPHRASE }
const page = readFileSync(new URL('../../../docs/from-sqlcipher.md', import.meta.url), 'utf8')
const FILES = ['notes.db', 'notes.db-wal', 'notes.db-shm', 'notes-3.db', 'other.db']

describe('from SQLCipher', () => {
  let project
  let Strongroom
  before(async () => {
    project = await Project.install('from-sqlcipher')
    Strongroom = createRequire(project.path('package.json'))('strongroom')
  })
  after(() => project?.remove())
  beforeEach(() => {
    for (const file of FILES) rmSync(project.path(file), { force: true })
  })

  /** Runs a program of the project, and returns the program's output. */
  const run = (file) => project.node([file], { env })
  /** Runs JavaScript with @signalapp/sqlcipher in the project, and returns the script's output. */
  const signal = (code) =>
    project.node(['--input-type=module', '--eval', `import Database from '@signalapp/sqlcipher'\n${code}`], { env })
  /** Opens notes.db with Strongroom, and closes it after `work`. */
  const open = (options, work = () => {}) => {
    const db = new Strongroom(project.path('notes.db'), options)
    try {
      return work(db)
    } finally {
      db.close()
    }
  }

  describe('@journeyapps/sqlcipher', () => {
    // Installing the package compiles SQLCipher, so the test restores a file that journeyapps-before.mjs wrote with
    // version 6.0.0 of the package (SQLCipher 4.14.0).
    const restore = () => copyFileSync(project.path('journeyapps-6.0.0.db'), project.path('notes.db'))

    test('the old program compiles with the types of the package', () =>
      project.node([tsc, ...COMPILE, 'journeyapps-before.mjs']))

    test("the new program reads the old program's file, and prints the same output", async () => {
      assert.equal(await run('journeyapps-after.mjs'), '1 1\n1 buy milk\n')
      restore()
      assert.equal(await run('journeyapps-after.mjs'), '2 1\n1 buy milk\n2 buy milk\n')
      assert.equal(await run('check.mjs'), 'true true []\n')
      project.assertStored('notes.db', 'buy milk', { encrypted: true })
    })

    test('calls that Strongroom lacks throw', () => {
      restore()
      open({ passphrase: PASSPHRASE }, (db) => {
        assert.throws(() => db.serialize(() => {}), { message: 'Expected first argument to be an options object' })
        assert.throws(() => db.run('SELECT 1'), /db\.run is not a function/)
        const insert = db.prepare('INSERT INTO note (text) VALUES ($text)')
        assert.throws(() => insert.run({ $text: 'x' }), { message: 'missing named parameter "text"' })
        assert.throws(() => insert.run({ text: true }), { code: 'ERR_INVALID_ARG_TYPE' })
        assert.throws(() => insert.run({ text: new Date() }), { code: 'ERR_INVALID_ARG_TYPE' })
        assert.throws(() => insert.run({ text: null }), { code: 'SQLITE_CONSTRAINT_NOTNULL' })
        assert.throws(() => db.prepare('SELECT * FROM note WHERE text = "x"'), /no such column: "x"/)
        assert.equal(db.pragma('foreign_keys', { simple: true }), 1)
      })
      assert.throws(() => open(2), { message: 'Expected second argument to be an options object' })
    })
  })

  describe('@signalapp/sqlcipher', () => {
    test('both programs print the same output, and read the file in turn', async () => {
      const first = "[ 'buy milk' ]\n{ id: 1n }\n"
      const second = "[ 'buy milk', 'buy milk' ]\n{ id: 1n }\n"
      assert.equal(await run('signal-before.mjs'), first)
      assert.equal(await run('signal-after.mjs'), second)
      assert.equal(await run('check.mjs'), 'true true []\n')
      rmSync(project.path('notes.db'))
      assert.equal(await run('signal-after.mjs'), first)
      assert.equal(await run('signal-before.mjs'), second)
    })

    test('a table with the tokenizer of the package is read, and rebuilt with another one', async () => {
      await signal(`const db = new Database('notes.db')
        db.pragma("key = '${PASSPHRASE}'")
        db.initTokenizer()
        db.exec("CREATE VIRTUAL TABLE search USING fts5(text, tokenize = 'signal_tokenizer')")
        db.exec("INSERT INTO search VALUES ('buy milk'), ('call home')")
        db.close()`)
      open({ passphrase: PASSPHRASE }, (db) => {
        const message = 'no such tokenizer: signal_tokenizer'
        assert.throws(() => db.prepare("SELECT * FROM search WHERE search MATCH 'milk'").all(), { message })
        assert.throws(() => db.exec("INSERT INTO search VALUES ('x')"), { message })
        assert.equal(db.check().problems[0].table, 'search')
      })
      assert.equal(await run('signal-tokenizer.mjs'), "[ 'buy milk' ]\n")
      assert.equal(await run('check.mjs'), 'true true []\n')
    })

    test('db.function with varargs and safeIntegers replaces createFunction', async () => {
      const prints = 'const see = (...values) => console.log(values)'
      const output = await signal(`const db = new Database()
        ${prints}
        db.createFunction('see', see, { bigint: true })
        console.log(db.prepare('SELECT see(1, 2) AS a').get())`)
      const own = `import Database from 'strongroom'
        const db = new Database(':memory:')
        ${prints}
        db.function('see', { varargs: true, safeIntegers: true }, see)
        console.log(db.prepare('SELECT see(1, 2) AS a').get())`
      assert.equal(output, '[ 1n, 2n ]\n{ a: null }\n')
      assert.equal(await project.node(['--input-type=module', '--eval', own]), output)
    })

    test('prepare ignores options, and createFunction and close do not exist', () => {
      open({ passphrase: PASSPHRASE }, (db) => {
        assert.deepEqual(db.prepare('SELECT 1 AS a', { pluck: true }).get(), { a: 1 })
        assert.throws(() => db.createFunction('f', () => 1), /db\.createFunction is not a function/)
        assert.throws(() => db.prepare('SELECT 1').close(), /close is not a function/)
      })
    })
  })

  describe('the settings of a file', () => {
    const KEY = '0123456789abcdef'.repeat(4)
    const SALT = 'fedcba9876543210'.repeat(2)
    const filled = (text) => text.replaceAll('KEY', KEY).replaceAll('SALT', SALT)
    const rows = [...page.matchAll(/^\| `([a-z_]+ = .*?)` \| `(.*?)` \|$/gm)]

    test('the page lists the settings', () => assert.ok(rows.length >= 13, `${rows.length}`))

    for (const [, pragmas, options] of rows) {
      test(pragmas, async () => {
        const lines = filled(pragmas).split('; ')
        const opened = new Function('Buffer', `return { ${filled(options)} }`)(Buffer)
        const key = opened.key ? { key: opened.key } : { passphrase: opened.passphrase ?? PASSPHRASE }
        if (!pragmas.startsWith('key')) lines.unshift(`key = '${PASSPHRASE}'`)
        await signal(`const db = new Database('notes.db')
          for (const line of ${JSON.stringify(lines)}) db.pragma(line)
          db.exec("CREATE TABLE note (text TEXT); INSERT INTO note VALUES ('buy milk')")
          db.close()`)
        open({ ...key, ...opened }, (db) => {
          assert.equal(db.prepare('SELECT text FROM note').pluck().get(), 'buy milk')
          assert.deepEqual(db.check().problems, [])
        })
        const isNeeded = Object.keys(opened).some((name) => !(name in key))
        if (isNeeded) assert.throws(() => open(key), { code: missing() })
      })
    }

    /** Returns the error code that the page names for a missing setting. */
    function missing() {
      const { length } = readFileSync(project.path('notes.db'))
      return length < 4096 ? 'SQLITE_NOTADB' : 'STRONGROOM_WRONG_KEY'
    }

    test('a raw key does not open a file as a passphrase', () => {
      open({ key: Buffer.from(KEY, 'hex') }, (db) => db.exec('CREATE TABLE note (text TEXT)'))
      for (const passphrase of [KEY, Buffer.from(KEY, 'hex')])
        assert.throws(() => open({ passphrase }), { code: 'STRONGROOM_WRONG_KEY' })
      assert.throws(() => open({ passphrase: `x'${KEY}'` }), { code: 'ERR_OUT_OF_RANGE' })
    })

    test('a wrong key is reported for a file with a plaintext header', () => {
      const header = { plaintextHeaderSize: 32, salt: Buffer.from(SALT, 'hex') }
      open({ passphrase: PASSPHRASE, ...header }, (db) => db.exec('CREATE TABLE note (text TEXT)'))
      assert.throws(() => open({ passphrase: 'wrong', ...header }), { code: 'STRONGROOM_WRONG_KEY' })
    })
  })

  // Debian's package `sqlcipher` contains the command. The tests accept any version of SQLCipher from 1 to 4.
  describe('the command line', () => {
    const shell = async (file) => (await project.shell(file, { env })).replaceAll(/^ok\n/gm, '')
    let major
    before(async () => {
      major = Number((await shell('version.sh'))[0])
      assert.ok(major >= 1 && major <= 4, 'the command sqlcipher must print a version from 1 to 4')
      for (const file of ['after.mjs', 'migrate.mjs', 'back.mjs']) {
        const text = readFileSync(project.path(file), 'utf8')
        assert.ok(text.includes('cipherCompatibility: 3'))
        writeFileSync(project.path(file), text.replace('cipherCompatibility: 3', `cipherCompatibility: ${major}`))
      }
    })

    test('the command and Strongroom read the file in turn', async () => {
      assert.equal(await shell('before.sh'), '1\n')
      assert.equal(await run('after.mjs'), '2\n')
      assert.equal(await shell('before.sh'), '3\n')
    })

    test('sqlcipher_export copies into an attached database', () => {
      open({ passphrase: PASSPHRASE }, (db) => {
        db.exec("CREATE TABLE note (text TEXT); INSERT INTO note VALUES ('buy milk')")
        db.exec(`ATTACH '${project.path('other.db')}' AS other KEY 'another'`)
        db.prepare("SELECT sqlcipher_export('other')").get()
      })
      const other = new Strongroom(project.path('other.db'), { passphrase: 'another' })
      assert.equal(other.prepare('SELECT text FROM note').pluck().get(), 'buy milk')
      other.close()
    })

    test('a file is converted to version 4, checked, and converted back', async () => {
      await shell('before.sh')
      await run('migrate.mjs')
      assert.ok(existsSync(project.path('notes-3.db')))
      assert.equal(await run('check.mjs'), 'true true []\n')
      project.assertStored('notes.db', 'buy milk', { encrypted: true })
      if (major < 4) assert.throws(() => open({ passphrase: PASSPHRASE, cipherCompatibility: major }))
      await run('back.mjs')
      assert.equal(await shell('before.sh'), '2\n')
    })
  })
})
