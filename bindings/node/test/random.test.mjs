import assert from 'node:assert/strict'
import { test } from 'node:test'
import Database from 'strongroom'

/** Every error that wrong use may give; anything else, a crash above all, is a fault. */
const EXPECTED =
  /^(SQLITE_ERROR|SQLITE_ABORT.*|STRONGROOM_BUSY|STRONGROOM_CLOSED|ERR_INVALID_ARG_TYPE|ERR_OUT_OF_RANGE|MINE)$/

/** A generator of numbers below n that gives the same ones for the same seed (mulberry32). */
function numbers(seed) {
  let state = seed
  return (n) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n
  }
}

const STATEMENTS = [
  'SELECT * FROM t',
  'SELECT ?, :y',
  'INSERT INTO t (a, b) VALUES (?, :x)',
  'UPDATE t SET a = a RETURNING *',
  'DELETE FROM t WHERE a = ?',
]

/** Uses a database at random: from within getters, callbacks, transactions and iterators, and after its end. */
function use(seed, steps) {
  const below = numbers(seed)
  const pick = (list) => list[below(list.length)]
  const seen = new Set()
  const [statements, iterators] = [[], []]
  let callback = () => {}
  const db = new Database(':memory:', { verbose: below(2) ? () => callback() : null })
  db.exec('CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2), (3, 4), (5, 6)')

  const mine = () => Object.assign(new Error('mine'), { code: 'MINE' })
  const deeper = (depth, value) => {
    if (depth < 3) step(depth + 1)
    return value
  }
  const values = (depth) =>
    pick([
      [],
      [1],
      [1, { x: 'x' }],
      [{ y: null }, 'z'],
      [
        new Uint8Array(3),
        {
          get x() {
            return deeper(depth, 1n)
          },
        },
      ],
      [
        {
          get y() {
            return deeper(depth, 2)
          },
        },
        5,
      ],
    ])
  const call = (method) => (depth) => pick(statements)?.[method](...values(depth))
  const actions = [
    () => statements.push(db.prepare(pick(STATEMENTS))),
    call('run'),
    call('get'),
    call('all'),
    (depth) => statements.length > 0 && iterators.push(call('iterate')(depth)),
    () => pick(iterators)?.next(),
    () => pick(iterators)?.next(),
    () => {
      for (const iterator of iterators.splice(0)) iterator.return()
    },
    () => db.exec(pick(['DELETE FROM t', 'INSERT INTO t (a) VALUES (9)', 'BEGIN', 'COMMIT', 'ROLLBACK'])),
    () => db.exec(`ALTER TABLE t ADD COLUMN c${below(1e6)}`),
    (depth) =>
      db.transaction(() => {
        for (let i = 0; i < 3; i++) deeper(depth)
        if (below(2)) throw mine()
      })(),
    (depth) => {
      callback = () => {
        deeper(depth)
        if (below(5) === 0) throw mine()
      }
    },
    () => {
      callback = () => {}
    },
    () => pick(statements)?.[pick(['raw', 'pluck', 'safeIntegers'])](below(2) === 1),
    () => statements.splice(below(statements.length + 1), 1),
    () => below(100) === 0 && db.close(),
  ]
  function step(depth) {
    try {
      pick(actions)(depth)
    } catch (error) {
      assert.match(`${error.code}`, EXPECTED, error.stack)
      seen.add(error.code)
    }
  }
  for (let i = 0; i < steps; i++) step(0)
  return seen
}

test('random use gives the expected errors, and no other', () => {
  const seen = new Set()
  for (let seed = 1; seed <= 40; seed++) for (const code of use(seed, 1000)) seen.add(code)
  for (const code of ['STRONGROOM_BUSY', 'STRONGROOM_CLOSED', 'ERR_OUT_OF_RANGE', 'SQLITE_ERROR', 'MINE'])
    assert.ok(seen.has(code), `${code} was never seen`)
})
