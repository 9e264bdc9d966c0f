// A loop over one small statement on a database in memory, measured in ns per call or per row.

/** Timed runs in one process: V8 has compiled the loop after the first ones, and the best counts. */
const REPEATS = 7

/**
 * Returns a workload that runs a call in a loop.
 *
 * @param prepare - returns the statement; by default that of `sql`
 * @param make - returns the argument of the calls
 * @param call - gets the adapter, the statement, the argument and the loop's index; returns a number for the checksum
 * @param rows - the rows of a call, if the cost of a row is measured
 */
export function loop({ name, title, schema = '', sql, prepare, make, call, rows = 1, count = 40_000, lacks }) {
  return {
    name,
    title,
    unit: 'ns',
    groups: ['plain'],
    count,
    repeats: REPEATS,
    lacks,
    setup({ peer, count }) {
      const db = peer.open(':memory:')
      peer.exec(db, schema)
      const statement = prepare ? prepare(peer, db) : peer.prepare(db, sql)
      const loops = Math.max(1, Math.round(count / rows))
      return { peer, db, statement, argument: make?.(), loops, operations: loops * rows }
    },
    run({ peer, statement, argument, loops }) {
      let sum = 0
      for (let i = 0; i < loops; i++) sum += call(peer, statement, argument, i)
      return sum
    },
    finish: ({ peer, db }) => peer.close(db),
  }
}

/** Returns the SQL of a table expression that yields `count` rows of `columns`, in which `i` is the row's number. */
export function series(count, columns) {
  return `WITH RECURSIVE number(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number LIMIT ${count}) SELECT ${columns} FROM number`
}
