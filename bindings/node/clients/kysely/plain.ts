import { Kysely, SqliteDialect } from 'kysely'
import Database from 'strongroom'
import type { Tables } from './schema.ts'

const database = new Database('plain.db')

export const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) })
