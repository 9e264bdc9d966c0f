import Database from 'better-sqlite3'
import knex, { type Knex } from 'knex'
// @ts-expect-error: Knex has no types for this file
import Client from 'knex/lib/dialects/better-sqlite3/index.js'

class EncryptedClient extends (Client as typeof knex.Client) {
  async acquireRawConnection() {
    const { filename, options } = this.connectionSettings as Knex.BetterSqlite3ConnectionConfig
    return new Database(filename, { ...options, passphrase: process.env.NOTES_PASSPHRASE })
  }
}

export const db = knex({
  client: EncryptedClient,
  connection: { filename: 'encrypted.db' },
  useNullAsDefault: true,
})
