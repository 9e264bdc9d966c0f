import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import Database, { SqliteError } from 'strongroom'
import * as async from 'strongroom/async'

test('import returns the class and the error class', () => {
  const db = new Database(':memory:')
  assert.ok(db instanceof Database)
  assert.equal(Database.SqliteError, SqliteError)
  assert.equal(db.prepare('SELECT 1 + 1').pluck().get(), 2)
  db.close()
})

test('require returns the same classes', () => {
  assert.equal(createRequire(import.meta.url)('strongroom'), Database)
})

test('the class works without new, and can be extended', () => {
  const called = Database(':memory:')
  assert.ok(called instanceof Database)
  class Cats extends Database {
    count() {
      return this.prepare('SELECT 3').pluck().get()
    }
  }
  const cats = new Cats(':memory:')
  assert.ok(cats instanceof Cats && cats instanceof Database)
  assert.equal(cats.count(), 3)
})

test('import and require of the asynchronous class return the same classes', async () => {
  const required = createRequire(import.meta.url)('strongroom/async')
  assert.deepEqual({ ...async }, { ...required })
  assert.deepEqual(Object.keys(required).sort(), [
    'AsyncDatabase',
    'AsyncRowIterator',
    'AsyncSnapshot',
    'AsyncStatement',
    'AsyncTransaction',
    'SqliteError',
    'open',
  ])
  assert.equal(async.SqliteError, SqliteError)
  const db = await async.open()
  assert.ok(db instanceof async.AsyncDatabase)
  await db.close()
})
