// Reading messages: a scan, single rows, pages of rows, an iterator, and full-text search.
import { ids, WORDS } from '../data.mjs'

const COLUMNS = 'id, body, bin, n'

function opened({ peer, file, key }, sql) {
  const db = peer.open(file, key)
  return { peer, db, statement: peer.prepare(db, sql) }
}

const finish = ({ peer, db }) => peer.close(db)

export const reading = [
  {
    name: 'scan',
    title: 'scan a 30 MB table with a cold cache',
    unit: 'ms',
    count: 1,
    instructions: 1,
    fixture: 'messages',
    setup: (given) =>
      opened(given, 'SELECT sum(length(body)) AS text, sum(length(bin)) AS bin, sum(n) AS n FROM message'),
    run({ peer, statement }) {
      const { text, bin, n } = peer.get(statement)
      return `${text} ${bin} ${n}`
    },
    finish,
  },
  {
    name: 'get',
    title: '100,000 random gets',
    unit: 'ms',
    count: 100_000,
    instructions: 4_000,
    fixture: 'messages',
    setup(given) {
      const state = opened(given, `SELECT ${COLUMNS} FROM message WHERE id = ?`)
      const wanted = ids(given.count, given.fixtureCount)
      for (let i = 0; i < 5_000; i++) given.peer.get1(state.statement, wanted[i % wanted.length])
      return { ...state, wanted }
    },
    run({ peer, statement, wanted }) {
      let sum = 0
      for (let i = 0; i < wanted.length; i++) sum += peer.get1(statement, wanted[i]).n
      return sum
    },
    finish,
  },
  {
    name: 'all-100',
    title: '2,000 × all of 100 rows',
    unit: 'ms',
    count: 2_000,
    instructions: 80,
    fixture: 'messages',
    setup(given) {
      const state = opened(given, `SELECT ${COLUMNS} FROM message WHERE id >= ? ORDER BY id LIMIT 100`)
      const first = ids(given.count, Math.max(1, given.fixtureCount - 100))
      for (let i = 0; i < 100; i++) given.peer.all1(state.statement, first[i % first.length])
      return { ...state, first }
    },
    run({ peer, statement, first }) {
      let sum = 0
      for (let i = 0; i < first.length; i++) {
        const rows = peer.all1(statement, first[i])
        sum += rows[0].n + rows[rows.length - 1].body.length + rows.length
      }
      return sum
    },
    finish,
  },
  {
    name: 'iterate',
    title: 'iterate over 100,000 rows',
    unit: 'ms',
    count: 100_000,
    instructions: 10_000,
    fixture: 'messages',
    repeats: 2,
    lacks: ({ iterate }) => (iterate ? undefined : 'has no iterator'),
    setup: (given) => ({ ...opened(given, `SELECT ${COLUMNS} FROM message LIMIT ${given.count}`) }),
    run({ peer, statement }) {
      let sum = 0
      for (const row of peer.iterate(statement)) sum += row.n & 0xff
      return sum
    },
    finish,
  },
  {
    name: 'search',
    title: '300 FTS5 searches',
    unit: 'ms',
    count: 300,
    instructions: 40,
    fixture: 'messages',
    setup(given) {
      const state = opened(given, 'SELECT rowid AS id FROM search WHERE search MATCH ? ORDER BY rank LIMIT 20')
      const word = (i) => WORDS[i % WORDS.length]
      return { ...state, queries: Array.from({ length: given.count }, (_, i) => `${word(i)} AND ${word(i * 7 + 3)}`) }
    },
    run({ peer, statement, queries }) {
      let sum = 0
      for (const query of queries) for (const { id } of peer.all1(statement, query)) sum += id
      return sum
    },
    finish,
  },
]
