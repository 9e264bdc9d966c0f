// A process of the harness: describes a configuration, builds a fixture, or measures one workload.
//
// The argument is a request as JSON: { task, configuration, ... }. The last line of the output is the answer as JSON.
import { copyFileSync, rmSync } from 'node:fs'
import { describe } from './describe.mjs'
import { count, measure } from './measure.mjs'
import { adapterOf } from './peers/index.mjs'
import { FIXTURES } from './workloads/fixtures.mjs'
import { WORKLOADS } from './workloads/index.mjs'

/** The suffixes of a database file and of the files that SQLite creates beside it. */
const COMPANIONS = ['', '-wal', '-shm', '-journal']

const request = JSON.parse(process.argv[2])
const { configuration } = request
const peer = adapterOf(configuration)
const key = configuration.cipher === undefined ? undefined : 'raw'

const tasks = {
  describe: () => describe({ peer, configuration, key, file: fresh() }),
  fixture() {
    peer.load()
    const db = peer.open(fresh(), key)
    FIXTURES[request.fixture].build({ peer, db, count: request.count })
    peer.close(db)
    return {}
  },
  measure: () => measure(workload()),
  count: () => count(workload()),
}

const answer = tasks[request.task]()
process.stdout.write(`\n${JSON.stringify(answer)}\n`)

/** Returns the arguments for a measurement of the requested workload. */
function workload() {
  const workload = WORKLOADS.find(({ name }) => name === request.workload)
  const place = () => {
    if (workload.fixture && !workload.copied) return request.source
    const file = fresh()
    if (workload.copied) copyFileSync(request.source, file)
    return file
  }
  return { workload, peer, place, key, count: request.count, fixtureCount: request.fixtureCount }
}

/** Removes the files of an earlier run from the requested path, and returns the path. */
function fresh() {
  for (const suffix of COMPANIONS) rmSync(request.file + suffix, { force: true })
  return request.file
}
