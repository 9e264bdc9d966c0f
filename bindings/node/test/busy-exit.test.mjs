import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import Database from './database.mjs'
import { freshPath } from './temporary.mjs'

const script = fileURLToPath(new URL('fixtures/busy-exit.mjs', import.meta.url))
const key = Buffer.alloc(32, 5)

for (const state of ['iterator', 'transaction', 'nested call', 'backup', 'completing backup', 'migration'])
  for (const way of ['process.exit', 'exception', 'terminate'])
    test(`a database survives the end of its program: ${way} during ${state}`, () => {
      const folder = freshPath()
      mkdirSync(folder)
      const path = join(folder, 'used.db')
      let db = new Database(path, { key })
      db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, a)')
      const insert = db.prepare('INSERT INTO t (a) VALUES (zeroblob(2000))')
      db.transaction(() => {
        for (let i = 0; i < 300; i++) insert.run()
      })()
      db.close()
      // The migration runs several times, because the process exit races with the conversion's thread.
      for (let attempt = 0; attempt < (state === 'migration' ? 5 : 1); attempt++) leaves(folder, state, way)
      // The file has the new key if the conversion ended before the exit.
      db = open(path, state === 'migration' ? [key, Buffer.alloc(32, 6)] : [key])
      assert.equal(db.prepare('SELECT count(*) FROM t WHERE a <> -1').pluck().get(), 300)
      assert.equal(db.prepare('SELECT count(*) FROM t WHERE a = -1').pluck().get(), 0)
      assert.deepEqual(db.check().problems, [])
      db.exec('DELETE FROM t')
      db.close()
    })

function leaves(folder, state, way) {
  const { status, signal, stderr } = spawnSync(process.execPath, [script, folder, state, way], { encoding: 'utf8' })
  assert.deepEqual({ status, signal, stderr }, { status: 7, signal: null, stderr: '' })
  if (state === 'migration') assert.deepEqual(readdirSync(folder), ['used.db'])
}

/** Opens the file with the first key that fits. */
function open(path, keys) {
  const [first, ...others] = keys
  try {
    return new Database(path, { key: first })
  } catch (error) {
    if (others.length === 0 || error.code !== 'STRONGROOM_WRONG_KEY') throw error
    return open(path, others)
  }
}
