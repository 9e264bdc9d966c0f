import { BetterSqliteKnexDialect } from '@mikro-orm/better-sqlite'
import Database from 'better-sqlite3'

export class EncryptedDialect extends BetterSqliteKnexDialect {
  async acquireRawConnection() {
    const { filename } = this.connectionSettings
    return new Database(filename, { passphrase: process.env.NOTES_PASSPHRASE })
  }
}
