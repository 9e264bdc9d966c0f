import { BetterSqliteKnexDialect, MikroORM } from '@mikro-orm/better-sqlite'
import { Migrator } from '@mikro-orm/migrations'
import Database from 'better-sqlite3'
import { Migration20251201000000 } from './migration.ts'
import { Note } from './schema.ts'

class EncryptedDialect extends BetterSqliteKnexDialect {
  async acquireRawConnection() {
    const { filename } = this.connectionSettings
    return new Database(filename, { passphrase: process.env.NOTES_PASSPHRASE })
  }
}

export const orm = await MikroORM.init({
  dbName: 'encrypted.db',
  driverOptions: { client: EncryptedDialect },
  entities: [Note],
  extensions: [Migrator],
  migrations: { migrationsList: [Migration20251201000000], snapshot: false },
})
