import Database from 'strongroom'

const db = new Database('notes.db', { passphrase: process.env.NOTES_PASSPHRASE, readonly: true })
const { ok, authenticated, problems } = db.check()
console.log(ok, authenticated, problems)
db.close()
