// The cost of a call, of a row, and of the forms of rows. All values are integers, which are cheap.
import { loop, series } from './loop.mjs'

const ROWS = 1_000
const TEN = 'abcdefghij'.split('')
const PAIRS = `CREATE TABLE pair (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO pair ${series(ROWS, 'i, i * 3')}`
const WIDE = `CREATE TABLE wide (${TEN.join(', ')}); INSERT INTO wide ${series(ROWS, TEN.map((_, at) => `i + ${at}`).join(', '))}`

const noPluck = ({ pluck, preparePlucked }) => (pluck || preparePlucked ? undefined : 'has no pluck')
const noRaw = ({ raw }) => (raw ? undefined : 'has no rows as arrays')

/** Prepares a statement that returns the first column of each row. */
function plucked(peer, db, sql) {
  return peer.preparePlucked ? peer.preparePlucked(db, sql) : peer.pluck(peer.prepare(db, sql))
}

export const calls = [
  loop({
    name: 'get-1-integer',
    title: 'get: a constant',
    sql: 'SELECT 1 AS v',
    call: (peer, statement) => peer.get(statement).v,
  }),
  loop({
    name: 'get-1-bound',
    title: 'get: a bound integer',
    sql: 'SELECT ? AS v',
    binds: 'index',
    call: (peer, statement, _, i) => peer.get1(statement, i).v,
  }),
  loop({
    name: 'get-10-integers',
    title: 'get: ten integers',
    schema: WIDE,
    sql: 'SELECT * FROM wide LIMIT 1',
    call(peer, statement) {
      const { a, j } = peer.get(statement)
      return a + j
    },
  }),
  loop({
    name: 'all-2-integers',
    title: 'all: a row of two integers',
    schema: PAIRS,
    sql: 'SELECT id, n FROM pair',
    rows: ROWS,
    call: sumOfPairs,
  }),
  loop({
    name: 'all-10-integers',
    title: 'all: a row of ten integers',
    schema: WIDE,
    sql: 'SELECT * FROM wide',
    rows: ROWS,
    call(peer, statement) {
      const rows = peer.all(statement)
      let sum = 0
      for (let i = 0; i < rows.length; i++) sum += rows[i].a + rows[i].j
      return sum
    },
  }),
  loop({
    name: 'iterate-2-integers',
    title: 'iterate: a row of two integers',
    schema: PAIRS,
    sql: 'SELECT id, n FROM pair',
    rows: ROWS,
    lacks: ({ iterate }) => (iterate ? undefined : 'has no iterator'),
    call(peer, statement) {
      let sum = 0
      for (const { n } of peer.iterate(statement)) sum += n
      return sum
    },
  }),
  loop({
    name: 'pluck-get',
    title: 'get with pluck: a constant',
    sql: 'SELECT 1 AS v',
    prepare: plucked,
    lacks: noPluck,
    call: (peer, statement) => peer.get(statement),
  }),
  loop({
    name: 'pluck-all',
    title: 'all with pluck: an integer',
    schema: PAIRS,
    sql: 'SELECT n FROM pair',
    prepare: plucked,
    rows: ROWS,
    lacks: noPluck,
    call(peer, statement) {
      const values = peer.all(statement)
      let sum = 0
      for (let i = 0; i < values.length; i++) sum += values[i]
      return sum
    },
  }),
  loop({
    name: 'raw-all',
    title: 'all with raw: a row of two integers',
    schema: PAIRS,
    sql: 'SELECT id, n FROM pair',
    prepare: (peer, db, sql) => peer.raw(peer.prepare(db, sql)),
    rows: ROWS,
    lacks: noRaw,
    call(peer, statement) {
      const rows = peer.all(statement)
      let sum = 0
      for (let i = 0; i < rows.length; i++) sum += rows[i][1]
      return sum
    },
  }),
  loop({
    name: 'run-nothing',
    title: 'run: an UPDATE that changes nothing',
    schema: PAIRS,
    sql: 'UPDATE pair SET n = n WHERE id = -1',
    call: (peer, statement) => peer.run(statement).changes,
  }),
  loop({
    name: 'prepare-again',
    title: 'prepare: the same SQL again',
    schema: PAIRS,
    prepare: (_, db) => db,
    call: (peer, db) => (peer.prepare(db, 'SELECT id, n FROM pair WHERE id = ?') ? 1 : 0),
  }),
]

function sumOfPairs(peer, statement) {
  const rows = peer.all(statement)
  let sum = 0
  for (let i = 0; i < rows.length; i++) sum += rows[i].n
  return sum
}
