// db.keys: the slots of a file in the Strongroom format.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { inspect } from 'node:util'
import * as threads from 'node:worker_threads'
import Database, { SqliteError } from 'strongroom'
import { assertFilled, count, filled, ROWS, refuses } from './strongroom-files.mjs'

const format = 'strongroom'
const UNKNOWN = '0123456789abcdef'
const sealed = () => ({ key: randomBytes(32), format })
const summary = (db) => db.keys.list().map(({ kind, label, current }) => [kind, label, current])

test('a new file has one slot, and the result of list() is plain', () => {
  const before = Date.now()
  const db = filled(sealed())
  const [slot, ...others] = db.keys.list()
  assert.deepEqual(others, [])
  assert.equal(Object.getPrototypeOf(slot), Object.prototype)
  assert.deepEqual(Object.keys(slot), ['id', 'kind', 'label', 'created', 'current'])
  assert.match(slot.id, /^[0-9a-f]{16}$/)
  assert.deepEqual([slot.kind, slot.label, slot.current], ['key', null, true])
  assert.equal(slot.created.constructor, Date)
  assert.ok(slot.created.getTime() >= before && slot.created.getTime() <= Date.now(), slot.created.toISOString())
  // A caller may change its result.
  slot.label = 'mine'
  assert.deepEqual(summary(db), [['key', null, true]])
  db.close()
})

test('each added secret opens the file, and each removed secret does not', () => {
  const first = sealed()
  const db = filled(first)
  const key = randomBytes(32)
  const secrets = [{ key }, { passphrase: 'grüße' }, { passphrase: Buffer.from('p') }]
  const added = secrets.map((secret, index) => db.keys.add({ ...secret, label: `secret ${index}` }))
  const { code, ...paper } = db.keys.add({ recovery: true })
  assert.match(code, /^([02-9AC-HJ-NP-Z]{4}-){7}[02-9AC-HJ-NP-Z]{4}$/)
  assert.deepEqual(db.keys.list().slice(1), [...added, paper])
  assert.deepEqual(summary(db), [
    ['key', null, true],
    ['key', 'secret 0', false],
    ['passphrase', 'secret 1', false],
    ['passphrase', 'secret 2', false],
    ['recovery', null, false],
  ])
  assert.deepEqual(key, secrets[0].key)
  const all = [first, ...secrets, { recovery: code }, { recovery: Buffer.from(code) }]
  for (const secret of all) assertFilled(db.name, secret)
  for (const { id } of [...added, paper]) assert.equal(db.keys.remove(id).id, id)
  for (const secret of all.slice(1)) refuses(() => new Database(db.name, secret), 'STRONGROOM_WRONG_KEY')
  assertFilled(db.name, first)
  assert.equal(count(db), ROWS)
  db.close()
})

test('no page and no length changes with the slots', () => {
  const db = filled(sealed())
  const pages = () => readFileSync(db.name).subarray(8192)
  const before = pages()
  const { id } = db.keys.add({ recovery: true, label: 'x' })
  db.keys.change(id, { passphrase: 'x' })
  db.keys.change(id, { label: null })
  db.keys.remove(id)
  assert.ok(before.equals(pages()))
  db.close()
})

test('change() keeps the id, and each of secret and label unless it is given', () => {
  const db = filled(sealed())
  const [old, key] = [{ passphrase: 'old' }, randomBytes(32)]
  const { id, created } = db.keys.add({ ...old, label: 'ä label' })
  const renamed = db.keys.change(id, { label: 'another' })
  assert.deepEqual(renamed, { id, kind: 'passphrase', label: 'another', created, current: false })
  assertFilled(db.name, old)
  const changed = db.keys.change(id, { key })
  assert.deepEqual([changed.id, changed.kind, changed.label], [id, 'key', 'another'])
  assert.ok(changed.created >= created)
  refuses(() => new Database(db.name, old), 'STRONGROOM_WRONG_KEY')
  assertFilled(db.name, { key, slot: id })
  const first = db.keys.change(id, { recovery: true, label: 'paper' })
  const second = db.keys.change(id, { recovery: true })
  assert.deepEqual([second.id, second.kind, second.label], [id, 'recovery', 'paper'])
  assert.notEqual(first.code, second.code)
  refuses(() => new Database(db.name, { recovery: first.code }), 'STRONGROOM_WRONG_KEY')
  assertFilled(db.name, { recovery: second.code, slot: id.toUpperCase() })
  for (const label of [null, ''])
    assert.deepEqual([db.keys.change(id, { label: 'x' }).label, db.keys.change(id, { label }).label], ['x', null])
  assert.equal('code' in db.keys.change(id, { label: 'y' }), false)
  db.close()
})

