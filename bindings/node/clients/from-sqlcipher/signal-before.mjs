import Database from '@signalapp/sqlcipher'

const db = new Database('notes.db')
db.pragma(`key = '${process.env.NOTES_PASSPHRASE}'`)
db.exec('CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)')
db.prepare('INSERT INTO note (text) VALUES ($text)').run({ text: 'buy milk' })
console.log(db.prepare('SELECT text FROM note', { pluck: true }).all())
console.log(db.prepare('SELECT id FROM note WHERE text = ?', { bigint: true }).get(['buy milk']))
db.close()
