'use strict'
const assert = require('node:assert/strict')
const { test } = require('node:test')
const Database = require('strongroom')

test('require returns the class, which has the error class as a property', () => {
  assert.equal(typeof Database, 'function')
  assert.equal(Database.name, 'Database')
  const db = new Database(':memory:')
  assert.ok(db instanceof Database)
  assert.equal(db.constructor, Database)
  assert.throws(() => db.exec('nonsense'), Database.SqliteError)
  db.close()
})

test('import returns the same classes', async () => {
  const module = await import('strongroom')
  assert.equal(module.default, Database)
  assert.equal(module.SqliteError, Database.SqliteError)
})
