// SQLite's share of a call: a loop in Rust runs the same statement through Strongroom's engine, without JavaScript.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cargoBuild, ROOT } from './cargo.mjs'
import { scaled } from './workloads/index.mjs'

/**
 * Measures SQLite's share of each workload that has one. The result is a Map from the workload's name to the ns per
 * operation of the best round.
 *
 * @returns `{ shares }`, or `{ shares, missing }` with the reason
 */
export function sqliteShares({ workloads, scale, rounds, log }) {
  const measured = workloads.filter(({ share }) => share)
  if (measured.length === 0) return { shares: new Map() }
  if (!existsSync(join(ROOT, 'Cargo.toml')))
    return {
      shares: new Map(),
      missing: `${ROOT} is not a checkout of the repository; run the benchmark in a checkout, or pass --no-share`,
    }
  log("building the loop that measures SQLite's share: cargo build --release --example sqlite_share")
  const example = ['-p', 'strongroom-database', '--example', 'sqlite_share']
  const { artifact, failed } = cargoBuild(example, ({ target }) => target.name === 'sqlite_share')
  if (failed) return { shares: new Map(), missing: failed }
  const program = artifact.executable
  const shares = new Map()
  for (let round = 0; round < rounds; round++) {
    for (const workload of measured) {
      const { ns, failed } = shareOf(workload, { program, scale })
      if (failed) return { shares, missing: `${program} failed for ${workload.name}: ${failed}` }
      shares.set(workload.name, Math.min(ns, shares.get(workload.name) ?? ns))
    }
  }
  return { shares }
}

/** Runs the loop of a workload. Returns `{ ns }` or `{ failed }`. */
function shareOf({ count, repeats, share }, { program, scale }) {
  const { schema, sql, rows, value } = share
  const loops = Math.max(1, Math.round(scaled(count, scale) / rows))
  const args = [schema, sql, rows > 1 ? 'every' : 'first', rows, loops, repeats, value()]
  const { status, stdout, stderr, error } = spawnSync(program, args.map(String), { encoding: 'utf8' })
  return status === 0 ? JSON.parse(stdout) : { failed: error?.message ?? stderr.trim() }
}
