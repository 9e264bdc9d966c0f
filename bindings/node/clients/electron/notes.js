const Database = require('strongroom')

/** Opens the notes in a file. */
exports.openNotes = (file) => {
  const db = new Database(file, { passphrase: process.env.NOTES_PASSPHRASE })
  db.exec('CREATE TABLE IF NOT EXISTS note (text TEXT NOT NULL)')
  return db
}
