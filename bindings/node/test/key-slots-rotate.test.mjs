// db.keys.rotate(): a new data key for the same slots.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import Database, { SqliteError } from 'strongroom'
import { assertFilled, count, filled, ROWS, refuses, rejects } from './strongroom-files.mjs'
import { freshPath } from './temporary.mjs'

const format = 'strongroom'
const sealed = () => ({ key: randomBytes(32), format })
const header = (path) => readFileSync(path).subarray(0, 8192)
const beside = (path) => readdirSync(dirname(path)).filter((name) => name.startsWith(basename(path)))

/** Creates an open database whose own slot has a raw key, with a passphrase and a recovery code. */
function withSlots(options) {
  const key = randomBytes(32)
  const db = filled({ key, format, ...options })
  db.keys.change(db.keys.list()[0].id, { label: 'server' })
  db.keys.add({ passphrase: 'person', label: 'person' })
  const { code } = db.keys.add({ recovery: true, label: 'paper' })
  return { db, path: db.name, key, code, slots: db.keys.list() }
}

/** Returns the slots without the mark of the current one. */
const stripped = (slots) => slots.map(({ current, ...slot }) => slot)

test('rotate() keeps each slot whose secret it gets, and every row', async () => {
  for (const mode of ['delete', 'wal']) {
    const { db, path, key, code, slots } = withSlots()
    db.pragma(`journal_mode = ${mode}`)
    const before = readFileSync(path)
    const seen = []
    const result = db.keys.rotate({
      secrets: [{ passphrase: 'person' }, { recovery: code.toLowerCase() }],
      progress: (now) => seen.push(now),
    })
    assert.equal(db.open, false)
    assert.deepEqual(await result, { dropped: [] })
    assert.ok(seen.length > 0 && seen.every((now) => Object.keys(now).join() === 'done,total'))
    const after = readFileSync(path)
    assert.equal(after.subarray(24, 40).equals(before.subarray(24, 40)), false, 'the identity of the file is new')
    for (const secret of [{ key }, { passphrase: 'person' }, { recovery: code }]) assertFilled(path, secret)
    const again = new Database(path, { key })
    assert.deepEqual(again.keys.list(), slots)
    assert.deepEqual(again.pragma('journal_mode', { simple: true }), mode)
    again.close()
    // The old header does not open the new pages.
    writeFileSync(path, Buffer.concat([before.subarray(0, 8192), after.subarray(8192)]))
    assert.throws(() => new Database(path, { key }), { name: 'SqliteError', code: 'STRONGROOM_DAMAGED_PAGE' })
    assert.deepEqual(beside(path), [basename(path)])
  }
})

test('without a secret of each slot, rotate() needs dropOthers, and the connection stays open', async () => {
  const { db, path, key, code, slots } = withSlots()
  const [own, person, paper] = slots
  const before = header(path)
  await rejects(db.keys.rotate(), 'STRONGROOM_SLOT_SECRETS', new RegExp(`${person.id}.*${paper.id}`))
  const missing = db.keys.rotate({ secrets: [{ recovery: code }] })
  await rejects(missing, 'STRONGROOM_SLOT_SECRETS', new RegExp(person.id))
  await assert.rejects(missing, ({ message }) => !message.includes(paper.id))
  const wrong = [{ key: randomBytes(32) }, { passphrase: 'x' }]
  for (const secret of wrong)
    await rejects(db.keys.rotate({ secrets: [{ recovery: code }, secret] }), 'STRONGROOM_WRONG_KEY', /secrets\[1\]/)
  await rejects(
    db.keys.rotate({ secrets: [{ recovery: code.slice(1) }] }),
    'STRONGROOM_RECOVERY_CODE',
    /31 of 32 characters/,
  )
  assert.deepEqual([db.open, count(db)], [true, ROWS])
  assert.ok(before.equals(header(path)))
  const { dropped } = await db.keys.rotate({ secrets: [{ recovery: code }], dropOthers: true })
  assert.deepEqual(dropped, [person])
  const again = new Database(path, { recovery: code })
  assert.deepEqual(stripped(again.keys.list()), stripped([own, paper]))
  again.close()
  assertFilled(path, { key })
  refuses(() => new Database(path, { passphrase: 'person' }), 'STRONGROOM_WRONG_KEY')
})

