// Recovery codes that a program generates before it gives them a slot.
//
// `add()` and `change()` once generated the code while they wrote the slot. An error of the second copy of the header
// then left a slot in effect whose code nobody had.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { inspect } from 'node:util'
import Database, { SqliteError } from 'strongroom'
import { assertFilled, filled, refuses } from './strongroom-files.mjs'

const require = createRequire(import.meta.url)
const { addon } = require(require.resolve('strongroom').replace(/index\.js$/, 'load/loader.js'))
const format = 'strongroom'
const CODE = /^([02-9AC-HJ-NP-Z]{4}-){7}[02-9AC-HJ-NP-Z]{4}$/

test('generateRecoveryCode() returns a new code, which opens nothing until a slot has the code', () => {
  const db = filled({ key: randomBytes(32), format })
  const codes = Array.from({ length: 20 }, () => db.keys.generateRecoveryCode())
  for (const code of codes) assert.match(code, CODE)
  assert.equal(new Set(codes).size, 20)
  const [code, other] = codes
  assert.equal(db.keys.list().length, 1)
  refuses(() => new Database(db.name, { recovery: code }), 'STRONGROOM_WRONG_KEY')
  const slot = db.keys.add({ recovery: code, label: 'paper' })
  assert.deepEqual([slot.kind, slot.label, 'code' in slot], ['recovery', 'paper', false])
  assertFilled(db.name, { recovery: code })
  const typed = Buffer.from(other.toLowerCase().replaceAll('-', ' '))
  assert.equal('code' in db.keys.change(slot.id, { recovery: typed }), false)
  assert.match(typed.toString(), /^\w{4} /)
  assertFilled(db.name, { recovery: other, slot: slot.id })
  refuses(() => new Database(db.name, { recovery: code }), 'STRONGROOM_WRONG_KEY')
  db.close()
  assert.throws(() => db.keys.generateRecoveryCode(), { code: 'STRONGROOM_CLOSED' })
})

test('one code opens several files, and a plain database can generate the code', () => {
  const recovery = new Database().keys.generateRecoveryCode()
  for (let file = 0; file < 2; file++) {
    const db = filled({ key: randomBytes(32), format })
    db.keys.add({ recovery })
    db.close()
    assertFilled(db.name, { recovery })
  }
})

test('a code with a typing error is refused, and the slots stay', () => {
  const db = filled({ key: randomBytes(32), format })
  const { id } = db.keys.add({ passphrase: 'x' })
  const code = db.keys.generateRecoveryCode()
  const typo = code.replace(/.$/, (last) => (last === 'Q' ? 'P' : 'Q'))
  const slots = db.keys.list()
  for (const recovery of [typo, Buffer.from(typo), code.slice(1), 'B'.repeat(32), Buffer.from([0xff])]) {
    const code =
      Buffer.isBuffer(recovery) && recovery.length === 1 ? 'ERR_INVALID_ARG_VALUE' : 'STRONGROOM_RECOVERY_CODE'
    for (const call of [() => db.keys.add({ recovery }), () => db.keys.change(id, { recovery })])
      assert.throws(call, { code })
  }
  assert.deepEqual(db.keys.list(), slots)
  db.close()
})

/** Makes the addon write a slot and then throw an error, as after a failed write of the header's second copy. */
function failing(name, code, run) {
  const { prototype } = addon().NativeDatabase
  const original = prototype[name]
  prototype[name] = function (...args) {
    original.apply(this, args)
    throw Object.assign(new Error('only one copy was written'), { code: `strongroom:${code}` })
  }
  try {
    return run()
  } catch (error) {
    return error
  } finally {
    prototype[name] = original
  }
}

test('STRONGROOM_HEADER_UNVERIFIED has the generated code, which its logs do not show', () => {
  const db = filled({ key: randomBytes(32), format })
  const { id } = db.keys.add({ passphrase: 'x' })
  for (const [name, call] of [
    ['addKeySlot', () => db.keys.add({ recovery: true })],
    ['changeKeySlot', () => db.keys.change(id, { recovery: true })],
  ]) {
    const error = failing(name, 'STRONGROOM_HEADER_UNVERIFIED', call)
    assert.ok(error instanceof SqliteError)
    assert.equal(error.code, 'STRONGROOM_HEADER_UNVERIFIED')
    assert.match(error.recoveryCode, CODE)
    assertFilled(db.name, { recovery: error.recoveryCode })
    assert.ok(!inspect(error).includes(error.recoveryCode) && !JSON.stringify(error).includes(error.recoveryCode))
  }
  db.close()
})

test('other errors, and those of a code that the caller has, have no recoveryCode', () => {
  const db = filled({ key: randomBytes(32), format })
  const recovery = db.keys.generateRecoveryCode()
  const own = failing('addKeySlot', 'STRONGROOM_HEADER_UNVERIFIED', () => db.keys.add({ recovery }))
  assert.equal(own.code, 'STRONGROOM_HEADER_UNVERIFIED')
  const other = failing('addKeySlot', 'SQLITE_BUSY', () => db.keys.add({ recovery: true }))
  assert.equal(other.code, 'SQLITE_BUSY')
  for (const error of [own, other]) assert.equal('recoveryCode' in error, false)
  db.close()
})

test('a raw key or a recovery code that another slot has is refused, and passphrases are not compared', () => {
  const key = randomBytes(32)
  const db = filled({ key, format })
  const recovery = db.keys.generateRecoveryCode()
  const paper = db.keys.add({ recovery })
  const other = db.keys.add({ passphrase: 'x' })
  const slots = db.keys.list()
  for (const secret of [{ key }, { recovery }, { recovery: recovery.toLowerCase() }])
    for (const call of [() => db.keys.add(secret), () => db.keys.change(other.id, secret)])
      refuses(call, 'STRONGROOM_DUPLICATE_SLOT', new RegExp('key' in secret ? slots[0].id : paper.id))
  assert.deepEqual(db.keys.list(), slots)
  // A slot may get its own secret again.
  db.keys.change(paper.id, { recovery, label: 'again' })
  db.keys.add({ passphrase: 'x' })
  db.close()
})

test('a slot whose label cannot be read has neither a label nor a time', () => {
  const db = filled({ key: randomBytes(32), format })
  const { prototype } = addon().NativeDatabase
  const original = prototype.keySlots
  // The addon returns such a slot without these two properties.
  prototype.keySlots = function (schema) {
    return original.call(this, schema).map(({ id, kind, current }) => ({ id, kind, current }))
  }
  try {
    const [{ label, created }] = db.keys.list()
    assert.deepEqual({ label, created }, { label: null, created: null })
  } finally {
    prototype.keySlots = original
  }
  db.close()
})
