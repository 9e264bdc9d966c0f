import assert from 'node:assert/strict'
import { test } from 'node:test'
import Database from './database.mjs'

const db = new Database(':memory:')
const text = 'the cat sat on the mat, and the mat was flat. '.repeat(50)

test('zstd_compress and zstd_decompress work, and take a number as the level', () => {
  const compressed = db.prepare('SELECT zstd_compress(?)').pluck().get(text)
  assert.ok(Buffer.isBuffer(compressed))
  assert.ok(compressed.length < text.length / 10)
  assert.equal(db.prepare('SELECT CAST(zstd_decompress(?) AS TEXT)').pluck().get(compressed), text)
  const best = db.prepare('SELECT zstd_compress(?, ?)').pluck().get(text, 19)
  assert.equal(db.prepare('SELECT CAST(zstd_decompress(?) AS TEXT)').pluck().get(best), text)
  assert.throws(() => db.prepare('SELECT zstd_decompress(?)').get(Buffer.from('no frame')), { name: 'SqliteError' })
})

test('full-text search works', () => {
  db.exec("CREATE VIRTUAL TABLE notes USING fts5(body); INSERT INTO notes VALUES ('a cat'), ('a dog')")
  const found = db.prepare('SELECT body FROM notes WHERE notes MATCH ?').pluck().all('cat')
  assert.deepEqual(found, ['a cat'])
})

test('the JSON and math functions work', () => {
  assert.equal(db.prepare("SELECT json_extract(?, '$.a[1]')").pluck().get('{"a":[1,2]}'), 2)
  assert.equal(db.prepare('SELECT sqrt(?)').pluck().get(16), 4)
})
