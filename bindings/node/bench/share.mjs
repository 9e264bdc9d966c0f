// SQLite's share of a call: a loop in Rust runs the same statement through Strongroom's engine, without JavaScript.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { scaled } from './workloads/index.mjs'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const BUILD = ['build', '--release', '--locked', '-p', 'strongroom-database', '--example', 'sqlite_share']

/**
 * Measures the share of each workload that has one: a Map from the workload's name to ns per operation.
 *
 * @returns `{ shares }`, or `{ shares, missing }` with the reason
 */
export function sqliteShares({ workloads, scale, log }) {
  const measured = workloads.filter(({ share }) => share)
  if (measured.length === 0) return { shares: new Map() }
  if (!existsSync(join(ROOT, 'Cargo.toml')))
    return { shares: new Map(), missing: 'this is not a checkout of the repository' }
  log("builds the loop that measures SQLite's share: cargo build --release --example sqlite_share")
  const { program, missing } = built()
  if (missing) return { shares: new Map(), missing }
  const shares = new Map()
  for (const { name, count, repeats, share } of measured) {
    const loops = Math.max(1, Math.round(scaled(count, scale) / share.rows))
    const args = [
      share.schema,
      share.sql,
      share.rows > 1 ? 'every' : 'first',
      share.rows,
      loops,
      repeats,
      share.value(),
    ]
    const { status, stdout, stderr, error } = spawnSync(program, args.map(String), { encoding: 'utf8' })
    if (status !== 0) return { shares, missing: `${program} failed for ${name}: ${error?.message ?? stderr.trim()}` }
    shares.set(name, JSON.parse(stdout).ns)
  }
  return { shares }
}

function built() {
  const cargo = spawnSync('cargo', [...BUILD, '--message-format=json-render-diagnostics'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 2],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (cargo.error) return { missing: `cargo cannot be started (${cargo.error.code})` }
  if (cargo.status !== 0) return { missing: 'cargo build failed; its message is above' }
  const artifacts = cargo.stdout
    .split('\n')
    .filter((line) => line.includes('"compiler-artifact"'))
    .map((line) => JSON.parse(line))
  return { program: artifacts.findLast(({ target }) => target.name === 'sqlite_share').executable }
}
