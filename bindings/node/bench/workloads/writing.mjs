// Inserting rows: many in one transaction, and each in its own transaction.
import { messages } from '../data.mjs'
import { CREATE_MESSAGE, INSERT_MESSAGE } from './fixtures.mjs'

function setup({ peer, file, key, count }) {
  const db = peer.open(file, key)
  peer.exec(db, CREATE_MESSAGE)
  return { peer, db, insert: peer.prepare(db, INSERT_MESSAGE), pool: messages(), count }
}

function insertAll({ peer, insert, pool, count }) {
  let changes = 0
  for (let i = 0; i < count; i++) {
    const { body, bin, n } = pool[i % pool.length]
    changes += peer.run4(insert, i + 1, body, bin, n).changes
  }
  return changes
}

/** Returns a checksum of the written rows, after the timed runs. */
function checksum({ peer, db }) {
  const { rows, total, bytes } = peer.get(
    peer.prepare(db, 'SELECT count(*) AS rows, sum(n) AS total, sum(length(body) + length(bin)) AS bytes FROM message'),
  )
  return `${rows} ${total} ${bytes}`
}

const finish = ({ peer, db }) => peer.close(db)

export const writing = [
  {
    name: 'insert',
    title: 'insert 100,000 rows in one transaction',
    unit: 'ms',
    count: 100_000,
    instructions: 20_000,
    once: true,
    setup(given) {
      const state = setup(given)
      return { ...state, insertAll: state.peer.transaction(state.db, () => insertAll(state)) }
    },
    run: (state) => state.insertAll(),
    checksum,
    finish,
  },
  {
    name: 'insert-own',
    title: '3,000 transactions of one row',
    unit: 'ms',
    count: 3_000,
    instructions: 500,
    once: true,
    setup,
    run: insertAll,
    checksum,
    finish,
  },
]
