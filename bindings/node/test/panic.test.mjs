import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import Database from 'strongroom'

const require = createRequire(import.meta.url)
const dist = dirname(require.resolve('strongroom'))
const loader = join(dist, 'load/loader.js')

test('a panic in the addon is an error, after which the addon still works', () => {
  const db = new Database(':memory:')
  const { addon } = require(loader)
  assert.throws(
    () => addon.panicForTest('the roof is on fire'),
    (error) => {
      assert.ok(error instanceof Error)
      assert.match(error.message, /the roof is on fire/)
      return true
    },
  )
  assert.equal(db.prepare('SELECT 1').pluck().get(), 1)
})

test('the public API throws a panic as STRONGROOM_INTERNAL', () => {
  const { fromNative } = require(join(dist, 'api/errors.js'))
  const { addon } = require(loader)
  let error
  try {
    addon.panicForTest('once more')
  } catch (thrown) {
    error = fromNative(thrown)
  }
  assert.ok(error instanceof Database.SqliteError)
  assert.equal(error.code, 'STRONGROOM_INTERNAL')
  assert.match(error.message, /internal error.*once more/)
})

test('a process that caught a panic ends by itself, with its own exit code', () => {
  const script = `
    const { addon } = require(${JSON.stringify(loader)})
    for (let i = 0; i < 3; i++) try { addon.panicForTest('x') } catch {}
    process.exitCode = 5`
  const { status, signal } = spawnSync(process.execPath, ['-e', script])
  assert.deepEqual({ status, signal }, { status: 5, signal: null })
})
