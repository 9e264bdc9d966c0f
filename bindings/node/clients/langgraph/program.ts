import assert from 'node:assert/strict'
import { Command, isInterrupted } from '@langchain/langgraph'
import Strongroom from 'better-sqlite3'
import { createGraph } from './graph.ts'

const { open } = process.argv[2] === 'plain' ? await import('./plain.ts') : await import('./encrypted.ts')
const thread = (id: string) => ({ configurable: { thread_id: id } })

const first = open()
assert.ok(first.db instanceof Strongroom)
const waiting = await createGraph(first).invoke({ draft: 'buy milk' }, thread('shopping'))
assert.ok(isInterrupted(waiting))
assert.deepEqual(waiting.notes, [])
first.db.close()

// A new saver and a new graph continue where the first saver and graph stopped.
const saver = open()
const graph = createGraph(saver)
assert.deepEqual((await graph.getState(thread('shopping'))).next, ['review'])
const approved = await graph.invoke(new Command({ resume: true }), thread('shopping'))
assert.deepEqual(approved.notes, ['buy milk'])

await graph.invoke({ draft: 'buy bread' }, thread('other'))
const count = saver.db.prepare<[string], number>('SELECT count(*) FROM checkpoints WHERE thread_id = ?').pluck()
assert.ok(Number(count.get('other')) > 0)
await saver.deleteThread('other')
assert.equal(count.get('other'), 0)

const removeAll = saver.db.transaction(() => {
  saver.db.exec('DELETE FROM checkpoints; DELETE FROM writes')
  throw new Error('rolled back')
})
assert.throws(removeAll, /rolled back/)

const history: string[][] = []
for await (const { values } of graph.getStateHistory(thread('shopping'))) history.push(values.notes)
assert.deepEqual(history, [['buy milk'], [], []])
saver.db.close()
