// The memory of large results, measured as the growth of the process's peak.
import { series } from './loop.mjs'

function setup({ peer, count }) {
  const db = peer.open(':memory:')
  return { peer, db, statement: peer.prepare(db, series(count, "i AS id, i * 3 AS n, 'message ' || i AS body")) }
}

const common = { unit: 'MB', groups: ['plain'], rounds: 1, setup, finish: ({ peer, db }) => peer.close(db) }

export const memory = [
  {
    ...common,
    name: 'memory-all',
    title: 'peak memory: all of 1,000,000 rows',
    count: 1_000_000,
    run({ peer, statement }) {
      const rows = peer.all(statement)
      return rows.length + rows[rows.length - 1].body.length
    },
  },
  {
    ...common,
    name: 'memory-iterate',
    title: 'peak memory: iterate over 10,000,000 rows',
    count: 10_000_000,
    lacks: ({ iterate }) => (iterate ? undefined : 'has no iterator'),
    run({ peer, statement }) {
      let sum = 0
      for (const { n, body } of peer.iterate(statement)) sum += n + body.length
      return sum
    },
  },
]
