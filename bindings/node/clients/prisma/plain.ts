import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import { PrismaClient } from './generated/client.ts'

export const adapter = new PrismaBetterSqlite3({ url: 'file:plain.db' })
export const prisma = new PrismaClient({ adapter })
