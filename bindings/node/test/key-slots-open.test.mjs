// Opening a file with a recovery code, and with the id of a key slot.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { inspect } from 'node:util'
import Database from 'strongroom'
import { assertFilled, closed, count, filled, formatOf, ROWS, refuses, rejects } from './strongroom-files.mjs'
import { freshPath } from './temporary.mjs'

const format = 'strongroom'
const UNKNOWN = '0123456789abcdef'

/** Creates a file with a raw key, a passphrase and a recovery code. */
function withSlots() {
  const key = randomBytes(32)
  const db = filled({ key, format })
  const { id: passphraseId } = db.keys.add({ passphrase: 'grüße', label: 'person' })
  const { id: recoveryId, code } = db.keys.add({ recovery: true, label: 'paper' })
  const [{ id: keyId }] = db.keys.list()
  db.close()
  return { path: db.name, key, code, keyId, passphraseId, recoveryId }
}

/** Returns the code with another character at an index. */
const mistyped = (code, index) => {
  const other = code[index] === 'Q' ? 'P' : 'Q'
  return `${code.slice(0, index)}${other}${code.slice(index + 1)}`
}

test('a recovery code opens the file, however a person types it', () => {
  const { path, code, recoveryId } = withSlots()
  const spaced = code.replaceAll('-', ' ')
  for (const typed of [
    code,
    code.toLowerCase(),
    code.replaceAll('-', ''),
    ` ${spaced}\n`,
    [...spaced].join(' '),
    code.replaceAll('0', 'O').replaceAll('L', '1'),
    code.toLowerCase().replaceAll('0', 'o').replaceAll('l', 'i'),
    code.replaceAll('-', '\u2013'),
    Buffer.from(code),
    new Uint8Array(Buffer.from(code.toLowerCase())),
  ]) {
    const db = new Database(path, { recovery: typed, readonly: true, fileMustExist: true })
    const current = db.keys.list().find(({ current }) => current)
    assert.deepEqual([current.id, current.kind, count(db)], [recoveryId, 'recovery', ROWS])
    db.close()
  }
  assertFilled(path, { recovery: code, format })
})

test('a typing error in a recovery code is told from the code of another file', () => {
  const { path, code } = withSlots()
  const other = withSlots()
  const typing = 'STRONGROOM_RECOVERY_CODE'
  for (const [typed, message] of [
    ...Array.from(code, (character, index) => [mistyped(code, index), character])
      .filter(([, character]) => character !== '-')
      .map(([typed]) => [typed, /typing error: the check characters do not match/]),
    [`${code[1]}${code[0]}${code.slice(2)}`, code[0] === code[1] ? undefined : /check characters/],
    [code.slice(0, -1), /31 of 32 characters/],
    [code.slice(5), /28 of 32 characters/],
    [`${code}Q`, /33 of 32 characters/],
    [code.replace(/(.{12})./, '$1B'), /'B' is not a character of a code \(character 11, in group 3\)/],
    [code.replace(/^./, 'ä'), /'ä' is not a character of a code \(character 1, in group 1\)/],
    [code.replace(/.$/, '\0'), /character 32, in group 8/],
    ['correct horse battery staple', /typing error/],
    [' - ', /0 of 32 characters/],
  ]) {
    if (message === undefined) continue
    assert.throws(
      () => new Database(path, { recovery: typed }),
      (error) => {
        assert.deepEqual([error.name, error.code], ['SqliteError', typing], inspect(error))
        assert.match(error.message, message)
        // No message repeats what belongs to a code.
        for (const group of code.split('-')) assert.equal(error.message.toUpperCase().includes(group), false, group)
        return true
      },
    )
  }
  refuses(() => new Database(path, { recovery: other.code }), 'STRONGROOM_WRONG_KEY')
})

