// Tests the errors of the program `strongroom`: the message, the advice and the exit code for each kind of failure.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import Database from 'strongroom'
import { program, strongroom } from './command-line.mjs'
import { otherUser } from './loading.mjs'
import { folder, freshPath } from './temporary.mjs'

writeFileSync(join(folder, 'right'), 'right\n')
writeFileSync(join(folder, 'wrong'), 'wrong\n')
const RIGHT = ['--passphrase-file', 'right']
const WRONG = ['--passphrase-file', 'wrong']

function made(options = { passphrase: 'right' }) {
  const path = freshPath()
  const db = new Database(path, options)
  db.exec('CREATE TABLE t (a)')
  db.exec(
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO t SELECT i || 'xxxxxxxxxxxxxxxxxxxxxxxxxxxx' FROM n",
  )
  db.close()
  return basename(path)
}

/** Damages a file. */
function overwrite(name, offset) {
  const file = openSync(join(folder, name), 'r+')
  writeSync(file, 'damage', offset)
  closeSync(file)
}

/** Asserts that a command fails with an exit code, and with lines on standard error that match the patterns. */
function fails(args, expected, ...patterns) {
  const { status, stdout, stderr } = strongroom(args)
  assert.deepEqual({ status, stdout }, { status: expected, stdout: '' }, stderr)
  const lines = stderr.split('\n').slice(0, -1)
  assert.equal(lines.length, patterns.length, stderr)
  for (const [index, pattern] of patterns.entries()) assert.match(lines[index], pattern)
  assert.ok(!/\n {4}at /.test(stderr), stderr)
}

test('a file that does not exist, a folder, and names that mean something else', () => {
  mkdirSync(join(folder, 'a-folder'))
  fails(
    ['check', 'missing.db'],
    1,
    /^strongroom: cannot open "missing.db": the file does not exist; .* \(SQLITE_CANTOPEN\)$/,
  )
  fails(['check', join('no-folder', 'x.db')], 1, /the file does not exist/)
  fails(['encrypt', 'a-folder'], 1, /cannot open "a-folder": this is a folder; name the database file in the folder /)
  fails(['check', ':memory:'], 1, /this name means a database in memory/)
  fails(['check', ' x.db'], 1, /begins or ends with white space/)
})

test('a wrong key: 3, with the advice for the format of the file', () => {
  const sqlcipher = made()
  const advice = /^Check the passphrase or the key file\. A file from SQLCipher 1 to 3 needs --cipher-compatibility, /
  fails(['check', sqlcipher, ...WRONG], 3, /the key is wrong, or .* \(STRONGROOM_WRONG_KEY\)$/, advice)
  fails(['decrypt', sqlcipher, ...WRONG], 3, /STRONGROOM_WRONG_KEY/, advice)
  fails(['backup', sqlcipher, 'x.db', ...WRONG], 3, /STRONGROOM_WRONG_KEY/, advice)
  fails(
    ['check', made({ passphrase: 'right', format: 'strongroom' }), ...WRONG],
    3,
    /no slot of the header opens with the key/,
  )
})

test('a plain file that should be encrypted, and the reverse', () => {
  const plain = made({})
  const encrypted = made()
  const advice = /^A plain file needs no key; `strongroom encrypt FILE` encrypts it\.$/
  fails(
    ['decrypt', plain],
    1,
    new RegExp(`^strongroom: "${plain}" is not encrypted \\(STRONGROOM_NOT_ENCRYPTED\\)$`),
    advice,
  )
  fails(['migrate', plain, '--format', 'strongroom'], 1, /is not encrypted/, advice)
  fails(
    ['migrate', plain, '--format', 'strongroom', ...RIGHT],
    1,
    /the file is not encrypted, but a current key was given/,
    advice,
  )
  fails(
    ['encrypt', encrypted],
    1,
    /is encrypted, or is not a database \(STRONGROOM_ENCRYPTED\)$/,
    /`strongroom migrate FILE`/,
  )
  writeFileSync(join(folder, 'empty.db'), '')
  fails(['decrypt', 'empty.db'], 1, /"empty.db" holds no database: /, /Is this the right file\?/)
})

