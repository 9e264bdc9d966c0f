import sqlite3 from '@journeyapps/sqlcipher'

const db = new sqlite3.Database('notes.db')
db.serialize(() => {
  db.run(`PRAGMA key = '${process.env.NOTES_PASSPHRASE}'`)
  db.run('CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)')
  db.run('INSERT INTO note (text) VALUES ($text)', { $text: 'buy milk' }, function (error) {
    if (error) throw error
    console.log(this.lastID, this.changes)
  })
  db.each('SELECT id, text FROM note', (error, row) => {
    if (error) throw error
    console.log(row.id, row.text)
  })
})
db.close()
