import Database from 'strongroom'

const db = new Database('notes.db', { passphrase: process.env.NOTES_PASSPHRASE })
db.exec('CREATE TABLE IF NOT EXISTS note (text TEXT NOT NULL)')
db.prepare('INSERT INTO note VALUES (?)').run('buy milk')
console.log(db.prepare('SELECT text FROM note').pluck().all())
db.close()
