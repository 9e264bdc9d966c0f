import Database from 'better-sqlite3-multiple-ciphers'

export function open(path) {
  const db = new Database(path, { fileMustExist: true })
  db.pragma("cipher = 'aes256cbc'")
  db.pragma(`key = '${process.env.NOTES_PASSPHRASE}'`)
  return db
}
