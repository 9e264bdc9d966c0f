// The types of strongroom/async as a CommonJS module sees them.
import async = require('strongroom/async')

async function main(): Promise<void> {
  const db: async.AsyncDatabase = await async.open('x.db', { readers: 1 } satisfies async.OpenOptions)
  const row: async.Row | undefined = await db.get('SELECT 1')
  const result: async.RunResult = await db.run('SELECT 1')
  console.log(row, result.changes)
  await db.close()
}
main().catch((error: unknown) => {
  if (!(error instanceof async.SqliteError)) throw error
})
