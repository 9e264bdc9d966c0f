import Database from 'better-sqlite3'
import { DataSource } from 'typeorm'
import { Notes1764547200000 } from './migration.ts'
import { Note } from './note.ts'

class EncryptedDatabase extends Database {
  constructor(file: string, options: Database.Options) {
    super(file, { ...options, passphrase: process.env.NOTES_PASSPHRASE })
  }
}

export const source = new DataSource({
  type: 'better-sqlite3',
  driver: EncryptedDatabase,
  database: 'encrypted.db',
  entities: [Note],
  migrations: [Notes1764547200000],
  migrationsRun: true,
})
