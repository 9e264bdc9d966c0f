import Database from 'strongroom'

const db = new Database('notes.db', { passphrase: process.env.NOTES_PASSPHRASE })
db.exec('CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)')
const result = db.prepare('INSERT INTO note (text) VALUES ($text)').run({ text: 'buy milk' })
console.log(result.lastInsertRowid, result.changes)
for (const row of db.prepare('SELECT id, text FROM note').iterate()) {
  console.log(row.id, row.text)
}
db.close()
