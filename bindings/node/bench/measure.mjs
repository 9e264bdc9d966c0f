// Measures a workload in this process.

const UNITS = { ms: 1e6, µs: 1e3, ns: 1 }

/** The number of runs before the counted run, so that V8 has finished compiling. */
const WARM_RUNS = 4

/**
 * Measures a workload, and returns the best of its repeats in its unit: `{ cpu, wall, checksum }`, or
 * `{ memory, checksum }`; or `{ lacks }` if the adapter cannot run the workload.
 *
 * `cpu` is the CPU time of all threads. `memory` is the growth of the process's peak resident memory.
 */
export function measure({ workload, peer, place, key, count, fixtureCount }) {
  const lacks = workload.lacks?.(peer)
  if (lacks) return { lacks }
  const state = prepared({ workload, peer, file: place(), key, count, fixtureCount })
  const times = Array.from({ length: workload.repeats ?? 1 }, () => timed(() => workload.run(state)))
  const checksum = finished(workload, state, times.at(-1).result)
  if (workload.unit === 'MB') return { memory: times[0].memory, checksum }
  const divisor = UNITS[workload.unit] * (state.operations ?? 1)
  const best = (which) => Math.min(...times.map((time) => time[which])) / divisor
  return { cpu: best('cpu'), wall: best('wall'), checksum }
}

/**
 * Runs a workload between two calls of umask. At each call, callgrind writes a profile of the instructions since the
 * previous call. Returns `{ operations, checksum }`, or `{ lacks }`.
 */
export function count({ workload, peer, place, key, count, fixtureCount }) {
  const lacks = workload.lacks?.(peer)
  if (lacks) return { lacks }
  const fresh = () => prepared({ workload, peer, file: place(), key, count, fixtureCount })
  if (workload.once) {
    const warm = fresh()
    finished(workload, warm, workload.run(warm))
  }
  const state = fresh()
  if (!workload.once && !workload.unloaded) for (let run = 0; run < WARM_RUNS; run++) workload.run(state)
  globalThis.gc?.()
  mark()
  const result = workload.run(state)
  mark()
  return { operations: state.operations ?? count, checksum: finished(workload, state, result) }
}

function prepared({ workload, peer, ...given }) {
  if (!workload.unloaded) peer.load()
  return workload.setup({ peer, ...given })
}

/** Returns the checksum of the runs, and closes everything that the workload opened. */
function finished(workload, state, result) {
  const checksum = String(workload.checksum?.(state) ?? result)
  workload.finish?.(state)
  return checksum
}

function mark() {
  process.umask(0o022)
}

/**
 * Runs a function after a garbage collection. Returns the function's result, its times in ns, and the growth of the
 * memory peak in MB.
 */
function timed(work) {
  globalThis.gc?.()
  const memory = process.memoryUsage.rss()
  const started = process.cpuUsage()
  const start = process.hrtime.bigint()
  const result = work()
  const wall = Number(process.hrtime.bigint() - start)
  const { user, system } = process.cpuUsage(started)
  const peak = process.resourceUsage().maxRSS * 1024
  return { result, wall, cpu: (user + system) * 1e3, memory: (peak - memory) / 1e6 }
}
