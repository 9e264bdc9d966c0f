// Kills processes that write through the asynchronous class, and checks the file after each pair of kills: the harness of
// crates/database/tests/it/sealed_kills.rs, with the same rows and the same checks.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Database from 'strongroom'

const script = fileURLToPath(new URL('fixtures/async-writer.mjs', import.meta.url))
const WRITERS = [1, 2]
/** A writer commits within this time in ms, or the test fails. */
const LONGEST = 60_000
/** The number of commits of a writer before its kill: on a slow machine, each may take longer than the time to the kill. */
const COMMITS = 3

/** Returns the content of a row. Every tenth content is longer than several pages. */
export function payload(writer, number) {
  return Buffer.alloc(((number * 37) % 997) + (number % 10 === 0 ? 30_000 : 20), (number * 7 + writer) % 251)
}

/** A process that commits until it is killed. */
class Writer {
  /** The last commit that the process reported. */
  last = 0
  #child
  #reported
  #ended

  constructor(path, key, writer) {
    this.#child = spawn(process.execPath, [script, path, key?.toString('hex') ?? '', `${writer}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let rest = ''
    this.#child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()
      for (const line of lines) this.last = Math.max(this.last, Number(line.split(' ')[1]))
      this.#reported?.()
    })
    this.#ended = once(this.#child, 'close')
    this.#ended.then(() => this.#reported?.())
  }

  /** Waits until the process reports {@link COMMITS} further commits. */
  async commits() {
    const enough = this.last + COMMITS
    while (this.last < enough) await this.#report()
  }

  /** Waits until the process reports a commit. */
  async #report() {
    const reported = new Promise((resolve) => {
      this.#reported = resolve
    })
    const before = this.last
    await Promise.race([reported, wait(LONGEST, undefined, { ref: false })])
    const { exitCode, signalCode } = this.#child
    assert.deepEqual({ exitCode, signalCode }, { exitCode: null, signalCode: null }, 'the writer ended')
    assert.ok(this.last > before, `the writer commits nothing after ${before}`)
  }

  /** Kills the process, and waits for its last report. */
  async kill() {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}

/** Kills writers `kills` times: two at the same time, the second after it has recovered from the kill of the first. */
export async function killOften({ path, key, format, journal, kills }) {
  const db = new Database(path, { ...(key && { key, format }) })
  db.pragma(`journal_mode = ${journal}`)
  db.exec(`
    CREATE TABLE entry (writer INTEGER, number INTEGER, payload BLOB, PRIMARY KEY (writer, number));
    CREATE TABLE total (writer INTEGER PRIMARY KEY, entries INTEGER, bytes INTEGER);
    INSERT INTO total VALUES (1, 0, 0), (2, 0, 0)`)
  db.close()
  const reported = [0, 0]
  let commits = 0
  for (let round = 0; round < Math.ceil(kills / 2); round++) {
    const writers = WRITERS.map((writer) => new Writer(path, key, writer))
    try {
      const order = round % 2 === 0 ? [0, 1] : [1, 0]
      for (const [kill, at] of order.entries()) {
        await writers[at].commits()
        // Multiples of the golden ratio spread any number of kills evenly over the time that some commits take.
        await wait(30 * (((2 * round + kill) * 0.61803398875) % 1))
        await writers[at].kill()
      }
    } finally {
      await Promise.all(writers.map((writer) => writer.kill()))
    }
    for (const at of [0, 1]) reported[at] = Math.max(reported[at], writers[at].last)
    commits = assertWhole({ path, key, reported })
  }
  assert.ok(commits >= COMMITS * kills, `${commits} commits`)
  return commits
}

/** Checks that the file has every reported commit, and no part of another one. Returns the number of commits. */
function assertWhole({ path, key, reported }) {
  const db = new Database(path, { ...(key && { key }) })
  try {
    let commits = 0
    for (const writer of WRITERS) {
      const rows = db.prepare('SELECT number, payload FROM entry WHERE writer = ? ORDER BY number').all(writer)
      const newest = rows.at(-1)?.number ?? 0
      const last = reported[writer - 1]
      assert.ok(newest >= last, `writer ${writer}: ${last} was reported, the file ends at ${newest}`)
      assert.equal(rows.length, newest, `writer ${writer}: a commit is missing`)
      let bytes = 0
      for (const row of rows) {
        const whole = payload(writer, row.number)
        bytes += whole.length
        const isRight =
          whole.equals(row.payload) || (row.number <= newest - 40 && whole.subarray(0, 10).equals(row.payload))
        assert.ok(isRight, `writer ${writer}: entry ${row.number}`)
      }
      const total = db.prepare('SELECT entries, bytes FROM total WHERE writer = ?').get(writer)
      assert.deepEqual({ ...total }, { entries: rows.length, bytes }, `writer ${writer}`)
      commits += rows.length
    }
    assert.deepEqual(db.check().problems, [])
    return commits
  } finally {
    db.close()
  }
}
