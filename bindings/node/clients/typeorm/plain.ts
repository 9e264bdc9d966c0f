import { DataSource } from 'typeorm'
import { Notes1764547200000 } from './migration.ts'
import { Note } from './note.ts'

export const source = new DataSource({
  type: 'better-sqlite3',
  database: 'plain.db',
  entities: [Note],
  migrations: [Notes1764547200000],
  migrationsRun: true,
})
