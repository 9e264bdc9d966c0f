import { DataSource } from 'typeorm'
import { Notes1764547200000 } from './migration.ts'
import { Note } from './note.ts'

export const source = new DataSource({
  type: 'better-sqlite3',
  database: 'encrypted.db',
  prepareDatabase: (db) => db.pragma(`key = '${process.env.NOTES_PASSPHRASE}'`),
  entities: [Note],
  migrations: [Notes1764547200000],
  migrationsRun: true,
})
