// Tests the commands check, encrypt, decrypt, migrate and backup of the program `strongroom` on files.
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import Database from 'strongroom'
import { strongroom } from './command-line.mjs'
import { folder, freshPath } from './temporary.mjs'

const PASSPHRASE = 'correct horse'
const RAW = Buffer.alloc(32, 0x5f)
const secret = (name, content) => {
  writeFileSync(join(folder, name), content)
  return name
}
const PASSPHRASE_FILE = secret('passphrase', `${PASSPHRASE}\n`)
const KEY_FILE = secret('raw.key', RAW)

/** Makes a database with 500 rows. Returns the name of the file, which is in the folder of the tests. */
function made(options = {}) {
  const path = freshPath()
  const db = new Database(path, options)
  db.exec('CREATE TABLE note (text TEXT); CREATE INDEX by_text ON note (text)')
  const insert = db.prepare('INSERT INTO note VALUES (?)')
  db.transaction(() => {
    for (let row = 0; row < 500; row++) insert.run(`note ${row} ${'x'.repeat(90)}`)
  })()
  db.close()
  return basename(path)
}

/** Opens a file of the folder and returns its format. Fails if the file lacks a row. */
function formatOf(name, options) {
  const db = new Database(join(folder, name), { ...options, fileMustExist: true })
  try {
    assert.equal(db.prepare('SELECT count(*) FROM note').pluck().get(), 500)
    return db.format
  } finally {
    db.close()
  }
}

/** Runs a command that succeeds. Returns its standard output. */
function done(...args) {
  const { status, stdout, stderr } = strongroom(args)
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
  return stdout
}

const withPassphrase = ['--passphrase-file', PASSPHRASE_FILE]

for (const [format, options] of Object.entries({
  plain: {},
  sqlcipher: { passphrase: PASSPHRASE },
  strongroom: { passphrase: PASSPHRASE, format: 'strongroom' },
})) {
  const key = format === 'plain' ? [] : withPassphrase

  test(`check of an undamaged file: ${format}`, () => {
    const name = made(options)
    const text = done('check', name, ...key)
    assert.ok(text.startsWith(`${name}: no damage in `), text)
    assert.equal(text.includes('Each page is authentic.'), format !== 'plain')
    const { pages, ...json } = JSON.parse(done('check', name, ...key, '--json'))
    assert.deepEqual(json, { file: name, format, ok: true, authenticated: format !== 'plain', problems: [] })
    assert.ok(pages > 10, `${pages}`)
    assert.equal(done('check', name, ...key, '--quiet'), '')
  })

  test(`check of a damaged file: ${format}`, () => {
    const name = made(options)
    const file = openSync(join(folder, name), 'r+')
    writeSync(file, Buffer.alloc(64, 0xff), 0, 64, 40_960)
    const { status, stdout, stderr } = strongroom(['check', name, ...key])
    assert.deepEqual({ status, stderr }, { status: 4, stderr: '' })
    assert.match(stdout, /^KIND +PAGE +TABLE +ROWID +FINDING\n(page|structure) +/)
    assert.match(stdout, new RegExp(`\n\n${name}: \\d+ problems?\\. Copy the file`))
    const json = strongroom(['check', name, ...key, '--json'])
    assert.equal(json.status, 4)
    const { ok, problems } = JSON.parse(json.stdout)
    assert.equal(ok, false)
    assert.ok(problems.length > 0)
    // A finding is a result, and --quiet does not hide it.
    assert.equal(strongroom(['check', name, ...key, '--quiet']).stdout, stdout)
  })

  test(`backup keeps the key and the format: ${format}`, () => {
    const name = made(options)
    const target = `${name}.copy`
    assert.match(
      done('backup', name, target, ...key),
      new RegExp(`^${target} is a copy of ${name}: [\\d,]+ bytes\\.\n$`),
    )
    assert.equal(formatOf(target, options), format)
  })
}

test('check of a file that a crashed writer left', () => {
  const name = made({ passphrase: PASSPHRASE })
  const path = join(folder, name)
  const db = new Database(path, { passphrase: PASSPHRASE })
  db.pragma('cache_size = 2')
  db.exec('BEGIN')
  db.exec("UPDATE note SET text = text || 'y'")
  // The copies are the files that a crash would leave.
  copyFileSync(path, `${path}.crashed`)
  copyFileSync(`${path}-journal`, `${path}.crashed-journal`)
  db.exec('ROLLBACK')
  db.close()
  assert.match(done('check', `${name}.crashed`, ...withPassphrase), /no damage/)
  assert.ok(!existsSync(`${path}.crashed-journal`))
})

