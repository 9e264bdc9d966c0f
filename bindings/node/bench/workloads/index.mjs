// The table of workloads.
//
// A workload has
//   name, title    what `--filter` matches, and what it measures
//   unit           `ms`, `µs` or `ns` of a run, or of an operation if `setup` returns `operations`; or `MB`
//   count          the size of a run; `--scale` changes it
//   instructions   the size of a run whose instructions are counted; absent if that says nothing
//   groups         the groups of configurations that run it; both if absent
//   repeats        timed runs in one process, of which the best counts; 1 if absent
//   once           a second run would do something else
//   rounds         the most rounds that make sense; all if absent
//   fixture        the file that it reads, from fixtures.mjs; `copied` if it writes there
//   unloaded       `run` loads the package
//   share          what the loop in Rust needs to measure SQLite's share; see share.mjs
//   lacks          returns what the adapter lacks for it
//   setup          gets { peer, file, key, count, fixtureCount }, and returns the state of the runs
//   run            is measured; returns a checksum, in which all configurations must agree
//   checksum       returns the checksum after the runs, instead of `run`
//   finish         closes what `setup` has opened
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