test('recovery and slot are refused where no slot can be opened, and no file is created', async () => {
  const { code, keyId } = withSlots()
  const key = randomBytes(32)
  const files = { plain: closed(), sqlcipher: closed({ key }) }
  const before = Object.values(files).map((path) => readFileSync(path))
  const [fresh, empty] = [freshPath(), freshPath()]
  writeFileSync(empty, '')
  for (const [options, expected] of [
    [{ recovery: code }, 'STRONGROOM_KEY_RECOVERY'],
    [{ recovery: code, format }, 'STRONGROOM_KEY_RECOVERY'],
    [{ key, slot: keyId }, 'STRONGROOM_KEY_SLOT'],
    [{ passphrase: 'p', slot: keyId, format }, 'STRONGROOM_KEY_SLOT'],
  ]) {
    refuses(() => new Database(fresh, options), 'SQLITE_CANTOPEN', /does not exist/)
    refuses(() => new Database(fresh, { ...options, fileMustExist: false }), 'SQLITE_CANTOPEN')
    assert.equal(existsSync(fresh), false)
    const message = options.recovery ? /recovery code/ : new RegExp(keyId)
    for (const target of [empty, ':memory:']) refuses(() => new Database(target, options), expected, message)
    const code = options.format === format ? 'STRONGROOM_OTHER_FORMAT' : expected
    for (const path of Object.values(files)) refuses(() => new Database(path, options), code)
  }
  assert.equal(readFileSync(empty).length, 0)
  const db = filled({ key, format })
  for (const [call, message] of [
    [() => db.rekey({ recovery: code }), /cannot encrypt one.*db\.keys\.add\(\{ recovery: true \}\)/],
    [() => db.rekey({ key, slot: keyId }), /leave the option out for a new key/],
    [() => db.serialize({ recovery: code }), /cannot encrypt one/],
  ])
    assert.throws(call, { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE', message })
  for (const [call, message] of [
    [() => db.backup(fresh, { recovery: code }), /cannot encrypt one/],
    [() => Database.encrypt(files.plain, { recovery: code }), /cannot encrypt one/],
    [() => Database.encrypt(files.plain, { key, slot: keyId }), /leave the option out/],
    [() => Database.migrate(files.plain, { from: { plain: true }, to: { recovery: code } }), /cannot encrypt one/],
  ])
    await assert.rejects(call, { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE', message })
  db.close()
  assert.equal(existsSync(fresh), false)
  assert.deepEqual(
    Object.values(files).map((path) => readFileSync(path)),
    before,
  )
})

test('recovery and slot have types, and exclude other options', () => {
  const { path, key, code, keyId } = withSlots()
  for (const [options, type, message] of [
    [{ recovery: undefined }, TypeError, /"recovery" option is undefined/],
    [{ recovery: null }, TypeError, /"recovery" option is null/],
    [{ recovery: true }, TypeError, /"recovery" option to be a string or a Buffer/],
    [{ recovery: '' }, RangeError, /empty/],
    [{ recovery: Buffer.alloc(0) }, RangeError, /empty/],
    [{ recovery: '\ud800' }, TypeError, /surrogate/],
    [{ recovery: Buffer.from([0xff, 0xfe]) }, TypeError, /UTF-8/],
    [{ recovery: code, key }, TypeError, /"key" and "recovery" cannot be combined/],
    [{ recovery: code, passphrase: 'p' }, TypeError, /"passphrase" and "recovery" cannot be combined/],
    [{ recovery: code, format: 'sqlcipher' }, TypeError, /"format" is "sqlcipher"/],
    [{ recovery: code, kdfIter: 5 }, TypeError, /"kdfIter" is given/],
    [{ recoveryCode: code }, TypeError, /"recoveryCode" does not exist/],
    [{ recover: code }, TypeError, /use "recovery"/],
    [{ options: { recovery: code } }, TypeError, /holds a key/],
    [{ slot: keyId }, TypeError, /"slot" option is for a file with a key/],
    [{ key, slot: 5 }, TypeError, /"slot" option to be a string/],
    [{ key, slot: 'nothing' }, TypeError, /"slot" option must be the id of a key slot, 16 hexadecimal digits/],
    [{ key, slot: `${keyId}0` }, TypeError, /16 hexadecimal digits/],
    [{ key, slot: keyId, format: 'sqlcipher' }, TypeError, /"format" is "sqlcipher"/],
    [{ key, slot: keyId, useHmac: true }, TypeError, /"useHmac" is given/],
  ])
    assert.throws(
      () => new Database(path, options),
      (error) => {
        assert.ok(error instanceof type, inspect(error))
        assert.match(error.message, message)
        assert.equal(inspect(error, { showHidden: true, depth: 9 }).includes(code), false)
        return true
      },
    )
  assertFilled(path, { key, slot: undefined })
  assertFilled(path, { key, slot: null })
})

test('slot tries the secret on one slot', () => {
  const { path, key, code, keyId, passphraseId, recoveryId } = withSlots()
  const [passphrase, recovery] = ['grüße', code]
  for (const options of [
    { key, slot: keyId },
    { passphrase, slot: passphraseId.toUpperCase() },
    { recovery, slot: recoveryId },
  ])
    assertFilled(path, options)
  const unknown = 'STRONGROOM_UNKNOWN_SLOT'
  for (const [options, code, message] of [
    [{ key, slot: UNKNOWN }, unknown, new RegExp(`${UNKNOWN}.*${keyId}.*${passphraseId}.*${recoveryId}`)],
    [{ passphrase, slot: keyId }, unknown, /a raw key/],
    [{ key, slot: passphraseId }, unknown, /a passphrase/],
    [{ passphrase, slot: recoveryId }, unknown, /a recovery code/],
    [{ key: randomBytes(32), slot: keyId }, 'STRONGROOM_WRONG_KEY'],
    [{ passphrase: 'wrong', slot: passphraseId }, 'STRONGROOM_WRONG_KEY'],
  ])
    refuses(() => new Database(path, options), code, message)
})

test('attach() takes recovery and slot', () => {
  const { path, key, code, keyId, recoveryId } = withSlots()
  for (const main of [{}, { key: randomBytes(32) }, { key: randomBytes(32), format }]) {
    const db = new Database(freshPath(), main)
    for (const options of [{ recovery: code }, { recovery: code, slot: recoveryId }, { key, slot: keyId }]) {
      db.attach(path, 'other', options)
      assert.equal(count(db, 'other.note'), ROWS)
      const current = db.keys.list({ attached: 'other' }).find(({ current }) => current)
      assert.equal(current.id, options.recovery ? recoveryId : keyId)
      db.detach('other')
    }
    refuses(() => db.attach(path, 'other', { recovery: mistyped(code, 0) }), 'STRONGROOM_RECOVERY_CODE')
    refuses(() => db.attach(path, 'other', { key, slot: UNKNOWN }), 'STRONGROOM_UNKNOWN_SLOT')
    refuses(() => db.attach(freshPath(), 'other', { recovery: code }), 'SQLITE_CANTOPEN', /does not exist/)
    refuses(() => db.attach(':memory:', 'other', { recovery: code }), 'STRONGROOM_KEY_RECOVERY')
    assert.throws(() => db.attach(path, 'other', { recovery: code, plain: true }), {
      name: 'TypeError',
      message: /plain/,
    })
    assert.throws(() => db.attach(path, 'other', { slot: keyId }), { name: 'TypeError', message: /"slot"/ })
    db.close()
  }
})

test('decrypt and migrate take recovery and slot in "from"', async () => {
  const { path, code, recoveryId, key, keyId } = withSlots()
  const wrong = mistyped(code, 6)
  await rejects(Database.decrypt(path, { from: { recovery: wrong } }), 'STRONGROOM_RECOVERY_CODE', /typing error/)
  await rejects(Database.decrypt(path, { from: { key, slot: UNKNOWN } }), 'STRONGROOM_UNKNOWN_SLOT')
  await rejects(Database.decrypt(path, { from: { recovery: withSlots().code } }), 'STRONGROOM_WRONG_KEY')
  const from = { recovery: code, slot: recoveryId }
  await assert.rejects(Database.migrate(path, { from: { plain: true, recovery: code }, to: { key } }), /exactly one/)
  await Database.migrate(path, { from, to: { key, pageSize: 8192 } })
  assertFilled(path, { key })
  const db = new Database(path, { key })
  assert.deepEqual(
    db.keys.list().map(({ kind }) => kind),
    ['key'],
  )
  assert.notEqual(db.keys.list()[0].id, keyId)
  const again = db.keys.add({ recovery: true })
  db.close()
  await Database.decrypt(path, { from: { recovery: again.code } })
  assert.equal(formatOf(path), 'plain')
})

test('a backup and an image keep the slots, and a file with a key of its own has one slot', async () => {
  const { path, code, key, passphraseId, recoveryId } = withSlots()
  const secrets = [{ key }, { passphrase: 'grüße', slot: passphraseId }, { recovery: code, slot: recoveryId }]
  const removed = { key: randomBytes(32) }
  const db = new Database(path, { recovery: code })
  const { id } = db.keys.add(removed)
  const other = new Database(path, { key })
  other.keys.remove(id)
  other.close()
  const [backup, vacuumed] = [freshPath(), freshPath()]
  await db.backup(backup)
  for (const copy of [readFileSync(path), backup, db.serialize({ encrypted: true })]) {
    for (const secret of secrets) assertFilled(copy, secret)
    refuses(() => new Database(copy, removed), 'STRONGROOM_WRONG_KEY')
    refuses(() => new Database(copy, { recovery: mistyped(code, 2) }), 'STRONGROOM_RECOVERY_CODE')
  }
  db.prepare('VACUUM INTO ?').run(vacuumed)
  const own = { passphrase: 'of the copy' }
  const copied = freshPath()
  await db.backup(copied, own)
  for (const [copy, secret] of [
    [vacuumed, { recovery: code }],
    [copied, own],
  ]) {
    assertFilled(copy, secret)
    refuses(() => new Database(copy, { key }), 'STRONGROOM_WRONG_KEY')
    const again = new Database(copy, secret)
    assert.deepEqual(
      again.keys.list().map(({ current }) => current),
      [true],
    )
    again.close()
  }
  db.close()
})