test('check writes nothing to a file in WAL mode', () => {
  const name = made({ passphrase: PASSPHRASE })
  const path = join(folder, name)
  const db = new Database(path, { passphrase: PASSPHRASE })
  db.pragma('journal_mode = WAL')
  db.exec("INSERT INTO note VALUES ('in the log')")
  const files = [path, `${path}-wal`].map((file) => readFileSync(file))
  done('check', name, ...withPassphrase)
  assert.deepEqual(
    [path, `${path}-wal`].map((file) => readFileSync(file)),
    files,
  )
  db.close()
})

test('findings cannot control the terminal', () => {
  const name = made()
  const db = new Database(join(folder, name))
  db.exec('CREATE TABLE "evil\u001b[2Jname" (ref INTEGER REFERENCES note (rowid))')
  db.exec('CREATE TABLE parent (id INTEGER PRIMARY KEY); CREATE TABLE "bad\u001b[2J" (ref REFERENCES parent)')
  db.pragma('foreign_keys = OFF')
  db.exec('INSERT INTO "bad\u001b[2J" VALUES (7)')
  db.exec('DROP TABLE "evil\u001b[2Jname"')
  db.close()
  const { status, stdout } = strongroom(['check', name])
  assert.equal(status, 4)
  assert.ok(stdout.includes('bad\\x1b[2J') && !stdout.includes('\u001b'), JSON.stringify(stdout))
  assert.match(stdout, /Correct the rows with SQL/)
})

test('the name of a file cannot control the terminal', { skip: process.platform === 'win32' && 'no such name' }, () => {
  const name = 'evil\u001b[2J.db'
  copyFileSync(join(folder, made()), join(folder, name))
  for (const args of [[name], [`${name}.missing`]]) {
    const { stdout, stderr } = strongroom(['check', ...args])
    assert.ok(`${stdout}${stderr}`.includes('evil\\x1b[2J.db'), JSON.stringify(stdout + stderr))
    assert.ok(!`${stdout}${stderr}`.includes('\u001b'), JSON.stringify(stdout + stderr))
  }
})

test('encrypt and decrypt, in both formats', () => {
  const name = made()
  const text = done('encrypt', name, '--new-passphrase-file', PASSPHRASE_FILE)
  assert.match(
    text,
    new RegExp(`^${name} is encrypted in SQLCipher's format: 1 table, 500 rows, \\d+ pages of 4,096 bytes\\.\n$`),
  )
  assert.equal(formatOf(name, { passphrase: PASSPHRASE }), 'sqlcipher')
  assert.match(
    done('decrypt', name, ...withPassphrase, '--keep', `${name}.kept`),
    /is not encrypted any more: .* The original is /,
  )
  assert.equal(formatOf(name), 'plain')
  assert.equal(formatOf(`${name}.kept`, { passphrase: PASSPHRASE }), 'sqlcipher')
  const json = JSON.parse(done('encrypt', name, '--new-key-file', KEY_FILE, '--format', 'strongroom', '--json'))
  const { pages, ...rest } = json
  assert.deepEqual(rest, { file: name, format: 'strongroom', tables: 1, rows: 500, pageSize: 4096 })
  assert.ok(pages > 10)
  assert.equal(formatOf(name, { key: RAW }), 'strongroom')
})

test('migrate keeps the key, and changes the format', () => {
  const name = made({ key: RAW })
  done('migrate', name, '--key-file', KEY_FILE, '--format', 'strongroom')
  assert.equal(formatOf(name, { key: RAW }), 'strongroom')
})

test('migrate changes the key, and keeps the format', () => {
  const name = made({ key: RAW, format: 'strongroom' })
  done('migrate', name, '--key-file', KEY_FILE, '--new-passphrase-file', PASSPHRASE_FILE)
  assert.equal(formatOf(name, { passphrase: PASSPHRASE }), 'strongroom')
})

for (const version of [1, 2, 3]) {
  test(`migrate converts a file of SQLCipher ${version}`, () => {
    const name = made({ passphrase: PASSPHRASE, cipherCompatibility: version })
    const old = [...withPassphrase, '--cipher-compatibility', String(version)]
    assert.match(done('check', name, ...old), version === 1 ? /the file has no HMAC/ : /Each page is authentic/)
    done('migrate', name, ...old)
    assert.equal(formatOf(name, { passphrase: PASSPHRASE }), 'sqlcipher')
  })
}

