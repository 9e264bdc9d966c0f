import Database from 'strongroom'

const passphrase = process.env.NOTES_PASSPHRASE
const to = { passphrase, cipherCompatibility: 3 }
await Database.migrate('notes.db', { from: { passphrase }, to })
