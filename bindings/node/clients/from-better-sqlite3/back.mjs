import Database from 'strongroom'

await Database.decrypt('notes.db', { from: { passphrase: process.env.NOTES_PASSPHRASE } })
