import Database from 'strongroom'

const db = new Database('notes.db', { passphrase: process.env.NOTES_PASSPHRASE, cipherCompatibility: 3 })
db.prepare('INSERT INTO note (text) VALUES (?)').run('buy milk')
console.log(db.prepare('SELECT count(*) FROM note').pluck().get())
db.close()
