import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import { PrismaClient } from './generated/client.ts'

export const adapter = new PrismaBetterSqlite3({ url: 'file:encrypted.db', passphrase: process.env.NOTES_PASSPHRASE })
export const prisma = new PrismaClient({ adapter })
