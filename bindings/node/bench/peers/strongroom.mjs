// The adapter for Strongroom's public API. `module` is the folder of a package.
import { createRequire } from 'node:module'
import { PASSPHRASE, RAW_KEY, SETTINGS } from './settings.mjs'
import { callsOfBetterSqlite3 } from './variadic.mjs'

const require = createRequire(import.meta.url)

export function strongroom({ module, cipher }) {
  let Database
  return {
    ...callsOfBetterSqlite3,
    load() {
      Database = require(module)
    },
    open(file, key) {
      const db = new Database(file, cipher === undefined ? {} : { ...options(key), format: cipher })
      for (const pragma of SETTINGS) db.pragma(pragma)
      return db
    },
  }
}

function options(key) {
  return key === 'raw' ? { key: Buffer.from(RAW_KEY, 'hex') } : { passphrase: PASSPHRASE }
}
