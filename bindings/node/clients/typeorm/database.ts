import Database from 'better-sqlite3'

export class EncryptedDatabase extends Database {
  constructor(file: string, options: Database.Options) {
    super(file, { ...options, passphrase: process.env.NOTES_PASSPHRASE })
  }
}
