import Database from 'better-sqlite3-multiple-ciphers'

const db = new Database('notes.db')
db.pragma("cipher = 'sqlcipher'")
db.pragma('legacy = 4')
db.pragma(`key = '${process.env.NOTES_PASSPHRASE}'`)
db.exec('CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)')
db.prepare('INSERT INTO note (text) VALUES (?)').run('buy milk')
console.log(db.prepare('SELECT count(*) FROM note').pluck().get())
db.close()
