// Loading the package in a fresh process. The adapter's `load` is not called before.

const once = { unit: 'ms', groups: ['plain'], count: 1, instructions: 1, unloaded: true, setup: (given) => given }

export const load = [
  {
    ...once,
    name: 'require',
    title: 'require the package',
    run({ peer }) {
      peer.load()
      return 1
    },
  },
  {
    ...once,
    name: 'require-open',
    // Some packages load their addon only for the first database.
    title: 'require the package, open a database in memory',
    run({ peer }) {
      peer.load()
      const db = peer.open(':memory:')
      const { v } = peer.get(peer.prepare(db, 'SELECT 1 AS v'))
      peer.close(db)
      return v
    },
  },
]
