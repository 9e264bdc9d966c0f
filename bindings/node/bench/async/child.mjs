// A process of the asynchronous measurements. The argument is a request as JSON: { task, configuration, file, ... }. The
// last line of the output is the answer as JSON.
import { createRequire } from 'node:module'
import { strongroom } from '../peers/strongroom.mjs'
import { createMessages } from '../workloads/fixtures.mjs'
import { adapterOf } from './peers.mjs'
import { TASKS } from './tasks.mjs'

const request = JSON.parse(process.argv[2])
const { configuration, file, rows } = request
const answer =
  request.task === 'fixture'
    ? await fixture()
    : await TASKS[request.task]({ ...request, adapter: adapterOf(configuration) })
process.stdout.write(`\n${JSON.stringify(answer)}\n`)
process.exit(0)

/** Writes the table of messages: with the synchronous class, or with libsql for its own cipher. */
async function fixture() {
  if (configuration.module === 'libsql') return libsqlFixture()
  const peer = strongroom(configuration)
  peer.load()
  const db = peer.open(file, 'raw')
  createMessages({ peer, db, count: rows })
  db.pragma('wal_checkpoint(TRUNCATE)')
  peer.close(db)
  return {}
}

async function libsqlFixture() {
  const { messages } = await import('../data.mjs')
  const { CREATE_MESSAGE, INSERT_MESSAGE } = await import('../workloads/fixtures.mjs')
  const { RAW_KEY } = await import('../peers/settings.mjs')
  const Database = createRequire(import.meta.url)('libsql')
  const db = new Database(file, { encryptionCipher: configuration.cipher, encryptionKey: RAW_KEY })
  db.prepare('PRAGMA journal_mode = WAL').all()
  db.exec(CREATE_MESSAGE)
  const insert = db.prepare(INSERT_MESSAGE)
  const pool = messages(rows)
  db.transaction(() => {
    for (let i = 0; i < rows; i++) {
      const { body, bin, n } = pool[i % pool.length]
      insert.run(i + 1, body, bin, n)
    }
  })()
  db.close()
  return {}
}
