// Builds with cargo.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The folder of the checkout. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/**
 * Runs `cargo build --release` with arguments. Cargo's messages appear on stderr.
 *
 * @param isWanted - selects the artifact to return from cargo's JSON messages
 * @returns `{ artifact }`, or `{ failed }` with the reason
 */
export function cargoBuild(args, isWanted) {
  const format = '--message-format=json-render-diagnostics'
  const { status, stdout, error } = spawnSync('cargo', ['build', '--release', '--locked', ...args, format], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 2],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (error) return { failed: `cannot start cargo: ${error.code}` }
  if (status !== 0) return { failed: 'cargo build failed; its message is above' }
  const artifact = stdout
    .split('\n')
    .filter((line) => line.includes('"compiler-artifact"'))
    .map((line) => JSON.parse(line))
    .findLast(isWanted)
  return artifact ? { artifact } : { failed: 'cargo build did not report the expected artifact' }
}
