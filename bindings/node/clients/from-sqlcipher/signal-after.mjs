import Database from 'strongroom'

const db = new Database('notes.db', { passphrase: process.env.NOTES_PASSPHRASE })
db.exec('CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)')
db.prepare('INSERT INTO note (text) VALUES ($text)').run({ text: 'buy milk' })
console.log(db.prepare('SELECT text FROM note').pluck().all())
console.log(db.prepare('SELECT id FROM note WHERE text = ?').safeIntegers().get(['buy milk']))
db.close()
