// The table of workloads.
//
// A workload has these properties:
//   name, title    the name that `--filter` matches, and a description
//   unit           `ms`, `µs` or `ns` of a run, or of an operation if `setup` returns `operations`; or `MB`
//   count          the size of a run; `--scale` changes it
//   instructions   the size of a run whose instructions are counted; absent if a count would be meaningless
//   groups         the groups of configurations that run it; all if absent
//   plain          the workload without encryption that an encrypted workload is compared with, if its name differs
//   repeats        the number of timed runs in one process, which reports the best run; 1 if absent
//   once           `true` if a second run would do other work
//   rounds         the maximum number of rounds; all rounds if absent
//   fixture        the file that the workload reads, from fixtures.mjs; `copied` if the workload writes to it
//   unloaded       `true` if `run` loads the package
//   share          the arguments of the Rust loop that measures SQLite's share; see share.mjs
//   lacks          returns a message that says what the adapter lacks for the workload, if anything
//   setup          gets { peer, file, key, count, fixtureCount }, and returns the state of the runs
//   run            the measured function; returns a checksum, which must be the same for all configurations
//   checksum       returns the checksum after the runs, instead of `run`
//   finish         closes what `setup` opened
import { calls } from './calls.mjs'
import { chat } from './chat.mjs'
import { load } from './load.mjs'
import { memory } from './memory.mjs'
import { opening } from './opening.mjs'
import { pages } from './pages.mjs'
import { reading } from './reading.mjs'
import { values } from './values.mjs'
import { writing } from './writing.mjs'

export const WORKLOADS = [
  ...writing,
  ...reading,
  ...chat,
  ...pages,
  ...opening,
  ...load,
  ...calls,
  ...values,
  ...memory,
]

/** Returns whether the configurations of a group run a workload. */
export function runsIn(workload, group) {
  return workload.groups?.includes(group) ?? true
}

/** Returns the number of operations at a scale. */
export function scaled(count, scale) {
  return Math.max(1, Math.round(count * scale))
}
