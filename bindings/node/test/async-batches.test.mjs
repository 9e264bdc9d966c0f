// How far an iterator of the asynchronous class reads ahead. The test plays the part of the thread, so that it sees each
// request, and decides when a batch arrives.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

const require = createRequire(import.meta.url)
const folder = join(dirname(require.resolve('strongroom/async')), 'async')
const { Iteration } = require(join(folder, 'iteration.js'))
const { END, MORE, ROWS_REPLY, START } = require(join(folder, 'hub.js'))

const KIND = 15

/** Returns an iteration, the requests that it makes, and a function that lets the oldest request arrive. */
function started(rowOf = (at) => ({ at })) {
  const requests = []
  const ended = []
  const ints = new Int32Array(16)
  let batch = []
  const hub = {
    calls: { ints, putAll() {} },
    thread: 0,
    ticket: () => 1,
    forget() {},
    expect() {},
    arrived() {},
    submit(_database, _lane, _ticket, flags, limit) {
      if ((flags & KIND) === END) ended.push(true)
      else requests.push({ kind: flags & KIND, limit })
    },
  }
  const nothing = () => {}
  const session = {
    hub,
    handle: {},
    open: true,
    native: { cancel: () => 'running' },
    readers: { remove: () => false, released: nothing },
    enter: nothing,
    leave: nothing,
  }
  const scope = {
    session,
    flags: 0,
    live: true,
    line: { opened: nothing, ended: nothing, remove: () => false },
    ready: nothing,
    joined: nothing,
    left: nothing,
    opened: nothing,
    closed: nothing,
    route: (call) => call.start(),
  }
  const sql = { reads: true, settings: [], reader: () => ({ many: (rows) => rows.push(...batch) }) }
  const iteration = new Iteration(scope, { sql, shape: 'object', bigints: false, method: started })
  let count = 0
  return {
    requests,
    ended,
    next: () => iteration.next({}),
    leave: () => iteration.leave(),
    /** Answers the only open request with as many rows as it asks for. */
    arrive(complete = false) {
      const { limit } = requests.shift()
      batch = Array.from({ length: limit }, () => rowOf(count++))
      ints[0] = batch.length
      ints[1] = complete ? 1 : 0
      iteration.cursor.receive(ROWS_REPLY, undefined)
    },
  }
}

test('the batches grow to 128 rows, and at most one is requested while the consumer has another', async () => {
  const { requests, next, arrive } = started()
  const limits = []
  for (let at = 0; at < 1000; at++) {
    const row = next()
    assert.ok(requests.length <= 1)
    while (requests.length > 0) {
      limits.push(requests[0].limit)
      assert.equal(requests[0].kind, limits.length === 1 ? START : MORE)
      arrive()
    }
    assert.deepEqual(await row, { done: false, value: { at } })
  }
  assert.deepEqual(limits.slice(0, 10), [1, 2, 4, 8, 16, 32, 64, 128, 128, 128])
})

test('a consumer that does not read holds two batches at most', async () => {
  const { requests, next, arrive } = started()
  let rows = 0
  let taken = 0
  const first = next()
  while (requests.length > 0) {
    rows += requests[0].limit
    arrive()
  }
  await first
  // The first row is taken. The batch of two rows is in the consumer's hands, and the batch of four is ahead.
  assert.equal(rows, 7)
  for (taken = 1; taken < 5000; taken++) {
    await next()
    while (requests.length > 0) {
      rows += requests[0].limit
      arrive()
    }
    assert.ok(rows - taken <= 256, `${rows - taken} rows are held`)
  }
})

test('nothing is read ahead of a batch with a large row', async () => {
  const { requests, next, arrive } = started((at) => ({ at, blob: Buffer.alloc(300_000) }))
  const first = next()
  arrive()
  await first
  // The consumer has taken the row, so the next batch may be requested.
  assert.deepEqual(requests, [{ kind: MORE, limit: 2 }])
  arrive()
  assert.deepEqual(requests, [])
  await next()
  assert.deepEqual(requests, [])
  await next()
  const fourth = next()
  assert.deepEqual(requests, [{ kind: MORE, limit: 4 }])
  arrive()
  assert.equal((await fourth).value.at, 3)
})

test('nothing is requested after the last batch, and leaving early ends the statement once', async () => {
  const whole = started()
  const first = whole.next()
  whole.arrive(true)
  assert.equal((await first).done, false)
  assert.deepEqual(await whole.next(), { done: true, value: undefined })
  assert.deepEqual([whole.requests, whole.ended], [[], []])
  const early = started()
  const row = early.next()
  early.arrive()
  await row
  early.leave()
  early.leave()
  assert.deepEqual(await early.next(), { done: true, value: undefined })
  assert.deepEqual(early.ended, [true])
})
