// Writes to a file until its parent says stop: the other process of slots.mjs.
import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import Database from '../../dist/index.mjs'

const [path, key] = process.argv.slice(2)
const db = new Database(path, { key: Buffer.from(key, 'hex'), timeout: 60_000 })
const { last } = db.prepare('SELECT max(id) AS last FROM t').get()
const update = db.prepare('UPDATE t SET body = ? WHERE id = ?')
let isOver = false
let transactions = 0
process.on('message', () => {
  isOver = true
})
while (!isOver) {
  update.run(randomBytes(65_000), 1 + Math.floor(Math.random() * last))
  transactions += 1
  if (transactions === 1) process.send('writing')
  await setImmediate()
}
db.close()
process.send({ transactions }, () => process.disconnect())
