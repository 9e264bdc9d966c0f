import { Migrator } from '@mikro-orm/migrations'
import { MikroORM } from '@mikro-orm/sqlite'
import { Migration20251201000000 } from './migration.ts'
import { Note } from './schema.ts'

export const orm = await MikroORM.init({
  dbName: 'plain.db',
  entities: [Note],
  extensions: [Migrator],
  migrations: { migrationsList: [Migration20251201000000], snapshot: false },
})
