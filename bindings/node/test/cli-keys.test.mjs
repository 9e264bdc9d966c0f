// Tests the commands `strongroom keys FILE …`, which list and change the key slots of a file.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import Database from 'strongroom'
import { CODE, keys, made, opens, RAW, RIGHT, refused, slots } from './cli-keys.mjs'
import { program, strongroom } from './command-line.mjs'
import { folder } from './temporary.mjs'

test('the list is a table, and JSON with --json', () => {
  const name = made()
  keys(name, 'add', ...RIGHT, '--new-key-file', 'raw.key', '--label', 'serveur é')
  const { stdout } = keys(name, ...RIGHT)
  const [first, second] = slots(name)
  const time = (slot) => slot.created.slice(0, 16).replace('T', ' ')
  assert.equal(
    stdout,
    'ID                KIND        CREATED (UTC)     OPENED IT  LABEL\n' +
      `${first.id}  passphrase  ${time(first)}  yes\n` +
      `${second.id}  raw key     ${time(second)}             serveur é\n`,
  )
  assert.equal(keys(name, 'list', ...RIGHT).stdout, stdout)
  const { id, created, ...rest } = second
  assert.deepEqual(rest, { kind: 'key', label: 'serveur é', current: false })
  assert.match(id, /^[0-9a-f]{16}$/)
  assert.deepEqual(slots(name, '--key-file', 'raw.key')[1].current, true)
})

test('a recovery code is alone on standard output, and opens the file', () => {
  const name = made()
  const { stdout, stderr } = keys(name, 'add', ...RIGHT, '--new-recovery', '--label', 'on paper')
  assert.match(stdout, CODE)
  assert.match(
    stderr,
    new RegExp(`^${name} has a new key slot: [0-9a-f]{16} \\(recovery code, "on paper"\\)\\. The recovery code:\n`),
  )
  assert.match(stderr, /\nWrite the code down now, and keep it apart from the file: /)
  assert.ok(!stderr.includes(stdout.trim()))
  writeFileSync(join(folder, 'code'), stdout.toLowerCase())
  assert.equal(slots(name, '--recovery-file', 'code').find(({ current }) => current).label, 'on paper')
  const quiet = strongroom(['keys', name, 'add', ...RIGHT, '--new-recovery', '--quiet'])
  assert.match(quiet.stdout, CODE)
  assert.equal(quiet.stderr, '')
})

test('with --json, the recovery code is in the object', () => {
  const { stdout, stderr } = keys(made(), 'add', ...RIGHT, '--new-recovery', '--json')
  const { file, id, created, code, ...rest } = JSON.parse(stdout)
  assert.match(`${code}\n`, CODE)
  assert.deepEqual(rest, { kind: 'recovery', label: null, current: false })
  assert.equal(stderr, '')
})

test('a wrong recovery code and a typing error end with 3, and differ', () => {
  const name = made()
  const code = keys(made(), 'add', ...RIGHT, '--new-recovery').stdout
  writeFileSync(join(folder, 'foreign'), code)
  const foreign = refused(name, '--recovery-file', 'foreign')
  assert.deepEqual([foreign.code, foreign.exitCode], ['STRONGROOM_WRONG_KEY', 3])
  writeFileSync(join(folder, 'typo'), (code[0] === 'Q' ? 'P' : 'Q') + code.slice(1))
  const typo = refused(name, '--recovery-file', 'typo')
  assert.deepEqual([typo.code, typo.exitCode], ['STRONGROOM_RECOVERY_CODE', 3])
  assert.match(typo.message, /typing error/)
  writeFileSync(join(folder, 'nothing'), '')
  assert.match(
    refused(name, '--recovery-file', 'nothing').message,
    /is empty; it must have the recovery code, 32 letters and digits/,
  )
})

