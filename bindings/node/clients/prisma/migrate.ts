import { readdirSync, readFileSync } from 'node:fs'
import type { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'

/** Runs the migrations that the database has not run yet. `user_version` counts the migrations that have run. */
export async function migrate(adapter: PrismaBetterSqlite3) {
  const connection = await adapter.connect()
  try {
    // Prisma's SQL replaces a changed table, and the PRAGMA foreign_keys in it has no effect inside a transaction.
    await connection.executeScript('PRAGMA foreign_keys = OFF')
    const { rows } = await connection.queryRaw({ sql: 'PRAGMA user_version', args: [], argTypes: [] })
    const names = readdirSync('migrations', { withFileTypes: true }).filter((entry) => entry.isDirectory())
    const folders = names.map(({ name }) => name).sort()
    for (let version = Number(rows[0][0]); version < folders.length; version++) {
      const sql = readFileSync(`migrations/${folders[version]}/migration.sql`, 'utf8')
      // The line break ends a comment on the last line.
      await connection.executeScript(`BEGIN; ${sql}\n; PRAGMA user_version = ${version + 1}; COMMIT`)
    }
  } finally {
    await connection.dispose()
  }
}
