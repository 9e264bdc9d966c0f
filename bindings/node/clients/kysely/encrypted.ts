import { Kysely, SqliteDialect } from 'kysely'
import Database from 'strongroom'
import type { Tables } from './schema.ts'

const database = new Database('encrypted.db', { passphrase: process.env.NOTES_PASSPHRASE })

export const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) })
