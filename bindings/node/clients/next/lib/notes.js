import Database from 'strongroom'

let db

/** Opens the database at its first use, because `next build` also imports this module, without the passphrase. */
export function notes() {
  if (!db) {
    db = new Database(process.env.NOTES_FILE, { passphrase: process.env.NOTES_PASSPHRASE })
    db.exec('CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, title TEXT NOT NULL)')
  }
  return db
}
