// The Strongroom format through the API. Each file is recognised by its first bytes.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import Database from 'strongroom'
import { assertFilled, closed, count, filled, ROWS, refuses } from './strongroom-files.mjs'
import { freshPath } from './temporary.mjs'

const FORMAT = 'strongroom'
const HEADER = 8192

const sha256 = (bytes) => createHash('sha256').update(bytes).digest()

test('format: "strongroom" creates a file, which every later open recognises', () => {
  for (const secret of [{ key: randomBytes(32) }, { passphrase: 'grüße' }, { passphrase: Buffer.from('p') }]) {
    const path = closed({ ...secret, format: FORMAT })
    const bytes = readFileSync(path)
    for (const text of ['SQLite format 3', 'the cat', 'CREATE TABLE']) assert.equal(bytes.includes(text), false, text)
    assertFilled(path, secret)
    assertFilled(path, { ...secret, format: FORMAT, readonly: true, fileMustExist: true })
  }
  const memory = filled({ key: randomBytes(32), format: FORMAT }, ':memory:')
  assert.deepEqual([memory.format, count(memory)], [FORMAT, ROWS])
})

test("SQLCipher's format stays the default for new files", () => {
  const key = randomBytes(32)
  assertFilled(closed({ key }), { key, format: 'sqlcipher' }, 'sqlcipher')
})

test('a format that contradicts the file is refused, and the file stays unchanged', () => {
  const key = randomBytes(32)
  const files = { strongroom: closed({ key, format: FORMAT }), sqlcipher: closed({ key }), plain: closed() }
  const code = 'STRONGROOM_OTHER_FORMAT'
  for (const [path, format, expected, message] of [
    [files.strongroom, 'sqlcipher', code, /its format is "strongroom", and the key is for the format "sqlcipher"/],
    [files.sqlcipher, 'strongroom', code, /its format is "sqlcipher".* for the format "strongroom"/],
    [files.plain, 'strongroom', code, /its format is plain.*Database\.encrypt\(\)/],
    [files.plain, 'sqlcipher', 'STRONGROOM_NOT_ENCRYPTED', /not encrypted/],
  ]) {
    const before = readFileSync(path)
    refuses(() => new Database(path, { key, format }), expected, message)
    assert.ok(before.equals(readFileSync(path)))
  }
})

test('a file without its key, and "strongroom" without a key, are refused', () => {
  const path = closed({ key: randomBytes(32), format: FORMAT })
  refuses(() => new Database(path), 'STRONGROOM_KEY_REQUIRED', /pass its key or its passphrase/)
  refuses(() => new Database(readFileSync(path)), 'STRONGROOM_KEY_REQUIRED')
  assert.throws(() => new Database(freshPath(), { format: FORMAT }), {
    code: 'ERR_INVALID_ARG_TYPE',
    message: /format/,
  })
  for (const format of ['Strongroom', '', 5, 'plain'])
    assert.throws(() => new Database(freshPath(), { key: randomBytes(32), format }), {
      name: 'TypeError',
      message: /"format"/,
    })
})

test('a wrong key is known to be wrong, and damage names the page and the file', () => {
  const key = randomBytes(32)
  const path = closed({ key, format: FORMAT })
  for (const wrong of [{ key: randomBytes(32) }, { passphrase: 'x' }, { key: randomBytes(32), format: FORMAT }])
    refuses(() => new Database(path, wrong), 'STRONGROOM_WRONG_KEY', /the key|takes a passphrase/)
  const intact = readFileSync(path)
  const flip = (offset) => {
    const bytes = Buffer.from(intact)
    bytes[offset] ^= 1
    writeFileSync(path, bytes)
  }
  flip(HEADER + 500)
  refuses(() => new Database(path, { key }), 'STRONGROOM_DAMAGED_PAGE', /page 1 /)
  flip(HEADER + 3 * 4096 + 500)
  const db = new Database(path, { key })
  refuses(() => db.prepare('SELECT sum(length(text)) FROM note').get(), 'STRONGROOM_DAMAGED_PAGE', /page 4 of/)
  refuses(() => db.prepare('SELECT sum(length(text)) FROM note').get(), 'STRONGROOM_DAMAGED_PAGE', new RegExp(path))
  db.close()
  const checked = new Database(path, { key })
  const { ok, authenticated, problems } = checked.check()
  assert.deepEqual({ ok, authenticated }, { ok: false, authenticated: true })
  assert.deepEqual(
    problems.map(({ kind, page, table }) => ({ kind, page, table })),
    [{ kind: 'page', page: 4, table: 'note' }],
  )
  checked.close()
})

test('one copy of the header suffices, and a file without a whole copy is damaged', () => {
  const key = randomBytes(32)
  const path = closed({ key, format: FORMAT })
  const intact = readFileSync(path)
  for (const [offsets, works] of [
    [[100], true],
    [[4096 + 100], true],
    [[100, 4096 + 100], false],
  ]) {
    const bytes = Buffer.from(intact)
    for (const offset of offsets) bytes[offset] ^= 1
    writeFileSync(path, bytes)
    if (works) {
      const db = new Database(path, { key })
      assert.equal(db.pragma('page_count', { simple: true }) > 1, true)
      const { problems } = db.check()
      assert.deepEqual(
        problems.map(({ kind, message }) => [kind, message.slice(0, 46)]),
        [['structure', 'one of the two copies of the header is damaged']],
      )
      // A change of the key writes both copies, even if the key stays the same.
      db.rekey({ key })
      db.close()
      assertFilled(path, { key })
    } else refuses(() => new Database(path, { key }), 'STRONGROOM_DAMAGED_HEADER', /restore the file/)
  }
  const newer = Buffer.from(intact)
  for (const copy of [0, 4096]) {
    newer[copy + 17] = 2
    newer.set(sha256(newer.subarray(copy, copy + 4064)), copy + 4064)
  }
  writeFileSync(path, newer)
  refuses(() => new Database(path, { key }), 'STRONGROOM_UNSUPPORTED_FORMAT', /version 2.*update Strongroom/)
  writeFileSync(path, intact)
  truncateSync(path, intact.length - 1)
  refuses(() => new Database(path, { key }), 'STRONGROOM_TRUNCATED')
  truncateSync(path, intact.length - 4096)
  refuses(() => new Database(path, { key }), 'SQLITE_CORRUPT', /damaged or cut off/)
})

