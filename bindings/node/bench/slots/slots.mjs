// Measures how long a change of a key slot takes in a small and in a large file, while another process writes to both.
//
//   node bench/slots/slots.mjs [--large MEGABYTES] [--rounds N] [--journal wal|delete]
//
// Uses the addon in dist/, so build it with `cargo xtask dist` first.
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import Database from '../../dist/index.mjs'

const { values } = parseArgs({
  options: {
    large: { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '30' },
    journal: { type: 'string', default: 'wal' },
  },
})
const key = Buffer.alloc(32, 7)
const folder = mkdtempSync(join(tmpdir(), 'strongroom-slots-'))
try {
  const files = [create('small', 1), create('large', Number(values.large))]
  const writers = await Promise.all(files.map(({ path }) => startWriter(path)))
  const measured = measure(files, Number(values.rounds))
  const written = await Promise.all(writers.map(stop))
  report(files, measured, written)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Creates a file of some megabytes with one slot for the key, and one slot that is to be changed. */
function create(name, megabytes) {
  const path = join(folder, `${name}.db`)
  const db = new Database(path, { key, format: 'strongroom', timeout: 60_000 })
  db.pragma(`journal_mode = ${values.journal}`)
  db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)')
  const insert = db.prepare('INSERT INTO t (body) VALUES (?)')
  const megabyte = db.transaction(() => {
    for (let row = 0; row < 16; row++) insert.run(randomBytes(65_000))
  })
  for (let done = 0; done < megabytes; done++) megabyte()
  db.pragma('wal_checkpoint(TRUNCATE)')
  const { id } = db.keys.add({ key: randomBytes(32) }, { label: 'measured' })
  return { name, path, db, id, size: statSync(path).size }
}

/** Starts a process that writes to a file until it is told to stop. */
function startWriter(path) {
  const child = fork(fileURLToPath(new URL('writer.mjs', import.meta.url)), [path, key.toString('hex')])
  return new Promise((resolve, reject) => {
    child.once('message', () => resolve(child))
    child.once('exit', (code) => reject(new Error(`the writer of ${path} ended with ${code}`)))
  })
}

/** Stops a writer, and returns the number of its transactions. */
function stop(child) {
  return new Promise((resolve) => {
    child.removeAllListeners('exit')
    child.once('message', ({ transactions }) => resolve(transactions))
    child.send('stop')
  })
}

/** Changes the slot of each file in turn, to a raw key and to a passphrase. Returns the times in milliseconds. */
function measure(files, rounds) {
  const times = files.map(() => ({ key: [], passphrase: [] }))
  for (let round = 0; round < rounds; round++) {
    for (const [index, { db, id }] of files.entries()) {
      times[index].key.push(time(() => db.keys.change(id, { key: randomBytes(32) })))
      times[index].passphrase.push(time(() => db.keys.change(id, { passphrase: `passphrase ${round}` })))
    }
  }
  return times
}

function time(call) {
  const begun = process.hrtime.bigint()
  call()
  return Number(process.hrtime.bigint() - begun) / 1e6
}

function report(files, times, written) {
  const quantile = (samples, share) => samples.toSorted((a, b) => a - b)[Math.floor((samples.length - 1) * share)]
  const shown = (samples) => [0.5, 0.9].map((share) => quantile(samples, share).toFixed(1)).join(' / ')
  console.log(`| file | size | transactions of the writer | raw key, ms (p50 / p90) | passphrase, ms (p50 / p90) |`)
  console.log('|---|---:|---:|---:|---:|')
  for (const [index, { name, size }] of files.entries()) {
    const { key, passphrase } = times[index]
    const megabytes = `${(size / 1e6).toFixed(1)} MB`
    console.log(`| ${name} | ${megabytes} | ${written[index]} | ${shown(key)} | ${shown(passphrase)} |`)
  }
  const ratio = (kind) => quantile(times[1][kind], 0.5) / quantile(times[0][kind], 0.5)
  console.log(
    `\nlarge / small: ${ratio('key').toFixed(2)} for a raw key, ${ratio('passphrase').toFixed(2)} for a passphrase`,
  )
}
