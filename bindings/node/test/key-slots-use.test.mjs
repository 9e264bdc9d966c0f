// db.keys while the database is in use: by this connection, by others, and by other processes.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import Database from 'strongroom'
import { assertFilled, closed, count, filled, ROWS, refuses } from './strongroom-files.mjs'
import { freshPath } from './temporary.mjs'

const format = 'strongroom'
const here = fileURLToPath(new URL('.', import.meta.url))
const sealed = () => ({ key: randomBytes(32), format })
const MODES = ['delete', 'wal']

/** The calls that change slots, each with its arguments for a slot that is not the own one. */
const changes = (keys, id, options = {}) => [
  () => keys.add({ recovery: true, ...options }),
  () => keys.change(id, { label: 'x', ...options }),
  () => keys.change(id, { key: randomBytes(32), ...options }),
  () => keys.remove(id, options),
]

/** Starts a program in another process. Each line that it prints is an event of the result. */
function start(source, ...args) {
  const child = spawn(process.execPath, ['-e', source, '--', ...args], {
    cwd: here,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const exit = once(child, 'exit')
  return {
    line: async () => (await lines.next()).value,
    go: () => child.stdin.write('\n'),
    end: async () => assert.deepEqual(await exit, [0, null]),
  }
}

for (const mode of MODES)
  test(`another process writes and reads while the slots change, with journal_mode ${mode}`, async () => {
    const own = sealed()
    const db = new Database(freshPath(), { ...own, timeout: 60_000 })
    db.pragma(`journal_mode = ${mode}`)
    db.exec('CREATE TABLE t (i INTEGER PRIMARY KEY)')
    const writer = start(
      `const [path, key] = process.argv.slice(1)
       const db = new (require('strongroom'))(path, { key: Buffer.from(key, 'hex'), timeout: 60_000 })
       const insert = db.prepare('INSERT INTO t DEFAULT VALUES')
       let count = 0
       const timer = setInterval(() => { insert.run(); if (++count === 1) console.log('ready') }, 0)
       process.stdin.once('data', () => {
         clearInterval(timer)
         db.prepare('SELECT count(*) FROM t').get()
         db.close()
         console.log(count)
         process.exit()
       })`,
      db.name,
      own.key.toString('hex'),
    )
    // In DELETE mode, the writer cannot commit while the reader's transaction is open.
    assert.equal(await writer.line(), 'ready')
    const reader = start(
      `const [path, key] = process.argv.slice(1)
       const db = new (require('strongroom'))(path, { key: Buffer.from(key, 'hex'), timeout: 60_000 })
       db.exec('BEGIN')
       const count = () => db.prepare('SELECT count(*) FROM t').pluck().get()
       const before = count()
       console.log('ready')
       process.stdin.once('data', () => {
         console.log(count() - before)
         db.exec('COMMIT')
         db.close()
         process.exit()
       })`,
      db.name,
      own.key.toString('hex'),
    )
    assert.equal(await reader.line(), 'ready')
    for (const child of [reader, writer]) {
      for (let round = 0; round < 10; round++) {
        const { id, code } = db.keys.add({ recovery: true, label: `round ${round}` })
        assert.equal(db.keys.change(id, { recovery: true }).id, id)
        refuses(() => new Database(db.name, { recovery: code }), 'STRONGROOM_WRONG_KEY')
        db.keys.change(id, { label: 'changed' })
        db.keys.remove(id)
      }
      child.go()
      const result = Number(await child.line())
      await child.end()
      if (child === reader) assert.equal(result, 0)
      else assert.equal(count(db, 't'), result)
    }
    assert.deepEqual([db.keys.list().length, db.check().problems], [1, []])
    db.close()
  })

test('no change is lost if several processes change the slots at once', async () => {
  const own = sealed()
  const path = closed(own)
  const source = `
    const [path, own, label] = process.argv.slice(1)
    const db = new (require('strongroom'))(path, { key: Buffer.from(own, 'hex'), timeout: 60_000 })
    console.log('ready')
    process.stdin.once('data', () => {
      const { id } = db.keys.add({ recovery: true, label })
      for (let i = 0; i < 10; i++) {
        db.keys.change(id, { label: label + i })
        db.keys.remove(db.keys.add({ recovery: true, label: 'gone' }).id)
      }
      db.close()
      process.exit()
    })`
  const children = ['a', 'b', 'c'].map((label) => start(source, path, own.key.toString('hex'), label))
  for (const child of children) assert.equal(await child.line(), 'ready')
  for (const child of children) child.go()
  for (const child of children) await child.end()
  const db = new Database(path, own)
  assert.deepEqual(
    db.keys
      .list()
      .map(({ label }) => label)
      .sort(),
    ['a9', 'b9', 'c9', null],
  )
  assert.deepEqual(db.check().problems, [])
  db.close()
})

test('a slot of another process opens the file here, and is in the list', async () => {
  const own = sealed()
  const db = filled(own)
  const key = randomBytes(32)
  const source = `
    const [path, own, key] = process.argv.slice(1)
    const db = new (require('strongroom'))(path, { key: Buffer.from(own, 'hex') })
    console.log(db.keys.add({ key: Buffer.from(key, 'hex'), label: 'the other' }).id)
    db.close()`
  const child = start(source, db.name, own.key.toString('hex'), key.toString('hex'))
  const id = await child.line()
  await child.end()
  assert.deepEqual([db.keys.list()[1].id, db.keys.list()[1].label], [id, 'the other'])
  assertFilled(db.name, { key })
  assert.equal(db.keys.remove(id).label, 'the other')
  db.close()
})

for (const mode of MODES)
  test(`readers and a writer of this process go on while the slots change, with journal_mode ${mode}`, () => {
    const own = sealed()
    const db = filled(own)
    db.pragma(`journal_mode = ${mode}`)
    const { id } = db.keys.add({ passphrase: 'x' })
    const [reader, writer] = [0, 1].map(() => new Database(db.name, { ...own, timeout: 0 }))
    reader.exec('BEGIN')
    assert.equal(count(reader), ROWS)
    writer.exec("BEGIN IMMEDIATE; INSERT INTO note (text) VALUES ('more')")
    for (const change of changes(db.keys, id)) change()
    assert.equal(count(reader), ROWS)
    reader.exec('COMMIT')
    writer.exec('COMMIT')
    assert.deepEqual([count(reader), count(db)], [ROWS + 1, ROWS + 1])
    assert.equal(reader.keys.list().length, 2)
    for (const each of [db, reader, writer]) each.close()
  })

test('another connection whose slot is removed goes on, and reports it where slots count', async () => {
  const own = sealed()
  const db = filled(own)
  const key = randomBytes(32)
  const { id } = db.keys.add({ key })
  const other = new Database(db.name, { key })
  db.keys.remove(id)
  other.exec("INSERT INTO note (text) VALUES ('more')")
  assert.deepEqual([count(other), count(db)], [ROWS + 1, ROWS + 1])
  refuses(() => other.keys.list(), 'STRONGROOM_KEY_CHANGED')
  for (const change of changes(other.keys, id)) refuses(change, 'STRONGROOM_KEY_CHANGED')
  await assert.rejects(other.backup(freshPath()), { code: 'STRONGROOM_KEY_CHANGED' })
  other.close()
  db.close()
})

test('in a transaction of the connection, slots are listed but not changed', () => {
  const db = filled(sealed())
  const { id } = db.keys.add({ passphrase: 'x' })
  const before = readFileSync(db.name).subarray(0, 8192)
  for (const begin of ['BEGIN', 'BEGIN IMMEDIATE', 'BEGIN; SELECT 1; INSERT INTO note (text) VALUES (1)']) {
    db.exec(begin)
    for (const change of changes(db.keys, id)) refuses(change, 'STRONGROOM_IN_TRANSACTION', /transaction/)
    assert.equal(db.keys.list().length, 2)
    db.exec('ROLLBACK')
  }
  db.transaction(() => refuses(() => db.keys.remove(id), 'STRONGROOM_IN_TRANSACTION'))()
  assert.ok(before.equals(readFileSync(db.name).subarray(0, 8192)))
  db.close()
})

test('slots change while an iterator is open, but not in a callback', () => {
  const db = filled(sealed())
  const { id } = db.keys.add({ passphrase: 'x' })
  let seen = 0
  for (const _ of db.prepare('SELECT * FROM note').iterate()) {
    if (seen === 100) for (const change of changes(db.keys, id)) change()
    seen += 1
  }
  assert.deepEqual([seen, db.keys.list().length], [ROWS, 2])
  const codes = []
  const calls = [() => db.keys.list(), ...changes(db.keys, id)]
  db.function('f', () => {
    for (const call of calls)
      try {
        call()
      } catch (error) {
        codes.push(error.code)
      }
    return 1
  })
  db.prepare('SELECT f()').get()
  assert.deepEqual(
    codes,
    calls.map(() => 'STRONGROOM_BUSY'),
  )
  db.close()
})

test('a read-only connection lists the slots', () => {
  const own = sealed()
  const db = filled(own)
  const { id } = db.keys.add({ passphrase: 'x', label: 'x' })
  db.close()
  const before = readFileSync(db.name)
  const reader = new Database(db.name, { ...own, readonly: true })
  assert.deepEqual([reader.keys.list().length, reader.keys.list()[1].label], [2, 'x'])
  for (const change of changes(reader.keys, id)) refuses(change, 'SQLITE_READONLY')
  reader.close()
  assert.ok(before.equals(readFileSync(db.name)))
})

test('a database without slots says so', () => {
  const key = randomBytes(32)
  const image = filled(sealed(), ':memory:')
  for (const db of [filled(), filled({ key }), filled({}, ':memory:'), image]) {
    for (const call of [() => db.keys.list(), ...changes(db.keys, '0123456789abcdef')])
      refuses(call, 'STRONGROOM_NO_SLOTS', db.memory ? /memory/ : /Strongroom format/)
    refuses(() => db.keys.list({ attached: 'nowhere' }), 'STRONGROOM_NOT_ATTACHED', /nowhere/)
  }
  const own = sealed()
  const opened = new Database(readFileSync(closed(own)), own)
  refuses(() => opened.keys.list(), 'STRONGROOM_NO_SLOTS', /memory/)
})

test('attached names the database', () => {
  const own = sealed()
  const path = closed(own)
  const db = filled(sealed())
  const attached = 'other "one"'
  db.attach(path, attached, own)
  db.attach(closed(), 'plain', { plain: true })
  const { id } = db.keys.add({ recovery: true, label: 'other', attached })
  assert.deepEqual([db.keys.list().length, db.keys.list({ attached }).length], [1, 2])
  refuses(() => db.keys.remove(id), 'STRONGROOM_UNKNOWN_SLOT')
  for (const change of changes(db.keys, id, { attached })) change()
  refuses(() => db.keys.list({ attached: 'plain' }), 'STRONGROOM_NO_SLOTS')
  db.exec('CREATE TEMP TABLE t (a)')
  refuses(() => db.keys.list({ attached: 'temp' }), 'STRONGROOM_NO_SLOTS')
  const { code } = db.keys.add({ recovery: true, attached })
  db.close()
  assertFilled(path, { recovery: code })
})

test('a change waits for the change of another process, up to the timeout', async (t) => {
  if (spawnSync('python3', ['-c', 'import fcntl']).status !== 0) return t.skip('python3 with fcntl is not installed')
  const own = sealed()
  const path = closed(own)
  // docs/format.md: a writer of the header locks byte 2^30 + 513.
  const source = `
import fcntl, sys
file = open(sys.argv[1], 'r+b')
fcntl.lockf(file, fcntl.LOCK_EX, 1, 2**30 + 513)
print('locked', flush=True)
sys.stdin.readline()`
  const holder = spawn('python3', ['-c', source, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exit = once(holder, 'exit')
  await once(holder.stdout, 'data')
  const impatient = new Database(path, { ...own, timeout: 0 })
  const { id } = impatient.keys.list()[0]
  for (const call of [() => impatient.keys.add({ recovery: true }), () => impatient.keys.change(id, { label: 'x' })])
    refuses(call, 'SQLITE_BUSY')
  impatient.exec("INSERT INTO note (text) VALUES ('more')")
  holder.stdin.write('\n')
  await exit
  impatient.keys.add({ recovery: true })
  assert.equal(impatient.keys.list().length, 2)
  impatient.close()
})
