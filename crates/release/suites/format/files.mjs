// The files that engine.mjs writes: opens, fills and reads them through the package.
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'

/** The folder of the package, and the folder for the files. */
export const [packageFolder, folder] = process.argv.slice(3)
export const Database = packageFolder && createRequire(import.meta.url)(packageFolder)

export const KEY = Buffer.from([...Array(32).keys()]).toString('hex')
export const OTHER_KEY = Buffer.alloc(32, 0xa5).toString('hex')
export const PASSPHRASE = 'pässword 🔑'

/** Returns the option of the API for a secret: `{ key }` with hexadecimal digits, or `{ passphrase }`. */
export const unlock = ({ key, passphrase }) => (key ? { key: Buffer.from(key, 'hex') } : { passphrase })

/** Opens or creates a file in the folder. */
export function open(name, { secret = { key: KEY }, ...options } = {}) {
  return new Database(join(folder, name), { format: 'strongroom', ...unlock(secret), ...options })
}

/** Adds rows with every type of value, and blobs of up to 20,000 bytes. */
export function fill(db, first, last, table = 'item') {
  db.exec(`CREATE TABLE IF NOT EXISTS ${table} (id INTEGER PRIMARY KEY, number, text, value)`)
  db.exec(`CREATE INDEX IF NOT EXISTS ${table}_by_text ON ${table} (text)`)
  const insert = db.prepare(`INSERT INTO ${table} VALUES (?, ?, ?, ?)`)
  db.transaction(() => {
    for (let id = first; id < last; id += 1) {
      const number = [id / 3, null, (-1n) ** BigInt(id) * 2n ** 62n + BigInt(id)][id % 3]
      insert.run(id, number, `row ${id} – größer`, Buffer.alloc((id * 97) % 20_000, id))
    }
  })()
}

/** Returns a value with its type, in a form that JSON keeps: a blob by its length and hash, a real by its 8 bytes. */
export function cell(value) {
  if (value === null) return null
  if (typeof value === 'bigint') return ['integer', String(value)]
  if (typeof value === 'string') return ['text', value]
  if (typeof value !== 'number') return ['blob', value.length, createHash('sha256').update(value).digest('hex')]
  const real = Buffer.alloc(8)
  real.writeDoubleBE(value)
  return ['real', real.toString('hex')]
}

/** Returns every row of every table, and the schema as the table `''`. */
export function rows(db) {
  const read = (sql) => Array.from(db.prepare(sql).raw().safeIntegers().iterate(), (row) => row.map(cell))
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all()
  const all = { '': read('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name') }
  for (const table of tables) all[table] = read(`SELECT * FROM "${table}"`)
  return all
}

/** Closes the database. Returns what the reader must find in its file. */
export function closed(db, secret = { key: KEY }) {
  const found = { file: db.name, ...secret, rows: rows(db) }
  db.close()
  return found
}

/** Copies the file with its WAL and journal, as a process that dies leaves them. Returns the path of the copy. */
export function leftBehind(db) {
  const copy = join(folder, `left-${basename(db.name)}`)
  for (const end of ['', '-wal', '-journal']) if (existsSync(db.name + end)) copyFileSync(db.name + end, copy + end)
  return copy
}

/** Returns a file that the reader must refuse, and the beginning of the message. */
export const refused = (file, refusal, secret = { key: KEY }) => ({ file, ...secret, refusal })

/** Returns the same file with another secret. */
export const withSecret = ({ key: _, ...found }, secret) => ({ ...found, ...secret })
