import Database from 'strongroom'

const passphrase = process.env.NOTES_PASSPHRASE
await Database.encrypt('notes.db', { passphrase }, { keep: 'notes-plain.db' })
