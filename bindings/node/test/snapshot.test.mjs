// A loop over an iterator sees one state of the database, whatever other connections write during the loop.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import Database from './database.mjs'
import { freshPath } from './temporary.mjs'

for (const options of [{}, { key: Buffer.alloc(32, 1) }]) {
  const kind = options.key ? 'an encrypted' : 'a plain'

  for (const rows of [1, 2, 3, 7, 8, 9, 600]) {
    test(`in WAL mode, a loop sees ${kind} database of ${rows} rows as it was when the loop began`, () => {
      const path = freshPath()
      const [reader, writer] = [new Database(path, options), new Database(path, options)]
      reader.pragma('journal_mode = WAL')
      reader.exec('CREATE TABLE account (id INTEGER PRIMARY KEY, balance)')
      const insert = reader.prepare('INSERT INTO account (balance) VALUES (10)')
      reader.transaction(() => {
        for (let i = 0; i < rows; i++) insert.run()
      })()
      const balance = reader.prepare('SELECT balance FROM account WHERE id = ?').pluck()
      let sum = 0
      for (const { id } of reader.prepare('SELECT id FROM account ORDER BY id').iterate()) {
        writer.exec('UPDATE account SET balance = balance + 1')
        sum += balance.get(id)
      }
      assert.equal(sum, 10 * rows)
      assert.equal(balance.get(1), 10 + rows)
      reader.close()
      writer.close()
    })
  }

  test(`in DELETE mode, no other connection can write to ${kind} database before the loop ends`, () => {
    const path = freshPath()
    const [reader, writer] = [new Database(path, options), new Database(path, { ...options, timeout: 0 })]
    reader.exec('CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)')
    let seen = 0
    for (const _ of reader.prepare('SELECT id FROM t').iterate()) {
      seen++
      assert.throws(() => writer.exec('INSERT INTO t DEFAULT VALUES'), { code: 'SQLITE_BUSY' })
    }
    assert.equal(seen, 3)
    writer.exec('INSERT INTO t DEFAULT VALUES')
    for (const _ of reader.prepare('SELECT id FROM t').iterate()) break
    writer.exec('INSERT INTO t DEFAULT VALUES')
    reader.close()
    writer.close()
  })
}

test('a loop sees an attached database as it was when the loop began', () => {
  const path = freshPath()
  const writer = new Database(path)
  writer.pragma('journal_mode = WAL')
  writer.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 10), (2, 10), (3, 10)')
  const reader = new Database(':memory:')
  reader.attach(path, 'other')
  const v = reader.prepare('SELECT v FROM other.t WHERE id = ?').pluck()
  const seen = []
  for (const { id } of reader.prepare('SELECT id FROM other.t').iterate()) {
    writer.exec('UPDATE t SET v = v + 1')
    seen.push(v.get(id))
  }
  assert.deepEqual(seen, [10, 10, 10])
  reader.close()
  writer.close()
})
