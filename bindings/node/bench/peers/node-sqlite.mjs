// The adapter for node:sqlite, which has neither pluck nor a transaction function.
import { createRequire } from 'node:module'
import { SETTINGS } from './settings.mjs'
import { calls } from './variadic.mjs'

const require = createRequire(import.meta.url)

export function nodeSqlite() {
  let Database
  return {
    ...calls,
    load() {
      Database = require('node:sqlite').DatabaseSync
    },
    open(file) {
      const db = new Database(file)
      for (const pragma of SETTINGS) db.exec(`PRAGMA ${pragma}`)
      return db
    },
    raw(statement) {
      statement.setReturnArrays(true)
      return statement
    },
    transaction: (db, work) => (argument) => {
      db.exec('BEGIN')
      const result = work(argument)
      db.exec('COMMIT')
      return result
    },
  }
}
