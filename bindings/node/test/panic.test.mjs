import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import Database from './database.mjs'
import { freshPath } from './temporary.mjs'

const require = createRequire(import.meta.url)
const dist = dirname(require.resolve('strongroom'))
const loader = join(dist, 'load/loader.js')

test('a panic in the addon throws an error, and the addon still works', () => {
  const db = new Database(':memory:')
  const addon = require(loader).addon()
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
  const addon = require(loader).addon()
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

test('a process that caught a panic ends normally, with its own exit code', () => {
  const script = `
    const addon = require(${JSON.stringify(loader)}).addon()
    for (let i = 0; i < 3; i++) try { addon.panicForTest('x') } catch {}
    process.exitCode = 5`
  const { status, signal } = spawnSync(process.execPath, ['-e', script])
  assert.deepEqual({ status, signal }, { status: 5, signal: null })
})

// Without `catch_unwind` the process would abort, so the exports are called in a process of their own.
test('a panic in any export throws an error', () => {
  const script = `
    const addon = require(${JSON.stringify(loader)}).addon()
    const ignore = () => {}
    const backupPath = ${JSON.stringify(freshPath())}
    const sql = { name: 'f', deterministic: false, directOnly: false, bigints: false, registration: 1 }
    const calls = {
      NativeDatabase: { function: [sql, ignore], aggregate: [sql, [ignore, ignore, ignore, ignore]],
        table: ['t', true, 1, ignore], takeReleased: [], prepare: ['SELECT 1'], exec: ['SELECT 1'], close: [], rekey: ['main', {}, ignore], defensive: [true],
        keySlots: ['main'], addKeySlot: ['main', { relabel: false }], removeKeySlot: ['main', ''],
        changeKeySlot: ['main', '', { relabel: false }], rotation: [{ secrets: [], dropOthers: false, timeout: 0 }],
        attach: ['a', { plain: true, readonly: false, mustExist: false }], detach: ['a'], loadExtension: ['a'], check: ['main', ignore],
        backup: ['main', backupPath, undefined, false], serialize: ['main'], serializeEncrypted: ['main', undefined] },
      NativeBackup: { step: [1], complete: [], progress: [], result: [], cancel: [] },
      NativeStatement: { parameters: [], columns: [], layout: [false, false], bind: [[]], handle: [] },
      NativeMigration: {},
      NativeRotation: {},
      NativeSql: {},
      NativeAsyncDatabase: { addReader: [2], dropReaders: [3], setting: ['SELECT 1'], cancel: [4],
        backup: [0, 5, { schema: 'main', path: backupPath, plain: false }], backupStep: [0, 5, 1], backupComplete: [0, 5],
        backupEnd: [0, 5], check: [0, 6, 'main'], rekey: [7, 'main', {}], close: [8] },
    }
    const options = { readonly: false, mustExist: false, timeout: 0, log: false }
    const open = () => new addon.NativeDatabase(options)
    const sealed = { path: ${JSON.stringify(freshPath())}, key: { key: new Uint8Array(32), format: 'strongroom' } }
    const rotation = () => new addon.NativeDatabase({ ...options, ...sealed }).rotation({ secrets: [], dropOthers: false, timeout: 0 })
    const migration = () => new addon.NativeMigration({ path: '', timeout: 0 })
    const [hub, ...asynchronous] = addon.asynchronous(ignore, ignore, false)
    const openAsynchronous = () => new addon.NativeAsyncDatabase(hub, options, 1)
    const instances = {
      NativeSql: new addon.NativeSql('SELECT 1'), NativeAsyncDatabase: openAsynchronous(),
      NativeDatabase: open(), NativeStatement: open().prepare('SELECT 1'), NativeMigration: migration(),
      NativeBackup: open().backup('main', backupPath, undefined, false), NativeRotation: rotation(),
    }
    const outcomes = {}
    const provoke = (name, call) => {
      addon.panicForTest('', true)
      try {
        call()
        outcomes[name] = 'no error'
      } catch (error) {
        outcomes[name] = error.code + ': ' + error.message
      }
    }
    for (const [name, value] of Object.entries(addon)) {
      const instance = instances[name]
      if (instance === undefined) {
        if (value !== addon.panicForTest) provoke(name, value)
        continue
      }
      for (const [property, { get }] of Object.entries(Object.getOwnPropertyDescriptors(value.prototype))) {
        if (property === 'constructor') continue
        const args = calls[name][property] ?? []
        provoke(name + '.' + property, () => (get ? instance[property] : instance[property](...args)))
      }
    }
    const [, , ...functions] = addon.calls()
    const handle = open().prepare('SELECT 1').handle()
    for (const call of functions) provoke('calls: ' + call.name, () => call(handle, 0, ignore))
    for (const call of asynchronous) provoke('asynchronous: ' + call.name, call)
    provoke('new NativeAsyncDatabase', openAsynchronous)
    provoke('new NativeSql', () => new addon.NativeSql('SELECT 1'))
    provoke('new NativeDatabase', open)
    provoke('new NativeMigration', migration)
    console.log(JSON.stringify(outcomes))`
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
  assert.deepEqual({ status, signal }, { status: 0, signal: null }, stderr)
  const outcomes = JSON.parse(stdout)
  for (const name of [
    'version',
    'new NativeDatabase',
    'NativeDatabase.inTransaction',
    'NativeStatement.layout',
    'calls: run',
    'calls: end',
    'NativeMigration.poll',
    'NativeBackup.step',
    'NativeDatabase.addKeySlot',
    'NativeRotation.start',
    'asynchronous',
    'asynchronous: submit',
    'new NativeAsyncDatabase',
    'NativeAsyncDatabase.backupStep',
    'NativeSql.parameters',
  ])
    assert.ok(name in outcomes, name)
  for (const [name, outcome] of Object.entries(outcomes))
    assert.match(outcome, /^GenericFailure: .*requested by a test/, name)
})