test('each cipher option reaches the library', () => {
  const cipher = {
    pageSize: 8192,
    kdfIter: 1000,
    kdfAlgorithm: 'sha256',
    hmacAlgorithm: 'sha1',
    hmacPgno: 'be',
    fastKdfIter: 3,
    hmacSaltMask: 0x3b,
    plaintextHeaderSize: 32,
    salt: Buffer.alloc(16, 0xab),
  }
  const options = (prefix) => [
    ...[`--${prefix}page-size`, '8192', `--${prefix}kdf-iter`, '1000', `--${prefix}kdf-algorithm`, 'sha256'],
    ...[`--${prefix}hmac-algorithm`, 'sha1', `--${prefix}hmac-pgno`, 'be', `--${prefix}fast-kdf-iter`, '3'],
    ...[`--${prefix}hmac-salt-mask`, '0x3b', `--${prefix}plaintext-header-size`, '32'],
    ...[`--${prefix}salt`, 'ab'.repeat(16)],
  ]
  const name = made({ passphrase: PASSPHRASE, ...cipher })
  done('check', name, ...withPassphrase, ...options(''))
  done('decrypt', name, ...withPassphrase, ...options(''))
  done('encrypt', name, '--new-passphrase-file', PASSPHRASE_FILE, ...options('new-'))
  assert.equal(formatOf(name, { passphrase: PASSPHRASE, ...cipher }), 'sqlcipher')
  const open = made({ passphrase: PASSPHRASE, useHmac: false })
  assert.match(done('check', open, ...withPassphrase, '--no-hmac'), /the file has no HMAC/)
})

test('migrate needs something to convert', () => {
  const name = made({ passphrase: PASSPHRASE })
  const { status, stderr } = strongroom(['migrate', name, ...withPassphrase])
  assert.equal(status, 2)
  assert.match(stderr, /^strongroom: nothing to convert: give --format, a new key, or --cipher-compatibility /)
})

test('backup with another key, with another format, and plain', () => {
  const name = made({ passphrase: PASSPHRASE })
  done('backup', name, `${name}.raw`, ...withPassphrase, '--new-key-file', KEY_FILE)
  assert.equal(formatOf(`${name}.raw`, { key: RAW }), 'sqlcipher')
  done('backup', name, `${name}.format`, ...withPassphrase, '--format', 'strongroom')
  assert.equal(formatOf(`${name}.format`, { passphrase: PASSPHRASE }), 'strongroom')
  done('backup', name, `${name}.plain`, ...withPassphrase, '--plain')
  assert.equal(formatOf(`${name}.plain`), 'plain')
  const plain = made()
  done('backup', plain, `${plain}.encrypted`, '--new-passphrase-file', PASSPHRASE_FILE)
  assert.equal(formatOf(`${plain}.encrypted`, { passphrase: PASSPHRASE }), 'sqlcipher')
})

test('backup refuses to replace a file, except with --force', () => {
  const [name, target] = [made(), made()]
  const before = readFileSync(join(folder, target))
  const { status, stderr } = strongroom(['backup', name, target])
  assert.equal(status, 1)
  assert.equal(
    stderr,
    `strongroom: "${target}" already exists; name another file, or replace it with --force (STRONGROOM_EXISTS)\n`,
  )
  assert.deepEqual(readFileSync(join(folder, target)), before)
  done('backup', name, target, '--force')
  assert.equal(formatOf(target), 'plain')
})

test('backup copies a database while another connection reads and writes it', () => {
  const name = made({ passphrase: PASSPHRASE })
  const db = new Database(join(folder, name), { passphrase: PASSPHRASE })
  db.pragma('journal_mode = WAL')
  db.exec("BEGIN IMMEDIATE; INSERT INTO note VALUES ('not committed')")
  done('backup', name, `${name}.copy`, ...withPassphrase)
  db.exec('ROLLBACK')
  db.close()
  assert.equal(formatOf(`${name}.copy`, { passphrase: PASSPHRASE }), 'sqlcipher')
})

test('contradictory options of backup are refused', () => {
  const [name, plain] = [made({ passphrase: PASSPHRASE }), made()]
  const refused = (...args) => {
    const { status, stderr } = strongroom(['backup', ...args])
    assert.equal(status, 2)
    return stderr.split('\n')[0]
  }
  const both = refused(name, 'x.db', ...withPassphrase, '--plain', '--new-key-file', KEY_FILE)
  assert.equal(both, 'strongroom: --plain excludes a new key')
  const format = refused(name, 'x.db', ...withPassphrase, '--plain', '--format', 'strongroom')
  assert.equal(format, 'strongroom: --plain excludes the options of an encrypted copy')
  assert.match(refused(plain, 'x.db', '--format', 'strongroom'), /an encrypted copy needs --new-passphrase/)
  assert.ok(!existsSync(join(folder, 'x.db')))
})