test('a file in use: 5', () => {
  const name = made()
  const db = new Database(join(folder, name), { passphrase: 'right' })
  db.exec('BEGIN IMMEDIATE; DELETE FROM t')
  const advice = /^End the program that uses the file, or wait longer with --timeout SECONDS\.$/
  fails(
    ['decrypt', name, ...RIGHT, '--timeout', '0'],
    5,
    /another connection has the file open; .* \(STRONGROOM_IN_USE\)$/,
    advice,
  )
  db.exec('ROLLBACK; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  fails(['check', name, ...RIGHT, '--timeout', '0'], 5, /\(SQLITE_BUSY\)$/, advice)
  db.close()
})

test('a damaged file: 4', () => {
  const advice = /^Copy the file for an investigation, and restore a backup\.$/
  const name = made({ passphrase: 'right', format: 'strongroom' })
  overwrite(name, 20_000)
  fails(['decrypt', name, ...RIGHT], 4, /a page of the encrypted database fails its authentication/, advice)
  fails(['backup', name, 'x.db', ...RIGHT], 4, /a page of the encrypted database fails its authentication/, advice)
  overwrite(name, 30)
  overwrite(name, 4126)
  fails(['check', name, ...RIGHT], 4, /neither copy of the header is whole.*\(STRONGROOM_DAMAGED_HEADER\)$/, advice)
  const cut = made({ passphrase: 'right', format: 'strongroom' })
  truncateSync(join(folder, cut), 18_000)
  fails(['check', cut, ...RIGHT], 4, /the file is damaged or cut off/, advice)
})

test('a damaged copy of a header is named with the command that repairs it', () => {
  const name = made({ passphrase: 'right', format: 'strongroom' })
  overwrite(name, 30)
  const { status, stdout } = strongroom(['check', name, ...RIGHT])
  assert.equal(status, 4)
  assert.match(
    stdout,
    /one of the two copies of the header is damaged: .*`strongroom keys FILE change ID --label TEXT`/,
  )
  assert.ok(!stdout.includes('migrate'), stdout)
  // The command repairs the header.
  const [{ id }] = JSON.parse(strongroom(['keys', name, ...RIGHT, '--json']).stdout).slots
  assert.equal(strongroom(['keys', name, 'change', id, '--label', 'x', ...RIGHT]).status, 0)
  assert.equal(strongroom(['check', name, ...RIGHT]).status, 0)
})

test('a path that --keep or a backup cannot use', () => {
  const name = made()
  fails(
    ['decrypt', name, ...RIGHT, '--keep', name],
    1,
    /the path exists; name a path that does not exist \(STRONGROOM_EXISTS\)$/,
  )
  fails(['decrypt', name, ...RIGHT, '--keep', 'x-wal'], 1, /\(STRONGROOM_RESERVED_NAME\)$/)
  fails(['backup', name, name, '--force', ...RIGHT], 1, /\(STRONGROOM_TARGET_IS_SOURCE\)$/)
  fails(['backup', name, join('no-folder', 'x.db'), ...RIGHT], 1, /the folder .* does not exist; create it first/)
})

test('an option that the format of the file does not have is named as on the command line', () => {
  const name = made({ passphrase: 'right', format: 'strongroom' })
  fails(['check', name, ...RIGHT, '--kdf-iter', '4'], 1, /the option --kdf-iter belongs to SQLCipher's format/)
})

test('files and folders without permission', { skip: otherUser.skip }, () => {
  const name = made()
  const inside = join(folder, 'read-only')
  mkdirSync(inside)
  writeFileSync(join(inside, name), readFileSync(join(folder, name)))
  chmodSync(folder, 0o755)
  chmodSync(join(inside, name), 0o444)
  chmodSync(inside, 0o555)
  const run = (...args) => {
    const { node, spawn } = otherUser
    const key = ['--passphrase-file', join(folder, 'right')]
    const line = [program, ...args, ...key]
    const { status, stdout, stderr } = spawnSync(node, line, { encoding: 'utf8', ...spawn })
    return { status, text: `${stdout}${stderr}` }
  }
  const path = join(inside, name)
  assert.match(run('check', path).text, /no damage/)
  assert.match(run('backup', path, join(inside, 'x.db')).text, /Permission denied .*\(SQLITE_PERM\)/)
  const decrypt = run('decrypt', path)
  assert.equal(decrypt.status, 1)
  assert.match(decrypt.text, /the file is read-only; make it writable first \(SQLITE_READONLY\)/)
  chmodSync(join(inside, name), 0o000)
  assert.match(run('check', path).text, /this user may not read the file; ask its owner \(SQLITE_CANTOPEN\)/)
})

test('the stack is shown with --debug and with STRONGROOM_DEBUG=1 only', () => {
  const name = made()
  const stack = /\nSqliteError: cannot open .*\n {4}at /
  const args = ['check', name, ...WRONG]
  assert.doesNotMatch(strongroom(args).stderr, / at /)
  assert.match(strongroom([...args, '--debug']).stderr, stack)
  assert.match(strongroom(args, { env: { STRONGROOM_DEBUG: '1' } }).stderr, stack)
})

test('an error is one JSON object on standard error with --json', () => {
  const name = made()
  const { status, stdout, stderr } = strongroom(['check', name, ...WRONG, '--json'])
  assert.deepEqual({ status, stdout }, { status: 3, stdout: '' })
  const { error } = JSON.parse(stderr)
  assert.equal(error.code, 'STRONGROOM_WRONG_KEY')
  assert.equal(error.exitCode, 3)
  assert.match(error.message, /^cannot open /)
  assert.match(error.advice, /--cipher-compatibility/)
  assert.ok(!('stack' in error))
})

test('an addon that does not load is explained', () => {
  const { status, stderr } = strongroom(['check', made({})], { env: { STRONGROOM_LIBRARY: '/missing.node' } })
  assert.equal(status, 1)
  assert.match(
    stderr,
    /could not load its addon .*\n.*\/missing\.node: the file does not exist\n.*\(STRONGROOM_ADDON\)\n$/s,
  )
})

test('a reader that ends early, such as head, is not an error', {
  skip: process.platform === 'win32' && 'no head',
}, () => {
  const line = `"${process.execPath}" "${program}" --help | head -n 1; echo "\${PIPESTATUS[0]}"`
  const { stdout, stderr } = spawnSync('bash', ['-c', line], { encoding: 'utf8' })
  assert.deepEqual({ stdout, stderr }, { stdout: 'Usage: strongroom COMMAND FILE [options]\n0\n', stderr: '' })
})
