// Measures a workload in this process: CPU time of all threads, wall time, and the peak of memory.

const UNITS = { ms: 1e6, µs: 1e3, ns: 1 }

/**
 * Runs a workload, and returns the best of its repeats in the workload's unit: `{ cpu, wall, checksum }`, or
 * `{ memory, checksum }`; or `{ lacks }` if the adapter cannot run it.
 */
export function measure({ workload, peer, file, key, count, fixtureCount }) {
  const lacks = workload.lacks?.(peer)
  if (lacks) return { lacks }
  if (!workload.unloaded) peer.load()
  const state = workload.setup({ peer, file, key, count, fixtureCount })
  const times = Array.from({ length: workload.repeats ?? 1 }, () => timed(() => workload.run(state)))
  const checksum = String(workload.checksum?.(state) ?? times.at(-1).result)
  workload.finish?.(state)
  if (workload.unit === 'MB') return { memory: times[0].memory, checksum }
  const divisor = UNITS[workload.unit] * (state.operations ?? 1)
  const best = (which) => Math.min(...times.map((time) => time[which])) / divisor
  return { cpu: best('cpu'), wall: best('wall'), checksum }
}

/** Runs a function after a garbage collection. Returns its times in ns, and how much the peak of memory grew in MB. */
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
