// The asynchronous contexts in which the asynchronous class runs the functions of its callers.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { codeOf, deferred, openMemory, openWal } from './async-database.mjs'
import { freshPath } from './temporary.mjs'

const storage = new AsyncLocalStorage()

// A transaction that waits is begun by the reply to another call, in whose context the callback must not run.
test('callbacks run in the context of their caller, also after waiting', async (t) => {
  for (const db of [await openWal(t, { readers: 1 }), await openMemory(t)]) {
    const gate = deferred()
    const seen = []
    const note = () => seen.push(storage.getStore())
    const calls = [
      storage.run('first', () => db.transaction(() => gate.promise)),
      ...['a', 'b'].map((name) =>
        storage.run(name, () =>
          db.transaction(async (tx) => {
            note()
            await tx.transaction(async () => {
              await wait(1)
              note()
            })
          }),
        ),
      ),
      ...['c', 'd'].map((name) => storage.run(name, () => db.read(note))),
    ]
    gate.resolve()
    await Promise.all(calls)
    assert.deepEqual(seen.sort(), ['a', 'a', 'b', 'b', 'c', 'd'])
  }
})

test('a transaction of another database inside a callback knows both', async (t) => {
  const outer = await openMemory(t)
  const inner = await openMemory(t)
  const gate = deferred()
  const blocking = inner.transaction(() => gate.promise)
  await outer.transaction(async () => {
    const waiting = inner.transaction(async () => {
      assert.equal(await codeOf(outer.get('SELECT 1')), 'STRONGROOM_IN_TRANSACTION')
      assert.equal(await codeOf(inner.get('SELECT 1')), 'STRONGROOM_IN_TRANSACTION')
    })
    gate.resolve()
    await waiting
    await inner.get('SELECT 1')
  })
  await blocking
})

test('progress functions run in the context of their caller', async (t) => {
  const db = await openWal(t, {}, 2000)
  const seen = []
  const progress = () => void seen.push(storage.getStore())
  await storage.run('backup', () => db.backup(freshPath(), { progress }))
  await storage.run('copy', () => db.backup(freshPath(), { progress, key: Buffer.alloc(32, 9), pageSize: 8192 }))
  await storage.run('check', () => db.check({ progress }))
  assert.ok(seen.length > 3)
  assert.deepEqual(
    seen.filter((name) => !['backup', 'copy', 'check'].includes(name)),
    [],
  )
})

test('work that a callback leaves behind does not keep its database', async (t) => {
  const db = await openMemory(t)
  let later
  const gate = deferred()
  await db.transaction(() => {
    later = gate.promise.then(() => db.transaction((tx) => tx.get('SELECT 1 AS x')))
  })
  gate.resolve()
  assert.deepEqual(await later, { x: 1 })
})