test('rekey() changes the slot that opened the file, and keeps its id and label', () => {
  const own = sealed()
  const db = filled(own)
  const other = db.keys.add({ passphrase: 'other' })
  const [slot] = db.keys.list()
  db.keys.change(slot.id, { label: 'mine' })
  const key = randomBytes(32)
  assert.equal(db.rekey({ key }), db)
  db.rekey({ passphrase: 'mine' })
  assert.deepEqual(summary(db), [
    ['passphrase', 'mine', true],
    ['passphrase', null, false],
  ])
  assert.deepEqual(
    db.keys.list().map(({ id }) => id),
    [slot.id, other.id],
  )
  for (const gone of [own, { key }]) refuses(() => new Database(db.name, gone), 'STRONGROOM_WRONG_KEY')
  db.close()
  for (const passphrase of ['mine', 'other']) assertFilled(db.name, { passphrase })
})

test('change() of the own slot works as rekey() does, and the connection continues', () => {
  const db = filled(sealed())
  const [{ id }] = db.keys.list()
  const key = randomBytes(32)
  assert.deepEqual(db.keys.change(id, { key, label: 'new' }).current, true)
  assert.deepEqual(summary(db), [['key', 'new', true]])
  db.exec("INSERT INTO note (text) VALUES ('more')")
  db.close()
  const again = new Database(db.name, { key })
  assert.equal(count(again), ROWS + 1)
  again.close()
})

test('eight slots are the limit, and the last slot cannot be removed', () => {
  const db = filled(sealed())
  const [{ id }] = db.keys.list()
  refuses(() => db.keys.remove(id), 'STRONGROOM_LAST_SLOT', new RegExp(id))
  const added = Array.from({ length: 7 }, (_, index) => db.keys.add({ key: randomBytes(32), label: `${index}` }))
  for (const secret of [{ key: randomBytes(32) }, { recovery: true }])
    refuses(() => db.keys.add(secret), 'STRONGROOM_SLOTS_FULL', /8 key slots/)
  db.keys.change(added[3].id, { label: 'changed' })
  for (const { id } of added) db.keys.remove(id)
  for (const gone of [added[0].id, UNKNOWN]) {
    refuses(() => db.keys.remove(gone), 'STRONGROOM_UNKNOWN_SLOT', new RegExp(`${gone}.*${id}`))
    refuses(() => db.keys.change(gone, { label: 'x' }), 'STRONGROOM_UNKNOWN_SLOT', new RegExp(gone))
    refuses(() => db.keys.change(gone, { recovery: true }), 'STRONGROOM_UNKNOWN_SLOT')
  }
  // A freed slot is used again.
  db.keys.add({ recovery: true })
  assert.equal(db.keys.list().length, 2)
  db.close()
})

test('the connection whose own slot is removed goes on, but makes no copies and no changes of slots', async () => {
  const own = sealed()
  const db = filled(own)
  const key = randomBytes(32)
  const [{ id }] = db.keys.list()
  db.keys.add({ key })
  assert.deepEqual([db.keys.remove(id).id, count(db)], [id, ROWS])
  db.exec("INSERT INTO note (text) VALUES ('more')")
  for (const call of [
    () => db.keys.list(),
    () => db.keys.add({ recovery: true }),
    () => db.keys.remove(UNKNOWN),
    () => db.keys.change(id, { key: randomBytes(32) }),
    () => db.rekey({ key: randomBytes(32) }),
    () => db.serialize({ encrypted: true }),
  ])
    refuses(call, 'STRONGROOM_KEY_CHANGED')
  await assert.rejects(db.keys.rotate(), { code: 'STRONGROOM_KEY_CHANGED' })
  assert.equal(db.open, true)
  db.close()
  refuses(() => new Database(db.name, own), 'STRONGROOM_WRONG_KEY')
  const other = new Database(db.name, { key })
  assert.deepEqual([count(other), summary(other)], [ROWS + 1, [['key', null, true]]])
  other.close()
})

test('an error of a slot has no cause that repeats the error', () => {
  const db = filled(sealed())
  const [{ id }] = db.keys.list()
  for (const call of [
    () => db.keys.remove(id),
    () => db.keys.remove(UNKNOWN),
    () => db.keys.change(id, { label: '\n' }),
  ])
    assert.throws(call, (error) => error instanceof SqliteError && !('cause' in error))
  db.close()
})

test('a label has at most 94 bytes of UTF-8 and no control characters', () => {
  const db = filled(sealed())
  const [{ id }] = db.keys.list()
  for (const label of ['x'.repeat(94), 'ä'.repeat(47), '😀'.repeat(23)]) {
    assert.equal(db.keys.change(id, { label }).label, label)
    assert.equal(db.keys.list()[0].label, label)
  }
  const long = /95 bytes in UTF-8|96 bytes in UTF-8/
  for (const [label, message] of [
    ['x'.repeat(95), long],
    ['ä'.repeat(48), long],
    ['a\nb', /control character/],
    ['a\0', /control character/],
    ['\u007f', /control character/],
    ['\u0085', /control character/],
  ]) {
    refuses(() => db.keys.change(id, { label }), 'STRONGROOM_SLOT_LABEL', message)
    refuses(() => db.keys.add({ key: randomBytes(32), label }), 'STRONGROOM_SLOT_LABEL', message)
  }
  assert.equal(db.keys.list().length, 1)
  db.close()
})

