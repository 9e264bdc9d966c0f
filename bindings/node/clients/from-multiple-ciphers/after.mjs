import Database from 'strongroom'

const db = new Database('notes.db', { passphrase: process.env.NOTES_PASSPHRASE })
db.exec('CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)')
db.prepare('INSERT INTO note (text) VALUES (?)').run('buy milk')
console.log(db.prepare('SELECT count(*) FROM note').pluck().get())
db.close()
