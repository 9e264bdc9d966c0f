// The adapter for @signalapp/sqlcipher: parameters are passed in an array, and rows are fast if statements are cached.
// The package has no iterator, and no rows as arrays.
import { createRequire } from 'node:module'
import { keyPragmas, SETTINGS } from './settings.mjs'

const require = createRequire(import.meta.url)

export function signal({ module, cipher }) {
  let Database
  return {
    load() {
      Database = require(module).default
    },
    open(file, key) {
      const db = new Database(file, { cacheStatements: true })
      for (const pragma of [...keyPragmas(cipher, key), ...SETTINGS]) db.pragma(pragma)
      return db
    },
    exec: (db, sql) => db.exec(sql),
    prepare: (db, sql) => db.prepare(sql),
    preparePlucked: (db, sql) => db.prepare(sql, { pluck: true }),
    transaction: (db, work) => db.transaction(work),
    close: (db) => db.close(),
    run: (statement) => statement.run(),
    run1: (statement, a) => statement.run([a]),
    run4: (statement, a, b, c, d) => statement.run([a, b, c, d]),
    get: (statement) => statement.get(),
    get1: (statement, a) => statement.get([a]),
    all: (statement) => statement.all(),
    all1: (statement, a) => statement.all([a]),
    all2: (statement, a, b) => statement.all([a, b]),
  }
}