test('pageSize applies to new files, and other cipher options are refused', () => {
  const key = randomBytes(32)
  for (const pageSize of [1024, 4096, 65_536]) {
    const path = closed({ key, format: FORMAT, pageSize })
    const db = new Database(path, { key })
    assert.deepEqual([db.pragma('page_size', { simple: true }), count(db)], [pageSize, ROWS])
    db.close()
  }
  const path = closed({ key, format: FORMAT })
  for (const [name, value] of Object.entries({
    cipherCompatibility: 3,
    kdfIter: 5,
    kdfAlgorithm: 'sha1',
    hmacAlgorithm: 'sha1',
    useHmac: false,
    hmacPgno: 'le',
    fastKdfIter: 2,
    hmacSaltMask: 1,
    plaintextHeaderSize: 0,
    salt: Buffer.alloc(16),
  })) {
    const message = new RegExp(`"${name}" (option )?belongs to SQLCipher's format`)
    for (const file of [path, freshPath()])
      assert.throws(() => new Database(file, { key, format: FORMAT, [name]: value }), {
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_VALUE',
        message,
      })
    refuses(() => new Database(path, { key, [name]: value }), 'STRONGROOM_KEY_PARAMETER', message)
  }
  assertFilled(path, { key })
})

test("SQLCipher's pragmas, and ATTACH in SQL, are refused with the name of the call to use", () => {
  const db = filled({ key: randomBytes(32), format: FORMAT })
  for (const [pragma, message] of [
    ["key = 'x'", /pass the key to new Database/],
    ["main.KEY = 'x'", /pass the key to new Database/],
    ["hexkey = '00'", /pass the key to new Database/],
    ["rekey = 'x'", /db\.rekey\(\)/],
    ["hexrekey = '00'", /db\.rekey\(\)/],
    ['cipher_migrate', /Database\.migrate\(\)/],
    ['cipher_page_size = 8192', /PRAGMA page_size/],
    ['cipher_integrity_check', /db\.check\(\)/],
    ['cipher_compatibility = 3', /Database\.migrate\(\)/],
    ['cipher_use_hmac = OFF', /Database\.migrate\(\)/],
    ['cipher_salt = "x\'00\'"', /Database\.migrate\(\)/],
  ])
    refuses(() => db.pragma(pragma), 'STRONGROOM_PRAGMA_REFUSED', message)
  const file = closed()
  for (const sql of [
    `ATTACH '${file}' AS a`,
    `attach database '${file}' as a KEY ''`,
    `ATTACH '${file}' AS a KEY 'x'`,
  ]) {
    refuses(() => db.exec(sql), 'STRONGROOM_ATTACH_REFUSED', /db\.attach\(path, name, \{ key \}\)/)
    refuses(() => db.prepare(sql).run(), 'STRONGROOM_ATTACH_REFUSED')
  }
  db.exec("ATTACH ':memory:' AS scratch; CREATE TABLE scratch.note AS SELECT * FROM main.note")
  assert.equal(count(db, 'scratch.note'), ROWS)
  assert.equal(count(db), ROWS)
})

test('attach() takes files of every format, and a new file gets the key of the main database', () => {
  const key = randomBytes(32)
  const others = [
    [{ key: randomBytes(32), format: FORMAT }, FORMAT],
    [{ passphrase: 'other', kdfIter: 10 }, 'sqlcipher'],
    [{ plain: true }, 'plain'],
  ]
  for (const main of [{ key, format: FORMAT }, { key }, {}]) {
    const db = filled(main)
    for (const [options, format] of others) {
      const { plain, ...secret } = options
      const path = closed(plain ? {} : secret)
      db.attach(path, 'other', options)
      db.exec('INSERT INTO other.note (text) SELECT text FROM main.note LIMIT 1')
      assert.equal(count(db, 'other.note'), ROWS + 1)
      db.exec('DELETE FROM other.note WHERE id > 200')
      db.detach('other')
      assertFilled(path, plain ? {} : secret, format)
    }
    db.close()
  }
  const db = filled({ key, format: FORMAT })
  const [made, sealed] = [freshPath(), closed({ key: randomBytes(32), format: FORMAT })]
  db.attach(made, 'made')
  db.exec('CREATE TABLE made.note AS SELECT * FROM main.note')
  refuses(() => db.attach(sealed, 'sealed'), 'STRONGROOM_WRONG_KEY')
  refuses(() => db.attach(sealed, 'sealed', { plain: true }), 'STRONGROOM_KEY_REQUIRED')
  refuses(() => db.attach(closed(), 'plain'), 'STRONGROOM_OTHER_FORMAT')
  db.close()
  assertFilled(made, { key })
})