test('a removed slot, whose header was kept, opens no page after rotate()', async () => {
  const { db, path, key, code } = withSlots()
  const kept = header(path)
  db.keys.remove(db.keys.list()[1].id)
  // docs/keys.md says this: the older header of the same file revives the slots of its time.
  const revived = freshPath()
  copyFileSync(path, revived)
  writeFileSync(revived, kept, { flag: 'r+' })
  assertFilled(revived, { passphrase: 'person' })
  await db.keys.rotate({ secrets: [{ recovery: code }] })
  writeFileSync(path, kept, { flag: 'r+' })
  assert.throws(() => new Database(path, { passphrase: 'person' }), { code: 'STRONGROOM_DAMAGED_PAGE' })
  assert.throws(() => new Database(path, { key }), { code: 'STRONGROOM_DAMAGED_PAGE' })
})

test('a file that another connection has open is refused, and stays as it is', async () => {
  const { db, path, key } = withSlots()
  const before = readFileSync(path)
  const other = new Database(path, { key })
  assert.equal(count(other), ROWS)
  await rejects(db.keys.rotate({ dropOthers: true, timeout: 0 }), 'STRONGROOM_IN_USE')
  assert.ok(before.equals(readFileSync(path)))
  other.close()
  assert.deepEqual([db.open, count(db)], [true, ROWS])
  db.close()
  assertFilled(path, { passphrase: 'person' })
})

