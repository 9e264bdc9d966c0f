import { betterAuth } from 'better-auth'
import { Kysely, SqliteDialect } from 'kysely'
import type Database from 'strongroom'

export const createAuth = (database: Database) =>
  betterAuth({
    database: { db: new Kysely({ dialect: new SqliteDialect({ database }) }), type: 'sqlite', transaction: true },
    emailAndPassword: { enabled: true },
  })