test('a slot is added, changed and removed by the beginning of its ID', () => {
  const name = made()
  const added = JSON.parse(keys(name, 'add', ...RIGHT, '--new-passphrase-file', 'other', '--json').stdout)
  const short = added.id.slice(0, 6).toUpperCase()
  assert.ok(opens(name, { passphrase: 'other' }))
  assert.match(
    keys(name, 'change', short, ...RIGHT, '--label', 'tea').stdout,
    /^Changed a key slot .* \(passphrase, "tea"\)\.\n$/,
  )
  assert.ok(opens(name, { passphrase: 'other' }))
  const rekeyed = keys(name, 'change', short, ...RIGHT, '--new-key-file', 'raw.key')
  assert.match(rekeyed.stdout, /\(raw key, "tea"\)/)
  assert.match(rekeyed.stderr, /`strongroom keys FILE rotate` ends this/)
  assert.deepEqual([opens(name, { passphrase: 'other' }), opens(name, { key: RAW })], [false, true])
  keys(name, 'change', short, ...RIGHT, '--no-label')
  assert.equal(slots(name)[1].label, null)
  const removed = keys(name, 'remove', short, ...RIGHT)
  assert.match(
    removed.stdout,
    new RegExp(`^Removed a key slot of ${name}: ${added.id} \\(raw key\\)\\. The file has 1 key slot\\.\n$`),
  )
  assert.ok(!opens(name, { key: RAW }))
})

test('an ID that is too short, unknown or ambiguous is refused', () => {
  const name = made()
  const [{ id }] = slots(name)
  for (const [given, message] of [
    [id.slice(0, 3), /give the 4 to 16 first digits of an id/],
    ['zzzz', /"zzzz" is not the id of a key slot/],
    [`${id}0`, /is not the id of a key slot/],
    [id[0] === '0' ? '1111' : '0000', new RegExp(`no key slot begins with "\\d{4}"; the slots are ${id}`)],
  ]) {
    const { code, message: text, exitCode } = refused(name, 'remove', given, ...RIGHT)
    assert.deepEqual([code, exitCode], ['STRONGROOM_UNKNOWN_SLOT', 1])
    assert.match(text, message)
  }
})

test('--slot tries one slot', () => {
  const name = made()
  const added = JSON.parse(keys(name, 'add', ...RIGHT, '--new-passphrase-file', 'other', '--json').stdout)
  const other = ['--passphrase-file', 'other', '--slot']
  assert.equal(slots(name, ...other, added.id.slice(0, 8))[1].current, true)
  const [first] = slots(name)
  assert.equal(refused(name, 'list', ...other, first.id).code, 'STRONGROOM_WRONG_KEY')
  const kind = refused(name, 'list', '--key-file', 'raw.key', '--slot', first.id)
  assert.equal(kind.code, 'STRONGROOM_UNKNOWN_SLOT')
  const plain = strongroom(['check', made({}), '--slot', first.id])
  assert.equal(plain.status, 2)
  assert.match(plain.stderr, /--slot: ".*" has no key slots/)
  assert.equal(strongroom(['check', name, ...other, added.id]).status, 0)
})

test('the limits of the slots', () => {
  const name = made()
  const [{ id }] = slots(name)
  const last = refused(name, 'remove', id, ...RIGHT)
  assert.deepEqual([last.code, last.exitCode], ['STRONGROOM_LAST_SLOT', 1])
  assert.match(last.advice, /Add another slot first/)
  const long = refused(name, 'add', ...RIGHT, '--new-recovery', '--label', 'x'.repeat(95))
  assert.equal(long.code, 'STRONGROOM_SLOT_LABEL')
  for (let count = 1; count < 8; count++) keys(name, 'add', ...RIGHT, '--new-recovery')
  assert.equal(refused(name, 'add', ...RIGHT, '--new-recovery').code, 'STRONGROOM_SLOTS_FULL')
})

