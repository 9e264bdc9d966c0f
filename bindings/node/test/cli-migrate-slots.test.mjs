// Tests `strongroom migrate` of a file with several key slots.
//
// The converted file has one slot, and the command once dropped the others without a word: the recovery code in the safe
// no longer opened the file.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { keys, made, opens, RAW, RIGHT, slots } from './cli-keys.mjs'
import { strongroom } from './command-line.mjs'
import { folder } from './temporary.mjs'

/** Makes a file with three slots. Returns its name, its recovery code, and the slots that a conversion drops. */
function several() {
  const name = made()
  const recovery = keys(name, 'add', ...RIGHT, '--new-recovery', '--label', 'in the safe').stdout.trim()
  keys(name, 'add', ...RIGHT, '--new-key-file', 'raw.key')
  return { name, recovery, others: slots(name).slice(1) }
}

const migrate = (name, ...args) => strongroom(['migrate', name, ...RIGHT, ...args])
const TO = ['--format', 'sqlcipher']

test('migrate refuses a file with several slots, names them, and points to rotate', () => {
  const { name, recovery, others } = several()
  const before = readFileSync(join(folder, name))
  const { status, stdout, stderr } = migrate(name, ...TO)
  const [paper, key] = others
  assert.deepEqual([status, stdout], [1, ''])
  assert.equal(
    stderr,
    `strongroom: a conversion of "${name}" drops 2 key slots: ${paper.id} (recovery code, "in the safe"), ` +
      `${key.id} (raw key) (STRONGROOM_OTHER_SLOTS)\n` +
      'Drop the slots with --drop-others. To rewrite the file and keep them, use `strongroom keys FILE rotate`.\n',
  )
  const { code, exitCode } = JSON.parse(migrate(name, ...TO, '--json').stderr).error
  assert.deepEqual([code, exitCode], ['STRONGROOM_OTHER_SLOTS', 1])
  assert.ok(before.equals(readFileSync(join(folder, name))))
  assert.ok(opens(name, { recovery }) && opens(name, { key: RAW }))
})

test('migrate refuses before the question for a new passphrase', () => {
  const { name } = several()
  // Without a terminal, the question is an error with exit code 2.
  assert.equal(migrate(name, '--new-passphrase').status, 1)
})

test('migrate --drop-others drops and lists the slots', () => {
  const { name, others } = several()
  const { stdout, status } = migrate(name, ...TO, '--drop-others', '--keep', `${name}.kept`)
  assert.equal(status, 0)
  const [paper, key] = others
  const list = `${paper.id} (recovery code, "in the safe"), ${key.id} (raw key)`
  assert.ok(stdout.endsWith(` bytes. Dropped ${list}. The original is "${name}.kept".\n`), stdout)
  assert.ok(opens(name, { passphrase: 'right' }))
  assert.deepEqual(slots(`${name}.kept`).slice(1), others)
  const second = several()
  const json = migrate(second.name, '--new-key-file', 'raw.key', '--drop-others', '--json')
  assert.deepEqual(JSON.parse(json.stdout).dropped, second.others)
  assert.equal(slots(second.name, '--key-file', 'raw.key').length, 1)
})

test('the slot that opened the file is not one of those that migrate names', () => {
  const { name, recovery } = several()
  writeFileSync(join(folder, 'code'), recovery)
  const args = ['migrate', name, '--recovery-file', 'code', '--new-key-file', 'raw.key', '--json']
  const { message } = JSON.parse(strongroom(args).stderr).error
  assert.match(message, /drops 2 key slots: \w{16} \(passphrase\), \w{16} \(raw key\)$/)
})

test('a file with one slot needs no option, and its list is empty', () => {
  const { stdout } = migrate(made(), ...TO, '--json')
  assert.deepEqual(JSON.parse(stdout).dropped, [])
  const { stdout: text } = migrate(made(), ...TO, '--drop-others')
  assert.ok(!text.includes('Dropped'), text)
  const sqlcipher = made({ passphrase: 'right' })
  assert.deepEqual(JSON.parse(migrate(sqlcipher, '--format', 'strongroom', '--json').stdout).dropped, [])
})
