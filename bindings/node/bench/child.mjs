// A process of the harness: describes a configuration, builds a fixture, or measures one workload.
//
// The argument is a request as JSON: { task, configuration, ... }. The last line of the output is the answer as JSON.
import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { describe } from './describe.mjs'
import { measure } from './measure.mjs'
import { adapterOf } from './peers/index.mjs'
import { FIXTURES } from './workloads/fixtures.mjs'
import { WORKLOADS } from './workloads/index.mjs'

/** What SQLite puts beside a database. */
const COMPANIONS = ['', '-wal', '-shm', '-journal']

const request = JSON.parse(process.argv[2])
const { configuration } = request
const peer = adapterOf(configuration)
const key = configuration.cipher === undefined ? undefined : 'raw'

const tasks = {
  describe: () => describe({ peer, configuration, key, file: fresh(request.file) }),
  fixture() {
    peer.load()
    const db = peer.open(fresh(request.file), key)
    FIXTURES[request.fixture].build({ peer, db, count: request.count })
    peer.close(db)
    return {}
  },
  measure() {
    const workload = WORKLOADS.find(({ name }) => name === request.workload)
    const file = workload.fixture && !workload.copied ? request.source : fresh(request.file)
    if (workload.copied) copyFileSync(request.source, file)
    return measure({ workload, peer, file, key, count: request.count, fixtureCount: request.fixtureCount })
  },
}

const answer = tasks[request.task]()
process.stdout.write(`\n${JSON.stringify(answer)}\n`)

/** Returns the path, at which nothing of an earlier run remains. */
function fresh(file) {
  for (const suffix of COMPANIONS) if (existsSync(file + suffix)) rmSync(file + suffix)
  return file
}