test('files without key slots are refused before a question', () => {
  const plain = refused(made({}))
  assert.deepEqual([plain.code, plain.exitCode], ['STRONGROOM_NO_SLOTS', 1])
  assert.match(plain.message, /is not encrypted: .*`strongroom encrypt FILE --format strongroom`/)
  const sqlcipher = refused(made({ passphrase: 'right' }))
  assert.match(sqlcipher.message, /SQLCipher's format, .*`strongroom migrate FILE --format strongroom`/)
})

test('mistakes in the order of the words are explained', () => {
  const mistake = (...args) => {
    const { status, stderr } = strongroom(['keys', ...args])
    assert.equal(status, 2)
    return stderr.split('\n')[0]
  }
  assert.equal(mistake('add', 'x.db'), 'strongroom: the file comes first: strongroom keys FILE add')
  assert.equal(
    mistake('x.db', 'delete'),
    'strongroom: "delete" is not a command of `keys`; the commands are list, add, remove, change, rotate',
  )
  assert.equal(mistake('x.db', 'rotat'), 'strongroom: "rotat" is not a command of `keys`; did you mean "rotate"?')
  assert.match(mistake('x.db', '--quiet', 'delete'), /"delete" is not a command of `keys`/)
  // The word after a mistaken option may be a secret, which a log would keep.
  for (const [option, message] of [
    ['--passphrase', '--passphrase takes no value: strongroom asks for the secret'],
    ['--password', 'keys list has no option --password'],
    ['--pasphrase-file', 'keys list has no option --pasphrase-file; did you mean --passphrase-file?'],
  ]) {
    const text = mistake('x.db', option, 'hunter2')
    assert.ok(text.startsWith(`strongroom: ${message}`) && !text.includes('hunter2'), text)
  }
  assert.equal(mistake('x.db', 'remove'), 'strongroom: ID is missing: strongroom keys FILE remove ID [options]')
  assert.equal(mistake(), 'strongroom: FILE is missing: strongroom keys FILE list [options]')
  assert.equal(mistake('x.db', 'list', '--label', 'x'), 'strongroom: keys list has no option --label')
  assert.match(mistake('x.db', 'add', '--new-recovery', 'ABCD'), /^strongroom: --new-recovery takes no value/)
  assert.equal(
    mistake('x.db', 'change', 'abcd', '--label', 'x', '--no-label'),
    'strongroom: --no-label excludes --label',
  )
  const both = mistake('x.db', 'add', '--new-recovery', '--new-key-file', 'k')
  assert.match(both, /--new-key-file and --new-recovery cannot be combined/)
})

test('the help of keys and of each command has examples, in 80 columns', () => {
  const help = (...args) => {
    const { status, stdout } = strongroom(args)
    assert.equal(status, 0)
    assert.match(stdout, /\nExamples:\n {2}# /)
    const long = stdout.split('\n').filter((line) => line.length > 80 && !line.startsWith('  strongroom '))
    assert.deepEqual(long, [])
    return stdout
  }
  const general = help('keys', '--help')
  assert.equal(help('help', 'keys'), general)
  for (const [name, usage] of Object.entries({
    list: 'list',
    add: 'add',
    remove: 'remove ID',
    change: 'change ID',
    rotate: 'rotate',
  })) {
    assert.ok(general.includes(`\n  keys FILE ${usage} `), name)
    const text = help('keys', 'x.db', name, '--help')
    assert.ok(text.startsWith(`Usage: strongroom keys FILE ${usage} [options]\n`), text)
    assert.equal(help('help', 'keys', name), text)
  }
})

test('the slots change while another connection is in a transaction', () => {
  const name = made()
  const db = new Database(join(folder, name), { passphrase: 'right' })
  db.exec("BEGIN IMMEDIATE; INSERT INTO t VALUES ('later')")
  assert.match(keys(name, 'add', ...RIGHT, '--new-recovery').stdout, CODE)
  db.exec('COMMIT')
  db.close()
})

test('the list shows a slot whose label cannot be read', () => {
  const name = made()
  const [{ id }] = slots(name)
  writeFileSync(
    join(folder, 'no-label.cjs'),
    `const { addon } = require(${JSON.stringify(join(dirname(program), '../load/loader.js'))})
    const { prototype } = addon().NativeDatabase
    const { keySlots } = prototype
    prototype.keySlots = function (schema) {
      return keySlots.call(this, schema).map(({ id, kind, current }) => ({ id, kind, current }))
    }`,
  )
  const env = { NODE_OPTIONS: `--require "${join(folder, 'no-label.cjs')}"` }
  const { stdout } = strongroom(['keys', name, ...RIGHT], { env })
  assert.equal(stdout.split('\n')[1], `${id}  passphrase  unknown        yes`)
  const json = JSON.parse(strongroom(['keys', name, ...RIGHT, '--json'], { env }).stdout)
  assert.deepEqual(json.slots, [{ id, kind: 'passphrase', label: null, created: null, current: true }])
})
