// Copies, new keys and conversions of files in the Strongroom format, and several users of one file.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import Database from 'strongroom'
import { assertFilled, closed, count, filled, formatOf, ROWS, refuses, rejects } from './strongroom-files.mjs'
import { freshPath } from './temporary.mjs'

const FORMAT = 'strongroom'
const sealed = () => ({ key: randomBytes(32), format: FORMAT })
const fixture = (name) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))

test('a backup has the key of its source, another key, another format, or no encryption', async () => {
  const own = sealed()
  const db = filled(own)
  db.pragma('journal_mode = WAL')
  const other = randomBytes(32)
  for (const [options, opens, format] of [
    [{}, { key: own.key }, FORMAT],
    [{ key: other }, { key: other }, FORMAT],
    [{ passphrase: 'p' }, { passphrase: 'p' }, FORMAT],
    [{ key: other, pageSize: 8192 }, { key: other }, FORMAT],
    [{ key: other, format: 'sqlcipher' }, { key: other }, 'sqlcipher'],
    [{ plain: true }, {}, 'plain'],
  ]) {
    const path = freshPath()
    await db.backup(path, options)
    assertFilled(path, opens, format)
    refuses(
      () => new Database(path, { key: randomBytes(32) }),
      format === 'plain' ? 'STRONGROOM_NOT_ENCRYPTED' : 'STRONGROOM_WRONG_KEY',
    )
  }
  db.close()
  for (const source of [{}, { key: other }]) {
    const path = freshPath()
    await filled(source).backup(path, own)
    assertFilled(path, { key: own.key })
  }
})

