import Database from 'strongroom'

const passphrase = process.env.NOTES_PASSPHRASE
const from = { passphrase, cipherCompatibility: 3 }
await Database.migrate('notes.db', { from, to: { passphrase }, keep: 'notes-3.db' })
