import { DataSource } from 'typeorm'
import { EncryptedDatabase } from './database.ts'
import { Notes1764547200000 } from './migration.ts'
import { Note } from './note.ts'

export const source = new DataSource({
  type: 'better-sqlite3',
  driver: EncryptedDatabase,
  database: 'encrypted.db',
  entities: [Note],
  migrations: [Notes1764547200000],
  migrationsRun: true,
})
