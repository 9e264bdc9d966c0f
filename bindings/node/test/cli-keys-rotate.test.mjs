// Tests `strongroom keys FILE rotate`, and the questions of `strongroom keys` in a terminal.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'strongroom'
import { CODE, keys, made, opens, RAW, RIGHT, refused, slots } from './cli-keys.mjs'
import { inTerminal, noTerminal } from './command-line.mjs'
import { folder } from './temporary.mjs'

test('rotate keeps the slots whose secrets are given, and gives the file a new data key', () => {
  const name = made()
  const code = keys(name, 'add', ...RIGHT, '--new-recovery', '--label', 'paper').stdout
  keys(name, 'add', ...RIGHT, '--new-key-file', 'raw.key')
  keys(name, 'add', ...RIGHT, '--new-passphrase-file', 'other', '--label', 'dropped')
  writeFileSync(join(folder, 'code'), code)
  const before = slots(name)
  const missing = refused(name, 'rotate', ...RIGHT, '--also-key-file', 'raw.key')
  assert.deepEqual([missing.code, missing.exitCode], ['STRONGROOM_SLOT_SECRETS', 1])
  assert.match(missing.advice, /--also-passphrase, --also-recovery or --also-key-file FILE, or .* --drop-others/)
  const others = ['--also-key-file', 'raw.key', '--also-recovery-file', 'code']
  const wrong = refused(name, 'rotate', ...RIGHT, ...others, '--also-passphrase-file', 'wrong', '--drop-others')
  assert.deepEqual([wrong.code, wrong.exitCode], ['STRONGROOM_WRONG_KEY', 3])
  assert.match(wrong.message, /the secret of another slot is wrong: no slot of the header opens with it/)
  assert.deepEqual(slots(name), before)
  const { stdout } = keys(name, 'rotate', ...RIGHT, ...others, '--drop-others', '--keep', `${name}.kept`)
  assert.equal(
    stdout,
    `${name} has a new data key. Dropped ${before[3].id} (passphrase, "dropped"). The original is "${name}.kept".\n`,
  )
  assert.deepEqual(slots(name), before.slice(0, 3))
  assert.ok(opens(name, { key: RAW }) && opens(name, { recovery: code }) && !opens(name, { passphrase: 'other' }))
  assert.ok(opens(`${name}.kept`, { passphrase: 'other' }))
})

test('rotate of a file in use: 5, and the file is unchanged', () => {
  const name = made()
  const db = new Database(join(folder, name), { passphrase: 'right' })
  db.prepare('SELECT * FROM t').get()
  const before = readFileSync(join(folder, name))
  const { code, exitCode, advice } = refused(name, 'rotate', ...RIGHT, '--timeout', '0')
  assert.deepEqual([code, exitCode], ['STRONGROOM_IN_USE', 5])
  assert.match(advice, /End the program that uses the file/)
  assert.ok(before.equals(readFileSync(join(folder, name))))
  db.close()
})

test('in a terminal: a new passphrase beside the old one', { skip: noTerminal }, () => {
  const name = made()
  const { terminal, status, restored } = inTerminal(
    ['keys', name, 'add', '--label', 'night shift'],
    [
      [`Passphrase of ${name}: `, 'right\r'],
      [`New passphrase of ${name}: `, 'tea at noon\r'],
      ['The new passphrase again: ', 'tea at noon\r'],
    ],
  )
  assert.deepEqual({ status, restored }, { status: 0, restored: true }, terminal)
  assert.match(terminal, /has a new key slot: [0-9a-f]{16} \(passphrase, "night shift"\)\.\r\n$/)
  assert.ok(opens(name, { passphrase: 'tea at noon' }) && opens(name, { passphrase: 'right' }))
})

