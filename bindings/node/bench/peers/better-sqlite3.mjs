// The adapter for better-sqlite3 and better-sqlite3-multiple-ciphers. PRAGMAs before the key choose the cipher.
import { createRequire } from 'node:module'
import { keyPragmas, SETTINGS } from './settings.mjs'
import { callsOfBetterSqlite3 } from './variadic.mjs'

const require = createRequire(import.meta.url)

const choices = {
  sqlcipher: ["cipher = 'sqlcipher'", 'legacy = 4'],
  chacha20: ["cipher = 'chacha20'"],
  aegis: ["cipher = 'aegis'"],
}

export function betterSqlite3({ module, cipher }) {
  let Database
  return {
    ...callsOfBetterSqlite3,
    load() {
      Database = require(module)
    },
    open(file, key) {
      const db = new Database(file)
      for (const pragma of [...(choices[cipher] ?? []), ...keyPragmas(cipher, key), ...SETTINGS]) db.pragma(pragma)
      return db
    },
  }
}