test('arguments of a wrong type or form are refused before anything changes, and no error shows a secret', () => {
  const db = filled(sealed())
  const [{ id }] = db.keys.list()
  const before = readFileSync(db.name)
  const key = randomBytes(32)
  const { keys } = db
  for (const [call, type, message] of [
    [() => keys.list(5), TypeError, /first argument to be an options object/],
    [() => keys.list({ attached: 5 }), TypeError, /"attached" option/],
    [() => keys.list({ attached: '' }), TypeError, /"attached" option/],
    [() => keys.list({ label: 'x' }), TypeError, /"label" does not exist/],
    [() => keys.add(), TypeError, /first argument.*"key", "passphrase" or "recovery"/],
    [() => keys.add('s3cr3t'), TypeError, /first argument/],
    [() => keys.add([]), TypeError, /first argument/],
    [() => keys.add({}), TypeError, /needs "key", "passphrase" or "recovery"/],
    [() => keys.add({ label: 'x' }), TypeError, /needs "key"/],
    [() => keys.add({ recovery: false }), TypeError, /"recovery" option to be true, or a recovery code/],
    [() => keys.add({ recovery: 1 }), TypeError, /"recovery" option to be true, or a recovery code/],
    [() => keys.add({ recovery: '' }), RangeError, /"recovery" option must not be empty/],
    [() => keys.add({ recovery: undefined }), TypeError, /"recovery" option is undefined/],
    [() => keys.change(id, { recovery: undefined, label: 'x' }), TypeError, /"recovery" option is undefined/],
    [() => keys.add({ recovery: 's3cr3t\ud800' }), TypeError, /surrogate/],
    [() => keys.add({ key: undefined }), TypeError, /"key" option is undefined/],
    [() => keys.add({ passphrase: null }), TypeError, /"passphrase" option is null/],
    [() => keys.add({ key: 's3cr3t' }), TypeError, /"key" option to be a Buffer/],
    [() => keys.add({ key: randomBytes(31) }), RangeError, /32 bytes, not 31/],
    [() => keys.add({ passphrase: '' }), RangeError, /empty/],
    [() => keys.add({ passphrase: 's3cr3t\ud800' }), TypeError, /surrogate/],
    [() => keys.add({ key, passphrase: 's3cr3t' }), TypeError, /cannot be combined/],
    [() => keys.add({ key, recovery: true }), TypeError, /cannot be combined/],
    [() => keys.add({ passphrase: 's3cr3t', recovery: true }), TypeError, /cannot be combined/],
    [() => keys.add({ key, label: 5 }), TypeError, /"label" option/],
    [() => keys.add({ key, label: '\ud800' }), TypeError, /surrogate/],
    [() => keys.add({ passphrase: 's3cr3t', kdfIter: 5 }), TypeError, /"kdfIter" does not exist/],
    [() => keys.add({ key, format }), TypeError, /"format" does not exist/],
    [() => keys.remove(), TypeError, /first argument to be a string/],
    [() => keys.remove(5), TypeError, /first argument to be a string/],
    [() => keys.remove(''), TypeError, /16 hexadecimal digits/],
    [() => keys.remove(id.slice(1)), TypeError, /16 hexadecimal digits.*15 characters/],
    [() => keys.remove('s3cr3t passphrase'), TypeError, /16 hexadecimal digits/],
    [() => keys.remove(id, { attached: 5 }), TypeError, /"attached" option/],
    [() => keys.remove(id, 'main'), TypeError, /second argument/],
    [() => keys.change(), TypeError, /first argument/],
    [() => keys.change(id), TypeError, /second argument/],
    [() => keys.change(id, {}), TypeError, /or "label"/],
    [() => keys.change(id, { label: undefined }), TypeError, /or "label"/],
    [() => keys.change(id, { key, passphrase: 's3cr3t' }), TypeError, /cannot be combined/],
    [() => keys.change({ id }, { key }), TypeError, /first argument/],
  ])
    assert.throws(call, (error) => {
      assert.ok(error instanceof type, inspect(error))
      assert.match(error.code, /^ERR_(INVALID_ARG_TYPE|INVALID_ARG_VALUE|OUT_OF_RANGE)$/)
      assert.match(error.message, message)
      assert.doesNotMatch(inspect(error, { showHidden: true, depth: 9 }), /s3cr3t/)
      return true
    })
  assert.ok(before.equals(readFileSync(db.name)))
  db.close()
})

test('db.keys is always one object, which belongs to its thread and works through proxies', () => {
  const db = filled(sealed())
  assert.equal(db.keys, db.keys)
  for (const view of [new Proxy(db, {}), Object.create(db)]) assert.equal(view.keys, db.keys)
  assert.equal(new Proxy(db.keys, {}).list().length, 1)
  assert.equal('keys' in db && !Object.keys(Database.prototype).includes('keys'), true)
  if (threads.markAsUncloneable) assert.throws(() => structuredClone(db.keys), { name: 'DataCloneError' })
  db.close()
  for (const call of [
    () => db.keys.list(),
    () => db.keys.add({ recovery: true }),
    () => db.keys.remove(UNKNOWN),
    () => db.keys.change(UNKNOWN, { label: 'x' }),
  ])
    assert.throws(call, { name: 'TypeError', code: 'STRONGROOM_CLOSED' })
})
