import { MikroORM } from '@mikro-orm/better-sqlite'
import { Migrator } from '@mikro-orm/migrations'
import { EncryptedDialect } from './dialect.ts'
import { Migration20251201000000 } from './migration.ts'
import { Note } from './schema.ts'

export const orm = await MikroORM.init({
  dbName: 'encrypted.db',
  driverOptions: { client: EncryptedDialect },
  entities: [Note],
  extensions: [Migrator],
  migrations: { migrationsList: [Migration20251201000000], snapshot: false },
})
