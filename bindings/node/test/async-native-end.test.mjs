// The end of threads, workers and processes, seen through the addon's asynchronous interface.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import Database from 'strongroom'
import { Client } from './async-native.mjs'
import { freshPath } from './temporary.mjs'
import { ownThreads } from './threads.mjs'

const client = new URL('./async-native.mjs', import.meta.url).href
const noThreadList = existsSync('/proc/self/task') ? false : 'the system does not list the threads of a process'

/** Waits until the addon has no thread. */
async function noThreads() {
  for (let tries = 0; ownThreads().length > 0; tries++) {
    assert.ok(tries < 2000, `${ownThreads().length} threads`)
    await wait(5)
  }
}

/** Runs a module in a process of its own. */
function run(body, ...args) {
  const script = `
    import { Client, COUNT, GET, LONG, READERS } from ${JSON.stringify(client)}
    const db = await Client.open(${JSON.stringify(freshPath())}, {}, 1)
    await db.exec('CREATE TABLE t (a); INSERT INTO t VALUES (1)')
    ${body}`
  return spawnSync(process.execPath, [...args, '--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 30_000,
  })
}

test('200 databases with readers open and close without a thread left', { skip: noThreadList }, async () => {
  const path = freshPath()
  for (let i = 0; i < 200; i++) {
    const db = await Client.open(path, {}, 2)
    await db.exec('CREATE TABLE IF NOT EXISTS t (a)')
    await db.close()
    // The writer's thread replies that everything is closed, and ends.
    await noThreads()
  }
})

test('a process with an open database and no pending call ends', () => {
  const { status, signal, stderr } = run('')
  assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' })
})

test('a pending call keeps the process alive', () => {
  const { status, stdout } = run('db.get(COUNT, [300000]).then(({ sum }) => console.log(sum))')
  assert.deepEqual({ status, stdout }, { status: 0, stdout: '45000150000\n' })
})

for (const [name, end, status] of [
  ['process.exit', 'setTimeout(() => process.exit(7), 50)', 7],
  ['an uncaught exception', 'setTimeout(() => { throw new Error("x") }, 50)', 1],
  ['process.exit at once', 'process.exit(7)', 7],
])
  test(`${name} interrupts the running calls`, () => {
    const started = performance.now()
    const ended = run(`
      db.get(COUNT, [LONG]).catch(() => {})
      db.get(COUNT, [LONG], { lane: READERS }).catch(() => {})
      ${end}`)
    assert.deepEqual([ended.status, ended.signal], [status, null], ended.stderr)
    // The exit waits for threads for at most 10 seconds.
    assert.ok(performance.now() - started < 9000)
  })

test('a worker that is terminated in a query leaves no thread', { skip: noThreadList }, async () => {
  const path = freshPath()
  const script = `
    import { parentPort } from 'node:worker_threads'
    import { Client, ALL, COUNT, GET, LONG, READERS } from ${JSON.stringify(client)}
    const db = await Client.open(${JSON.stringify(path)}, {}, 2)
    await db.exec('CREATE TABLE IF NOT EXISTS t (a)')
    await db.run('INSERT INTO t VALUES (1)')
    db.get(COUNT, [LONG])
    db.get(COUNT, [LONG], { lane: READERS })
    // The thread waits for JavaScript, which never reads all rows.
    db.all(COUNT.replace('sum(i) AS sum', 'zeroblob(1000) AS a'), [LONG], { lane: READERS })
    parentPort.postMessage('runs')`
  for (let i = 0; i < 10; i++) {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`))
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    await worker.terminate()
  }
  await noThreads()
  const db = new Database(path)
  assert.deepEqual(db.prepare('SELECT count(*) AS n FROM t').get(), { n: 10 })
  db.close()
})

test('a worker that ends by itself leaves no thread', { skip: noThreadList }, async () => {
  const script = `
    import { Client } from ${JSON.stringify(client)}
    await Client.open(':memory:')`
  for (let i = 0; i < 10; i++) {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(script)}`))
    const code = await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
    assert.equal(code, 0)
  }
  await noThreads()
})

test('a database that JavaScript has lost closes its threads', { skip: noThreadList }, () => {
  const { status, stderr } = run(
    `
    import { ownThreads } from ${JSON.stringify(new URL('./threads.mjs', import.meta.url))}
    await (async () => { await (await Client.open(':memory:')).get('SELECT 1') })()
    await db.close()
    for (let i = 0; ownThreads().length > 0 && i < 200; i++) {
      gc()
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    if (ownThreads().length > 0) throw new Error(ownThreads().length + ' threads')`,
    '--expose-gc',
  )
  assert.equal(status, 0, stderr)
})
