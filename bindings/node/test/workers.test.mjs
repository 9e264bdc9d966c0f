import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as threads from 'node:worker_threads'
import Database from './database.mjs'
import { freshPath } from './temporary.mjs'

const fixture = (name) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))

test('threads that each open the file work side by side', async () => {
  const path = freshPath()
  const key = Buffer.alloc(32, 7)
  const db = new Database(path, { key })
  db.pragma('journal_mode = WAL')
  db.exec('CREATE TABLE t (worker, i)')
  const workers = [1, 2, 3].map(
    (worker) => new threads.Worker(fixture('insert-worker.mjs'), { workerData: { path, key, worker } }),
  )
  await Promise.all(
    workers.map(async (worker) => {
      const [code] = await once(worker, 'exit')
      assert.equal(code, 0)
    }),
  )
  const counts = db.prepare('SELECT worker, count(*) AS n FROM t GROUP BY worker ORDER BY worker').raw().all()
  assert.deepEqual(counts, [
    [1, 200],
    [2, 200],
    [3, 200],
  ])
})

test('a database or a statement cannot be posted to another thread', (t) => {
  if (threads.markAsUncloneable === undefined) return t.skip('this Node cannot mark objects as uncloneable')
  const db = new Database(':memory:')
  for (const value of [db, { inside: [db] }, db.prepare('SELECT 1')])
    assert.throws(() => structuredClone(value), { name: 'DataCloneError' })
})

test('a worker can be terminated during a query, and the process continues', async () => {
  const worker = new threads.Worker(fixture('endless-worker.mjs'))
  await once(worker, 'message')
  await worker.terminate()
  assert.equal(new Database(':memory:').prepare('SELECT 1').pluck().get(), 1)
})

test('an addon that only workers load survives 100 workers', () => {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [fixture('hundred-workers.mjs')], {
    encoding: 'utf8',
  })
  assert.deepEqual({ status, signal, stdout, stderr }, { status: 0, signal: null, stdout: '100\n', stderr: '' })
})
