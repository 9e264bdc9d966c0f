import Database from 'better-sqlite3'

const db = new Database('notes.db')
db.pragma('journal_mode = WAL')
db.exec('CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)')
db.prepare('INSERT INTO note (text) VALUES (?)').run('buy milk')
console.log(db.prepare('SELECT count(*) FROM note').pluck().get())
db.close()
