// The calls of packages whose statements take parameters one by one.
//
// Each function has a fixed number of parameters. A process measures only one package, so V8 inlines these functions,
// and only the package's own call remains.

export const calls = {
  exec: (db, sql) => db.exec(sql),
  prepare: (db, sql) => db.prepare(sql),
  close: (db) => db.close(),
  run: (statement) => statement.run(),
  run1: (statement, a) => statement.run(a),
  run4: (statement, a, b, c, d) => statement.run(a, b, c, d),
  get: (statement) => statement.get(),
  get1: (statement, a) => statement.get(a),
  all: (statement) => statement.all(),
  all1: (statement, a) => statement.all(a),
  all2: (statement, a, b) => statement.all(a, b),
  iterate: (statement) => statement.iterate(),
}

/** The calls of packages with better-sqlite3's API. */
export const callsOfBetterSqlite3 = {
  ...calls,
  pluck: (statement) => statement.pluck(),
  raw: (statement) => statement.raw(),
  transaction: (db, work) => db.transaction(work),
}
