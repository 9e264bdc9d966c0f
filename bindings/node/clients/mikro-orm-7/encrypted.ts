import { Migrator } from '@mikro-orm/migrations'
import { MikroORM } from '@mikro-orm/sqlite'
import type { Options } from 'better-sqlite3'
import { Migration20251201000000 } from './migration.ts'
import { Note } from './schema.ts'

export const orm = await MikroORM.init({
  dbName: 'encrypted.db',
  driverOptions: (): Options => ({ passphrase: process.env.NOTES_PASSPHRASE }),
  entities: [Note],
  extensions: [Migrator],
  migrations: { migrationsList: [Migration20251201000000], snapshot: false },
})
