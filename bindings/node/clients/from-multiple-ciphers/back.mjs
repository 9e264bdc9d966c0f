import Database from 'better-sqlite3-multiple-ciphers'

const passphrase = process.env.NOTES_PASSPHRASE.replaceAll("'", "''")

const db = new Database('notes.db', { fileMustExist: true })
db.pragma("cipher = 'sqlcipher'")
db.pragma('legacy = 4')
db.pragma(`key = '${passphrase}'`)
db.pragma('journal_mode = DELETE')
db.pragma("cipher = 'aes256cbc'")
db.pragma(`rekey = '${passphrase}'`)
db.close()
