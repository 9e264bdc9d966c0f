// Tests docs/from-multiple-ciphers.md: Strongroom reads the files of better-sqlite3-multiple-ciphers, and the package
// reads them again afterwards.
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, beforeEach, describe, test } from 'node:test'
import { PASSPHRASE, Project, source } from './project.mjs'

const env = { NOTES_PASSPHRASE: PASSPHRASE }
const page = readFileSync(new URL('../../../docs/from-multiple-ciphers.md', import.meta.url), 'utf8')
const FILES = ['notes.db', 'notes.db-wal', 'notes.db-shm', 'notes.db-journal', 'notes-before.db']
const ROWS = `CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
  WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
  INSERT INTO note (text) SELECT 'buy milk ' || i FROM n;`

/**
 * The lines of open.mjs for each cipher. The first entry uses the default cipher. The last entry lacks `legacy = 4`.
 */
const CIPHERS = {
  'no cipher': '',
  ...Object.fromEntries(
    ['chacha20', 'aes128cbc', 'aes256cbc', 'rc4', 'ascon128', 'aegis', 'sqlcipher'].map((name) => [
      name,
      `db.pragma("cipher = '${name}'")`,
    ]),
  ),
}

describe('from better-sqlite3-multiple-ciphers', () => {
  let project
  let Other
  let Strongroom
  before(async () => {
    project = await Project.install('from-multiple-ciphers')
    const require = createRequire(project.path('package.json'))
    Other = require('better-sqlite3-multiple-ciphers')
    Strongroom = require('strongroom')
  })
  after(() => project?.remove())
  beforeEach(clear)

  function clear() {
    for (const file of FILES) rmSync(project.path(file), { force: true })
  }

  /** Runs a program of the project, and returns the program's output. */
  const run = (file) => project.node([file], { env })

  /** Replaces the line of open.mjs that sets the cipher with `lines`. */
  function setCipher(lines) {
    const text = readFileSync(source('from-multiple-ciphers', 'open.mjs'), 'utf8')
    assert.match(text, /db\.pragma\("cipher = 'aes256cbc'"\)/)
    writeFileSync(project.path('open.mjs'), text.replace('db.pragma("cipher = \'aes256cbc\'")', lines))
  }

  /** Writes notes.db with better-sqlite3-multiple-ciphers. `prepare` gets the connection before its first statement. */
  function write(prepare) {
    const db = new Other(project.path('notes.db'))
    prepare(db)
    db.exec(ROWS)
    db.close()
  }

  /** Writes notes.db with the cipher that `lines` set. */
  function writeWith(lines, { pageSize = 4096, journal = 'delete' } = {}) {
    write((db) => {
      db.pragma(`page_size = ${pageSize}`)
      new Function('db', lines)(db)
      db.pragma(`key = '${PASSPHRASE}'`)
      db.pragma(`journal_mode = ${journal}`)
    })
  }

  /**
   * Asserts that Strongroom opens notes.db with the options, reads every row and finds no damage. Returns the page
   * size.
   */
  function assertRows(options) {
    const db = new Strongroom(project.path('notes.db'), { ...options, readonly: true })
    try {
      const rows = db.prepare('SELECT text FROM note ORDER BY id').pluck().all()
      assert.deepEqual(
        rows,
        Array.from({ length: 1000 }, (_, i) => `buy milk ${i + 1}`),
      )
      assert.deepEqual(db.check().problems, [])
      return db.pragma('page_size', { simple: true })
    } finally {
      db.close()
    }
  }

  test('a file of SQLCipher needs no conversion, and both packages read it in turn', async () => {
    assert.equal(await run('before.mjs'), '1\n')
    assert.equal(await run('after.mjs'), '2\n')
    assert.equal(await run('check.mjs'), 'true true []\n')
    assert.equal(await run('before.mjs'), '3\n')
  })

  for (const [name, lines] of Object.entries(CIPHERS)) {
    test(`a file is converted: ${name}`, async () => {
      setCipher(lines)
      writeWith(lines)
      await assert.rejects(run('after.mjs'), /the file has other cipher parameters.*STRONGROOM_WRONG_KEY/s)
      assert.throws(
        () => new Strongroom(project.path('notes.db')).prepare('SELECT * FROM note'),
        (error) => error.code === 'SQLITE_NOTADB',
      )
      await run('convert.mjs')
      assertRows({ passphrase: PASSPHRASE })
    })

    test(`a file with another page size is converted: ${name}`, async () => {
      setCipher(lines)
      writeWith(lines, { pageSize: 8192 })
      await run('convert-plain.mjs')
      assert.equal(assertRows({ passphrase: PASSPHRASE }), 8192)
    })
  }

  test('a conversion keeps an encrypted copy, and does not run twice', async () => {
    setCipher(CIPHERS.aes256cbc)
    writeWith(CIPHERS.aes256cbc)
    await run('convert.mjs')
    project.assertStored('notes.db', 'buy milk', { encrypted: true })
    assert.ok(!readFileSync(project.path('notes-before.db')).includes('buy milk'))
    assert.equal(await run('check.mjs'), 'true true []\n')
    await assert.rejects(run('convert.mjs'), /SQLITE_NOTADB/)
  })

  test('a file with another page size is not converted in place, and stays unchanged', async () => {
    setCipher(CIPHERS.aes256cbc)
    writeWith(CIPHERS.aes256cbc, { pageSize: 8192 })
    const bytes = readFileSync(project.path('notes.db'))
    await assert.rejects(run('convert.mjs'), /Rekeying failed\. Pagesize cannot be changed for an encrypted database\./)
    assert.ok(readFileSync(project.path('notes.db')).equals(bytes))
    await assert.rejects(run('convert-plain.mjs'), /EEXIST.*notes-before\.db/s)
  })

  test('a file in WAL mode is converted with the content of its log', async () => {
    setCipher(CIPHERS.chacha20)
    const crash = `import { open } from './open.mjs'
      const db = open('notes.db')
      db.exec("INSERT INTO note (text) VALUES ('buy milk 1000')")
      process.kill(process.pid, 'SIGKILL')`
    writeWith(CIPHERS.chacha20, { journal: 'wal' })
    const db = new Other(project.path('notes.db'))
    db.pragma(`key = '${PASSPHRASE}'`)
    db.exec('DELETE FROM note WHERE id = 1000')
    db.close()
    await assert.rejects(project.node(['--input-type=module', '--eval', crash], { env }), /SIGKILL/)
    assert.ok(readFileSync(project.path('notes.db-wal')).length > 0)
    await run('convert.mjs')
    assertRows({ passphrase: PASSPHRASE })
  })

  test('a passphrase with a quote is converted', async () => {
    setCipher('')
    const text = readFileSync(project.path('open.mjs'), 'utf8')
    writeFileSync(project.path('open.mjs'), text.replace('PASSPHRASE}', 'PASSPHRASE.replaceAll("\'", "\'\'")}'))
    write((db) => db.pragma("key = 'it''s'"))
    await project.node(['convert.mjs'], { env: { NOTES_PASSPHRASE: "it's" } })
    assertRows({ passphrase: "it's" })
  })

  test('a raw key stays a raw key', async () => {
    const hex = '5f'.repeat(32)
    const edit = (file, from, to) => {
      const text = readFileSync(source('from-multiple-ciphers', file), 'utf8')
      assert.ok(text.includes(from), from)
      writeFileSync(project.path(`raw-${file}`), text.replace(from, to).replace('./open.mjs', './raw-open.mjs'))
    }
    edit('open.mjs', `db.pragma(\`key = '\${process.env.NOTES_PASSPHRASE}'\`)`, `db.pragma("key = 'raw:${hex}'")`)
    edit('convert.mjs', `db.pragma(\`rekey = '\${passphrase}'\`)`, `db.pragma("rekey = \\"x'${hex}'\\"")`)
    write((db) => {
      db.pragma("cipher = 'aes256cbc'")
      db.pragma(`key = 'raw:${hex}'`)
    })
    await run('raw-convert.mjs')
    assertRows({ key: Buffer.from(hex, 'hex') })
  })

  test('a file is converted back to its cipher', async () => {
    await run('after.mjs')
    await run('back.mjs')
    await assert.rejects(run('after.mjs'), /STRONGROOM_WRONG_KEY/)
    setCipher(CIPHERS.aes256cbc)
    const count = `import { open } from './open.mjs'
      console.log(open('notes.db').prepare('SELECT text FROM note').pluck().all())`
    assert.equal(await project.node(['--input-type=module', '--eval', count], { env }), "[ 'buy milk' ]\n")
  })

  const rows = [...page.matchAll(/^\| `(db\..*?|[a-z_]+ = .*?)` \| `(.*?)` \|$/gm)]
  test('the page lists settings and keys', () => assert.ok(rows.length >= 15, `${rows.length}`))
  for (const [, setting, options] of rows) {
    test(`a file with settings of SQLCipher opens: ${setting}`, () => {
      const isKey = /key/.test(setting)
      const isHeader = /plaintext/.test(setting)
      const key = Array.from({ length: 32 }, (_, i) => i + 1)
      const salt = Array.from({ length: 16 }, (_, i) => i + 33)
      const hex = (bytes) => Buffer.from(bytes).toString('hex')
      const filled = (text) => text.replaceAll('KEY', hex(key)).replaceAll('SALT', hex(salt))
      const opened = new Function('Buffer', `return { ${filled(options)} }`)(Buffer)
      write((db) => {
        db.pragma("cipher = 'sqlcipher'")
        db.pragma('legacy = 4')
        if (setting.startsWith('db.')) new Function('db', 'Buffer', filled(setting))(db, Buffer)
        else db.pragma(filled(setting))
        if (isHeader) db.pragma(`key = "x'${hex(key)}${hex(salt)}'"`)
        else if (!isKey) db.pragma(`key = '${PASSPHRASE}'`)
      })
      if (isHeader) opened.key = Buffer.from(key)
      else if (!isKey) opened.passphrase = PASSPHRASE
      assertRows(opened)
      const bare = Object.fromEntries(Object.entries(opened).filter(([name]) => /^(key|passphrase)$/.test(name)))
      const isNeeded = Object.keys(opened).length > Object.keys(bare).length
      if (isNeeded) assert.throws(() => assertRows(bare), { code: 'STRONGROOM_WRONG_KEY' })
    })
  }

  test("the package's calls that change keys fail, or have no effect", () => {
    const db = new Strongroom(project.path('notes.db'), { passphrase: PASSPHRASE })
    try {
      assert.throws(() => db.key(Buffer.from('x')), /db\.key is not a function/)
      assert.throws(() => db.rekey(Buffer.from('x')), { code: 'ERR_INVALID_ARG_TYPE' })
      assert.throws(() => db.pragma("rekey = 'x'"), { code: 'STRONGROOM_PRAGMA_REFUSED' })
      assert.deepEqual(db.pragma("cipher = 'chacha20'"), [{ cipher: 'PRAGMA cipher is no longer supported.' }])
      assert.deepEqual(db.pragma('legacy = 4'), [])
      assert.throws(() => db.prepare('SELECT sqlite3mc_version()'), /no such function: sqlite3mc_version/)
    } finally {
      db.close()
    }
  })
})
