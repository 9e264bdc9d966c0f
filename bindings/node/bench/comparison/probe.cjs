// Prints the features of one package in this runtime as JSON: probe.cjs PACKAGE REQUEST FOLDER
//
// The file is CommonJS without dependencies, because Node, Bun and Deno run it.
const { readFileSync } = require('node:fs')
const { join } = require('node:path')

const [name, request, folder] = process.argv.slice(2)
const KEY = "'first'"
const NEW_KEY = "'second'"

/** For each package, a function that opens a file with a passphrase, and a function that changes the key. */
const packages = {
  strongroom: {
    open: (file, key) => new (require(request))(file, key ? { passphrase: key.slice(1, -1) } : {}),
    rekey: (db) => db.rekey({ passphrase: NEW_KEY.slice(1, -1) }),
  },
  'better-sqlite3': classic(() => require(request)),
  'better-sqlite3-multiple-ciphers': classic(() => require(request)),
  '@signalapp/sqlcipher': classic(() => require(request).default),
  'node:sqlite': {
    open(file, key) {
      const { DatabaseSync } = require(request)
      const db = new DatabaseSync(file)
      if (key) db.exec(`PRAGMA key = ${key}`)
      return db
    },
    rekey: (db) => db.exec(`PRAGMA rekey = ${NEW_KEY}`),
  },
}

function classic(load) {
  return {
    open(file, key) {
      const Database = load()
      const db = new Database(file)
      if (key) db.pragma(`key = ${key}`)
      return db
    },
    rekey: (db) => db.pragma(`rekey = ${NEW_KEY}`),
  }
}

const { open, rekey } = packages[name]
const plain = open(':memory:')
const row = plain.prepare('SELECT sqlite_version() AS version').get()
const answer = {
  sqlite: row.version,
  encrypts: attempt(() => isEncrypted('encrypted.db', KEY)),
  changesKey: attempt(() => isEncrypted('encrypted.db', NEW_KEY, { from: KEY })),
  compresses: ['zstd_compress', 'compress', 'zlib_compress', 'gzip'].filter((called) =>
    attempt(() => plain.prepare(`SELECT ${called}('text') AS compressed`).get() !== undefined),
  ),
}
plain.close()
console.log(JSON.stringify(answer))

/**
 * Writes a file with a key, or changes its key. Returns whether the file is then encrypted and opens with the new key.
 */
function isEncrypted(name, key, { from } = {}) {
  const file = join(folder, name)
  const db = open(file, from ?? key)
  if (from) rekey(db)
  else db.exec('CREATE TABLE probe (value)')
  db.close()
  if (readFileSync(file).subarray(0, 15).toString('latin1') === 'SQLite format 3') return false
  const again = open(file, key)
  again.prepare('SELECT count(*) AS count FROM probe').get()
  again.close()
  return true
}

function attempt(action) {
  try {
    return action()
  } catch {
    return false
  }
}