test('VACUUM and VACUUM INTO keep the encryption', () => {
  const own = sealed()
  const db = filled(own)
  db.exec('VACUUM')
  for (const auto of [1, 2]) db.exec(`PRAGMA auto_vacuum = ${auto}; VACUUM`)
  const copy = freshPath()
  db.prepare('VACUUM INTO ?').run(copy)
  assertFilled(copy, { key: own.key })
  const [plain, other] = [closed(), closed(sealed())]
  db.attach(plain, 'plain', { plain: true })
  refuses(
    () => db.exec(`VACUUM plain INTO '${freshPath()}'`),
    'STRONGROOM_VACUUM_REFUSED',
    /db\.backup\(path, \{ attached/,
  )
  db.detach('plain')
  const before = readFileSync(other)
  refuses(() => db.exec(`VACUUM INTO '${other}'`), 'SQLITE_CANTOPEN')
  assert.ok(before.equals(readFileSync(other)))
  db.close()
  assertFilled(db.name, { key: own.key })
})

test('rekey changes the key without rewriting pages, and other connections continue', () => {
  const own = sealed()
  const db = filled(own)
  const reader = new Database(db.name, { key: own.key })
  const pages = readFileSync(db.name).subarray(8192)
  const to = { key: randomBytes(32) }
  const seen = []
  assert.equal(db.rekey(to, { progress: (progress) => seen.push(progress) }), db)
  assert.deepEqual(seen.at(-1), { done: 1, total: 1 })
  assert.ok(pages.equals(readFileSync(db.name).subarray(8192)))
  assert.deepEqual([count(reader), count(db)], [ROWS, ROWS])
  refuses(() => new Database(db.name, own), 'STRONGROOM_WRONG_KEY')
  refuses(() => reader.rekey({ key: randomBytes(32) }), 'STRONGROOM_KEY_CHANGED')
  db.rekey({ passphrase: 'a better one' })
  refuses(() => db.rekey({ ...to, format: 'sqlcipher' }), 'STRONGROOM_REKEY_LAYOUT', /Database\.migrate/)
  refuses(() => db.rekey({ ...to, pageSize: 8192 }), 'STRONGROOM_REKEY_LAYOUT', /Database\.migrate/)
  refuses(() => db.rekey({ passphrase: 'x', kdfIter: 5 }), 'STRONGROOM_KEY_PARAMETER')
  refuses(() => filled({ key: own.key }).rekey(own), 'STRONGROOM_REKEY_LAYOUT', /Database\.migrate/)
  refuses(() => db.rekey(to, { progress: () => false }), 'STRONGROOM_CANCELLED')
  db.transaction(() => refuses(() => db.rekey(to), 'STRONGROOM_IN_TRANSACTION'))()
  db.close()
  assertFilled(db.name, { passphrase: 'a better one' })
})

test('encrypt, migrate and decrypt convert between all formats', async () => {
  const own = sealed()
  const { key } = own
  const path = closed()
  const step = async (work, opens, format) => {
    await work
    assertFilled(path, opens, format)
  }
  await step(Database.encrypt(path, own), { key }, FORMAT)
  await step(Database.decrypt(path, { from: { key } }), {}, 'plain')
  await step(Database.encrypt(path, { key }), { key }, 'sqlcipher')
  await step(Database.migrate(path, { from: { key }, to: own }), { key }, FORMAT)
  // Without a format, the file keeps its own.
  await step(Database.migrate(path, { from: { key }, to: { key, pageSize: 16_384 } }), { key }, FORMAT)
  await step(Database.migrate(path, { from: { key }, to: { passphrase: 'p' } }), { passphrase: 'p' }, FORMAT)
  await rejects(Database.migrate(path, { from: { passphrase: 'x' }, to: own }), 'STRONGROOM_WRONG_KEY')
  await rejects(Database.encrypt(path, own), 'STRONGROOM_ENCRYPTED')
  await rejects(Database.migrate(path, { from: { plain: true }, to: own }), 'STRONGROOM_ENCRYPTED')
  const old = { passphrase: 'old', cipherCompatibility: 3, kdfIter: 10 }
  const to = { ...old, format: 'sqlcipher' }
  await step(Database.migrate(path, { from: { passphrase: 'p' }, to }), old, 'sqlcipher')
  await step(Database.migrate(path, { from: old, to: own }), { key }, FORMAT)
})

test('an image is plain, or has a header and opens from memory with its key', () => {
  const own = sealed()
  const db = filled(own)
  const memory = filled(own, ':memory:')
  for (const source of [db, memory]) {
    assertFilled(source.serialize(), {}, 'plain')
    for (const [options, key] of [
      [{ encrypted: true }, own.key],
      [{ key: Buffer.alloc(32, 9) }, Buffer.alloc(32, 9)],
    ]) {
      const image = source.serialize(options)
      assert.equal(image.includes('the cat'), false)
      assertFilled(image, { key })
      assertFilled(new Uint8Array(image), { key, readonly: true })
      refuses(() => new Database(image, { key: randomBytes(32) }), 'STRONGROOM_WRONG_KEY')
      refuses(() => new Database(image, { key, format: 'sqlcipher' }), 'STRONGROOM_OTHER_FORMAT')
      const path = freshPath()
      writeFileSync(path, image)
      assertFilled(path, { key })
    }
  }
  assertFilled(readFileSync(db.name), { key: own.key })
  refuses(() => db.serialize({ key: own.key, format: 'sqlcipher' }), 'STRONGROOM_OTHER_LAYOUT', /back the database up/)
  refuses(() => new Database(db.serialize(), own), 'STRONGROOM_OTHER_FORMAT', /plain/)
  const sqlcipher = filled({ key: own.key }).serialize({ encrypted: true })
  refuses(() => new Database(sqlcipher, own), 'STRONGROOM_OTHER_FORMAT', /"sqlcipher"/)
})

test('several threads and processes write to one file', async () => {
  const own = sealed()
  for (const mode of ['wal', 'delete']) {
    const db = new Database(freshPath(), { ...own, timeout: 60_000 })
    db.pragma(`journal_mode = ${mode}`)
    db.pragma('synchronous = OFF')
    db.exec('CREATE TABLE t (worker, i)')
    const data = (worker) => ({ path: db.name, key: own.key, worker })
    const source = `
      const [path, key, worker] = process.argv.slice(1)
      const db = new (require('strongroom'))(path, { key: Buffer.from(key, 'hex'), timeout: 60_000 })
      db.pragma('synchronous = OFF')
      const insert = db.prepare('INSERT INTO t VALUES (?, ?)')
      for (let i = 0; i < 200; i++) insert.run(worker, i)`
    const running = [1, 2].map((worker) => new Worker(fixture('insert-worker.mjs'), { workerData: data(worker) }))
    for (const worker of ['3', '4'])
      running.push(
        spawn(process.execPath, ['-e', source, '--', db.name, own.key.toString('hex'), worker], {
          cwd: fileURLToPath(new URL('.', import.meta.url)),
          stdio: ['ignore', 'ignore', 'inherit'],
        }),
      )
    for (const [code] of await Promise.all(running.map((each) => once(each, 'exit')))) assert.equal(code, 0)
    const counts = db.prepare('SELECT count(*) FROM t GROUP BY worker ORDER BY worker').pluck().all()
    assert.deepEqual(counts, [200, 200, 200, 200], mode)
    assert.deepEqual(db.check().problems, [])
    db.close()
  }
})

test('a copy of the files of a database in WAL mode opens with every committed row', () => {
  const own = sealed()
  const db = filled(own)
  db.pragma('journal_mode = WAL')
  db.exec("INSERT INTO note (text) VALUES ('in the log')")
  const copy = freshPath()
  for (const ending of ['', '-wal']) copyFileSync(`${db.name}${ending}`, `${copy}${ending}`)
  assert.equal(readFileSync(`${copy}-wal`).includes('in the log'), false)
  const copied = new Database(copy, { key: own.key })
  assert.equal(count(copied), ROWS + 1)
  for (const open of [db, copied]) open.close()
  assert.equal(formatOf(copy), FORMAT)
})
