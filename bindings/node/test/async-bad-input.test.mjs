// Calls every method of the asynchronous class with random arguments: no method throws, every promise settles, and the
// database remains usable.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open, openMemory } from './async-database.mjs'
import { freshPath } from './temporary.mjs'

const SEED = 21

/** Returns a function that returns numbers from 0 to `count - 1`, the same for each run (mulberry32). */
function random(seed) {
  let state = seed
  return (count) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count
  }
}

const { proxy: revoked, revoke } = Proxy.revocable({}, {})
revoke()
const detached = new ArrayBuffer(8)
const view = new Uint8Array(detached)
structuredClone(detached, { transfer: [detached] })

const throwing = (name) => ({
  get [name]() {
    throw new Error('of a getter')
  },
})

const VALUES = [
  undefined,
  null,
  0,
  -1,
  1.5,
  Number.NaN,
  Number.MAX_VALUE,
  7n,
  2n ** 64n,
  true,
  '',
  'text',
  '\ud800',
  'a\0b',
  Symbol('s'),
  [],
  [1, 'a', null],
  [[1], [2]],
  [{}],
  [Symbol('s')],
  { a: 1 },
  { a: Symbol('s') },
  { signal: 5 },
  { signal: AbortSignal.abort(new Error('aborted')) },
  { signal: {}, simple: 'yes' },
  { behavior: 5 },
  { progress: 5 },
  { progress: () => Symbol('s') },
  { attached: 'missing' },
  { key: Buffer.alloc(31) },
  throwing('a'),
  throwing('signal'),
  new Proxy([], {
    get() {
      throw new Error('of a proxy')
    },
  }),
  revoked,
  new Map(),
  new Date(Number.NaN),
  Buffer.alloc(3),
  view,
  detached,
  new SharedArrayBuffer(8),
  () => 5,
  () => Promise.reject(new Error('of a callback')),
  class {},
  Promise.resolve(5),
  Promise,
]
const SQL = [
  'SELECT ?',
  'SELECT :a',
  'SELECT 1',
  'INSERT INTO t (text) VALUES (?)',
  'BEGIN',
  'COMMIT',
  'nonsense',
  'DELETE FROM t RETURNING id',
  'PRAGMA journal_mode',
  'user_version',
]

const METHODS = {
  run: 3,
  get: 3,
  all: 3,
  iterate: 3,
  exec: 2,
  pragma: 2,
  prepare: 2,
  transaction: 2,
  read: 2,
  backup: 2,
  check: 1,
  rekey: 2,
}

/** Calls a method. Returns a promise that resolves once the call has settled. */
async function settle(target, method, values) {
  let result
  try {
    result = target[method](...values)
  } catch (error) {
    throw new Error(`${method} threw`, { cause: error })
  }
  const promise = method === 'iterate' ? result.next() : result
  assert.ok(promise instanceof Promise, method)
  await promise.then(
    () => method === 'iterate' && result.return(),
    () => {},
  )
}

for (const [name, make] of [
  ['with one connection', (t) => openMemory(t, { timeout: 50 })],
  [
    'with readers',
    async (t) => {
      const db = await open(t, freshPath(), { timeout: 50 })
      await db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT); PRAGMA journal_mode = WAL')
      return db
    },
  ],
])
  test(`random arguments reject or have a result ${name}, seed ${SEED}`, async (t) => {
    const db = await make(t)
    const next = random(SEED)
    const value = () => VALUES[next(VALUES.length)]
    const names = Object.keys(METHODS)
    for (let round = 0; round < 40; round++) {
      const calls = []
      for (let i = 0; i < 25; i++) {
        const method = names[next(names.length)]
        const values = Array.from({ length: next(METHODS[method] + 2) }, value)
        if (values.length > 0 && next(2) === 0) values[0] = SQL[next(SQL.length)]
        // A path that is not a path of this test would write into the current folder.
        if (method === 'backup' && typeof values[0] === 'string' && values[0] !== '') values[0] = freshPath()
        calls.push(settle(db, method, values))
      }
      await Promise.all(calls)
    }
    const inside = { run: 3, get: 3, all: 3, iterate: 3, exec: 2, pragma: 2, prepare: 2, transaction: 2 }
    await db
      .transaction(async (tx) => {
        for (let i = 0; i < 200; i++) {
          const method = Object.keys(inside)[next(8)]
          await settle(tx, method, Array.from({ length: next(4) }, value))
        }
      })
      .catch((error) => assert.equal(error.code, 'STRONGROOM_TRANSACTION_ENDED'))
    await db.run('INSERT INTO t DEFAULT VALUES')
    assert.ok((await db.get('SELECT count(*) AS rows FROM t')).rows > 0)
  })
