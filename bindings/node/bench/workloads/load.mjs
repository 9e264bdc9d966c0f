// Loading the package in a fresh process, in which the adapter's `load` has not run.

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
    // Some packages load their addon only when the first database opens.
    title: 'require the package and open an in-memory database',
    run({ peer }) {
      peer.load()
      const db = peer.open(':memory:')
      const { v } = peer.get(peer.prepare(db, 'SELECT 1 AS v'))
      peer.close(db)
      return v
    },
  },
]
