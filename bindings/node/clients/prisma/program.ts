import assert from 'node:assert/strict'
import Strongroom from 'better-sqlite3'
import { migrate } from './migrate.ts'
import type {} from './types.ts'

const { adapter, prisma } = process.argv[2] === 'plain' ? await import('./plain.ts') : await import('./encrypted.ts')
const connection = await adapter.connect()
assert.ok('client' in connection && connection.client instanceof Strongroom)
await connection.dispose()

await migrate(adapter)
await migrate(adapter)

const note = await prisma.note.create({ data: { title: 'buy milk' } })
assert.deepEqual(note, { id: 1, title: 'buy milk', done: false })

await prisma.$transaction((tx) => tx.note.update({ where: { id: note.id }, data: { done: true } }))
await assert.rejects(
  prisma.$transaction(async (tx) => {
    await tx.note.deleteMany()
    throw new Error('rolled back')
  }),
  /rolled back/,
)
assert.deepEqual(await prisma.note.findMany(), [{ id: 1, title: 'buy milk', done: true }])
await prisma.$disconnect()
