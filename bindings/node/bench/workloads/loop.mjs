// A loop over one small statement on an in-memory database, measured in ns per call or per row.

/**
 * The number of timed runs in one process. V8 compiles the loop during the first runs, so a process reports its best
 * run.
 */
const REPEATS = 7

/**
 * Returns a workload that runs a call in a loop.
 *
 * @param sql - the statement; SQLite's share is not measured for a workload without a statement
 * @param prepare - returns the object that `call` gets as the statement; by default, the prepared statement
 * @param make - returns the argument that `call` gets
 * @param call - gets the adapter, the statement, the argument and the loop's index; returns a number for the checksum
 * @param binds - `argument` or `index`, if `call` binds one of them
 * @param rows - the number of rows per call, if the workload measures the cost of a row
 */
export function loop(given) {
  const { name, title, schema = '', sql, prepare = prepared, make, call, binds, rows = 1, count, lacks } = given
  return {
    name,
    title,
    unit: 'ns',
    groups: ['plain'],
    count: count ?? (rows === 1 ? 40_000 : 200_000),
    instructions: rows === 1 ? 4_000 : 20_000,
    repeats: REPEATS,
    share: sql && { schema, sql, rows, value: () => shareValue(binds, make) },
    lacks,
    setup({ peer, count }) {
      const db = peer.open(':memory:')
      peer.exec(db, schema)
      const loops = Math.max(1, Math.round(count / rows))
      return { peer, db, statement: prepare(peer, db, sql), argument: make?.(), loops, operations: loops * rows }
    },
    run({ peer, statement, argument, loops }) {
      let sum = 0
      for (let i = 0; i < loops; i++) sum += call(peer, statement, argument, i)
      return sum
    },
    finish: ({ peer, db }) => peer.close(db),
  }
}

function prepared(peer, db, sql) {
  return peer.prepare(db, sql)
}

/** Returns the value that the Rust loop binds, in the format of its command line. */
function shareValue(binds, make) {
  if (binds === undefined) return ''
  if (binds === 'index') return 'index'
  const argument = make()
  return typeof argument === 'string' ? `text:${argument}` : `blob:${argument.toString('hex')}`
}

/** Returns the SQL of a table expression that yields `count` rows of `columns`, in which `i` is the row's number. */
export function series(count, columns) {
  return `WITH RECURSIVE number(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number LIMIT ${count}) SELECT ${columns} FROM number`
}
