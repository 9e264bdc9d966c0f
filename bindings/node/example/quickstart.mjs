// Uses Strongroom with real input: builds an encrypted database with full-text search from the crates of a Rust
// workspace.
//
//   cargo metadata --format-version 1 > metadata.json
//   node example/quickstart.mjs metadata.json [WORDS]
//
// Exits with 1 if any printed claim is false.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database, { SqliteError } from 'strongroom'

const [metadataFile, words = 'compression'] = process.argv.slice(2)
if (metadataFile === undefined) {
  console.error('usage: node example/quickstart.mjs METADATA.json [WORDS]')
  process.exit(2)
}
const { packages } = JSON.parse(readFileSync(metadataFile, 'utf8'))
const folder = mkdtempSync(join(tmpdir(), 'strongroom-quickstart-'))
try {
  quickstart()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function quickstart() {
  const path = join(folder, 'crates.db')
  const key = randomBytes(32)

  heading(`${packages.length} crates become an encrypted database`)
  fill(path, { key })
  const encrypted = readFileSync(path)
  check(encrypted.length > 0, `crates.db has ${encrypted.length.toLocaleString('en')} bytes`)

  heading(`A search in the encrypted database for "${words}"`)
  const db = new Database(path, { key, readonly: true })
  const count = db.prepare('SELECT count(*) FROM crates').pluck().get()
  check(count === packages.length, `the database holds ${count} crates`)
  const found = db
    .prepare(
      `SELECT crates.name, version, license, crates.description
       FROM search JOIN crates ON crates.id = search.rowid
       WHERE search MATCH ? ORDER BY rank LIMIT 8`,
    )
    .all(words)
  check(found.length > 0, `the best ${found.length} matches, by FTS5's rank`)
  table(found)
  const licenses = db
    .prepare(
      `SELECT coalesce(license, 'none given') AS license, count(*) AS crates
       FROM crates GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5`,
    )
    .all()
  check(licenses.length > 0, 'the most frequent licenses')
  table(licenses)
  check(db.pragma('integrity_check', { simple: true }) === 'ok', 'the integrity check returns ok')
  db.close()

  heading('The bytes that a thief would read')
  const plainPath = join(folder, 'plain.db')
  fill(plainPath, {})
  const plain = readable(readFileSync(plainPath))
  const secret = readable(encrypted)
  check(plain.header && plain.texts > 0, `without a key: SQLite's header, and ${plain.texts} names and descriptions`)
  check(!secret.header && secret.texts === 0, `with a key: no header, and ${secret.texts} names and descriptions`)

  heading('The error for a wrong key')
  const error = wrongKey(path)
  check(error instanceof SqliteError && error.code === 'STRONGROOM_WRONG_KEY', `${error?.name} ${error?.code}`)
  console.log(`    ${error?.message.replaceAll(path, 'crates.db')}`)
  check(readFileSync(path).equals(encrypted), 'the file is unchanged')
}

/** Creates the database: a table of the crates, and an index over their names and descriptions. */
function fill(path, options) {
  const db = new Database(path, options)
  db.exec(`
    CREATE TABLE crates (
      id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, license TEXT, description TEXT, repository TEXT,
      UNIQUE (name, version)
    );
    CREATE VIRTUAL TABLE search USING fts5(name, description, content='crates', content_rowid='id', tokenize='porter');
  `)
  const insert = db.prepare(
    `INSERT INTO crates (name, version, license, description, repository)
     VALUES (:name, :version, :license, :description, :repository)`,
  )
  db.transaction(() => {
    for (const { name, version, license, description, repository } of packages)
      insert.run({ name, version, license, description: description?.trim(), repository })
    db.exec("INSERT INTO search (search) VALUES ('rebuild')")
  })()
  db.close()
}

/** Returns what is readable in the bytes of a file. Skips short texts, which random bytes can contain by chance. */
function readable(bytes) {
  const texts = new Set(packages.flatMap(({ name, description }) => [name, description?.trim()]))
  return {
    header: bytes.includes('SQLite format 3'),
    texts: [...texts].filter((text) => text?.length >= 7 && bytes.includes(text)).length,
  }
}

function wrongKey(path) {
  try {
    new Database(path, { key: randomBytes(32) }).close()
  } catch (error) {
    return error
  }
  return undefined
}

function heading(text) {
  console.log(`\n${text}`)
}

function check(holds, claim) {
  console.log(`  ${holds ? 'ok  ' : 'FAIL'} ${claim}`)
  if (!holds) process.exitCode = 1
}

/** Prints rows in columns, cut to the width of the terminal. */
function table(rows) {
  if (rows.length === 0) return
  const width = Math.max(60, Math.min(process.stdout.columns ?? 110, 140))
  const names = Object.keys(rows[0])
  const cells = [names, ...rows.map((row) => names.map((name) => String(row[name] ?? '-').replace(/\s+/g, ' ')))]
  const widths = names.map((_, column) => Math.max(...cells.map((row) => row[column].length)))
  for (const row of cells) {
    const line = `    ${row.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd()
    console.log(line.length > width ? `${line.slice(0, width - 1)}…` : line)
  }
}