test('a file that another process has open is refused once the connection is closed', async () => {
  const { db, path, key } = withSlots()
  const before = readFileSync(path)
  const script = `
    import Database from ${JSON.stringify(import.meta.resolve('strongroom'))}
    const db = new Database(${JSON.stringify(path)}, { key: Buffer.from('${key.toString('hex')}', 'hex') })
    db.exec('BEGIN IMMEDIATE')
    console.log('open')
    process.stdin.on('end', () => db.close()).resume()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  await rejects(db.keys.rotate({ dropOthers: true, timeout: 0 }), 'STRONGROOM_IN_USE')
  assert.equal(db.open, false)
  assert.ok(before.equals(readFileSync(path)))
  child.stdin.end()
  await once(child, 'exit')
  assertFilled(path, { passphrase: 'person' })
})

test('in a transaction, during an iterator, in a callback, and read-only, rotate() changes nothing', async () => {
  const { db, path, key } = withSlots()
  const before = readFileSync(path)
  const all = { dropOthers: true }
  db.exec('BEGIN')
  await rejects(db.keys.rotate(all), 'STRONGROOM_IN_TRANSACTION')
  db.exec('ROLLBACK')
  const rows = db.prepare('SELECT * FROM note').iterate()
  rows.next()
  await assert.rejects(db.keys.rotate(all), { name: 'TypeError', code: 'STRONGROOM_BUSY' })
  rows.return()
  let inside
  db.function('f', () => {
    inside = db.keys.rotate(all)
    inside.catch(() => {})
    return 1
  })
  db.prepare('SELECT f()').get()
  await assert.rejects(inside, { code: 'STRONGROOM_BUSY' })
  assert.deepEqual([db.open, count(db)], [true, ROWS])
  db.close()
  await assert.rejects(db.keys.rotate(all), { name: 'TypeError', code: 'STRONGROOM_CLOSED' })
  const reader = new Database(path, { key, readonly: true })
  await rejects(reader.keys.rotate(all), 'SQLITE_READONLY')
  assert.equal(reader.open, true)
  reader.close()
  assert.ok(before.equals(readFileSync(path)))
  for (const plain of [filled(), filled({ key }), filled({}, ':memory:'), filled(sealed(), ':memory:')]) {
    await rejects(plain.keys.rotate(), 'STRONGROOM_NO_SLOTS')
    assert.equal(plain.open, true)
    plain.close()
  }
})

test('keep has the original with its slots, and the path must be free', async () => {
  const { db, path, key } = withSlots()
  const keep = freshPath()
  writeFileSync(keep, 'mine')
  for (const [taken, code] of [
    [keep, 'STRONGROOM_EXISTS'],
    [`${keep}-wal`, 'STRONGROOM_RESERVED_NAME'],
    [join(`${keep}-folder`, 'x.db'), 'SQLITE_CANTOPEN'],
  ]) {
    await rejects(db.keys.rotate({ dropOthers: true, keep: taken }), code)
    assert.deepEqual([db.open, count(db)], [true, ROWS])
  }
  db.close()
  const before = readFileSync(path)
  const again = new Database(path, { key })
  const free = freshPath()
  assert.equal((await again.keys.rotate({ dropOthers: true, keep: free })).dropped.length, 2)
  assert.deepEqual(readFileSync(free), before)
  assertFilled(free, { passphrase: 'person' })
  assertFilled(path, { key })
})

test('a signal or the progress function cancels, and the file stays as it is', async () => {
  const { db, path, key } = withSlots()
  const before = readFileSync(path)
  const reason = new Error('the user has left')
  const early = db.keys.rotate({ dropOthers: true, signal: AbortSignal.abort(reason) })
  await assert.rejects(early, (error) => {
    assert.ok(error instanceof SqliteError)
    assert.deepEqual([error.code, error.cause], ['STRONGROOM_CANCELLED', reason])
    return true
  })
  assert.equal(db.open, true)
  const mine = new TypeError('a bug of the caller')
  const thrower = () => {
    throw mine
  }
  db.close()
  for (const [options, expected] of [
    [{ progress: () => false }, { code: 'STRONGROOM_CANCELLED', message: /the file is as it was/ }],
    [{ progress: thrower }, mine],
  ]) {
    // A conversion of a small file may be complete before its first report.
    const large = new Database(path, { key })
    large.exec('INSERT INTO note (text) SELECT zeroblob(100) FROM note, note AS twice')
    await assert.rejects(large.keys.rotate({ dropOthers: true, ...options }), expected)
    const again = new Database(path, { key })
    again.exec("DELETE FROM note WHERE typeof(text) = 'blob'")
    assert.equal(again.keys.list().length, 3)
    again.close()
  }
  assert.ok(before.subarray(0, 8192).equals(header(path)))
  assertFilled(path, { key })
})

test('rotate() refuses wrong arguments before it closes the connection, and shows no secret', async () => {
  const { db, key } = withSlots()
  for (const [options, type, message] of [
    [5, TypeError, /first argument/],
    [{ secret: [] }, TypeError, /use "secrets"/],
    [{ attached: 'main' }, TypeError, /"attached" does not exist/],
    [{ secrets: {} }, TypeError, /"secrets" option to be an array/],
    [{ secrets: 's3cr3t' }, TypeError, /"secrets" option to be an array/],
    [{ secrets: ['s3cr3t'] }, TypeError, /element 0 of the "secrets" option/],
    [{ secrets: [{ key }, {}] }, TypeError, /element 1 of the "secrets" option needs/],
    [{ secrets: [{ key: 's3cr3t' }] }, TypeError, /"key" option/],
    [{ secrets: [{ key, passphrase: 's3cr3t' }] }, TypeError, /cannot be combined/],
    [{ secrets: [{ recovery: true }] }, TypeError, /"recovery" option to be a string/],
    [{ secrets: [{ recovery: undefined }] }, TypeError, /undefined/],
    [{ secrets: [{ passphrase: '' }] }, RangeError, /empty/],
    [{ secrets: [{ key, label: 'x' }] }, TypeError, /"label" does not exist/],
    [{ dropOthers: 1 }, TypeError, /"dropOthers"/],
    [{ progress: 5 }, TypeError, /"progress"/],
    [{ signal: {} }, TypeError, /"signal"/],
    [{ keep: '' }, TypeError, /"keep"/],
    [{ keep: 5 }, TypeError, /"keep"/],
    [{ timeout: -1 }, RangeError, /"timeout"/],
    [{ timeOut: 1 }, TypeError, /use "timeout"/],
  ])
    await assert.rejects(db.keys.rotate(options), (error) => {
      assert.ok(error instanceof type, inspect(error))
      assert.match(error.message, message)
      assert.doesNotMatch(inspect(error, { showHidden: true, depth: 9 }), /s3cr3t/)
      return true
    })
  assert.equal(db.open, true)
  db.close()
})