test('in a terminal: a wrong passphrase is refused before the question for a new one', { skip: noTerminal }, () => {
  const name = made()
  const { terminal, status, restored } = inTerminal(['keys', name, 'add'], [[`Passphrase of ${name}: `, 'wrong\r']])
  assert.deepEqual({ status, restored }, { status: 3, restored: true })
  assert.ok(!terminal.includes('New passphrase'), terminal)
})

test('in a terminal: a recovery code is typed without echo, and replaced', { skip: noTerminal }, () => {
  const name = made()
  const code = keys(name, 'add', ...RIGHT, '--new-recovery').stdout.trim()
  const { id } = slots(name)[1]
  const { terminal, stdout, status } = inTerminal(
    ['keys', name, 'change', id.slice(0, 5), '--recovery', '--new-recovery'],
    [[`Recovery code of ${name}: `, `${code.toLowerCase().replaceAll('-', ' ')}\r`]],
    { piped: ['stdout'] },
  )
  assert.equal(status, 0, terminal)
  assert.match(stdout, CODE)
  assert.ok(!terminal.includes(code.slice(0, 4)) && !terminal.includes(stdout.trim()), terminal)
  assert.ok(opens(name, { recovery: stdout.trim() }) && !opens(name, { recovery: code }))
})

test('in a terminal: rotate asks for the secrets of other slots, and Ctrl+C leaves the file unchanged', {
  skip: noTerminal,
}, () => {
  const name = made()
  const code = keys(name, 'add', ...RIGHT, '--new-recovery').stdout.trim()
  keys(name, 'add', ...RIGHT, '--new-passphrase-file', 'other')
  const before = readFileSync(join(folder, name))
  const args = ['keys', name, 'rotate', '--also-passphrase', '--also-recovery']
  const questions = [
    [`Passphrase of ${name}: `, 'right\r'],
    [`Passphrase of another slot of ${name}: `, 'other\r'],
  ]
  const question = `Recovery code of another slot of ${name}: `
  const cancelled = inTerminal(args, [...questions, [question, '\x03']])
  assert.deepEqual([cancelled.status, cancelled.restored], [130, true], cancelled.terminal)
  assert.ok(before.equals(readFileSync(join(folder, name))))
  const { status, terminal } = inTerminal(args, [...questions, [question, `${code}\r`]])
  assert.equal(status, 0, terminal)
  assert.match(terminal, /has a new data key\.\r\n$/)
  assert.equal(slots(name).length, 3)
})

test('in a terminal: Ctrl+C cancels a running rotation, and the file is unchanged', { skip: noTerminal }, () => {
  const name = made()
  const db = new Database(join(folder, name), { passphrase: 'right' })
  db.exec(
    'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO t SELECT randomblob(3000) FROM n',
  )
  db.close()
  const before = readFileSync(join(folder, name))
  const { status, terminal } = inTerminal(['keys', name, 'rotate', ...RIGHT], [[' %', '\x03', { stop: true }]])
  assert.equal(status, 130, terminal)
  assert.ok(terminal.endsWith(`strongroom: cancelled; "${name}" is unchanged\r\n`), terminal)
  assert.ok(before.equals(readFileSync(join(folder, name))))
  assert.ok(opens(name, { passphrase: 'right' }))
})

test('in a terminal: an ID that the file does not have is refused before a question', { skip: noTerminal }, () => {
  const { terminal, status } = inTerminal(['keys', made(), 'remove', 'nope'], [])
  assert.equal(status, 1)
  assert.match(terminal, /^strongroom: "nope" is not the id of a key slot/)
})

test('the slot that opened the file can be removed', () => {
  const name = made()
  keys(name, 'add', ...RIGHT, '--new-key-file', 'raw.key')
  const { stdout } = keys(name, 'remove', slots(name)[0].id, ...RIGHT)
  assert.match(stdout, /\(passphrase\)\. The file has 1 key slot\.\n$/)
  assert.deepEqual([opens(name, { passphrase: 'right' }), opens(name, { key: RAW })], [false, true])
})
