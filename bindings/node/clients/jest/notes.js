const Database = require('strongroom')

const db = new Database('encrypted.db', { passphrase: process.env.NOTES_PASSPHRASE })
db.exec('CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, title TEXT NOT NULL)')

function add(title) {
  return db.prepare('INSERT INTO note (title) VALUES (?) RETURNING title').get(title)
}

function has(title) {
  return db.prepare('SELECT EXISTS (SELECT 1 FROM note WHERE title = ?)').pluck().get(title) === 1
}

module.exports = { db, add, has }
