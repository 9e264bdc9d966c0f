// Runs the program `strongroom` of the package, with pipes or in a pseudo-terminal.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { folder } from './temporary.mjs'

const require = createRequire(import.meta.url)

/** The compiled program. */
export const program = join(dirname(require.resolve('strongroom')), 'cli/strongroom.js')

/** A reason to skip a test with a terminal, or false. */
export const noTerminal = process.platform === 'win32' && 'Windows has no pseudo-terminal in Python'

const environment = (env = {}) => {
  const { STRONGROOM_DEBUG, NODE_OPTIONS, ...rest } = process.env
  return { ...rest, TERM: 'xterm', ...env }
}

/** Runs the program without a terminal. Returns its exit code and its output. */
export function strongroom(args, { input = '', env, cwd = folder } = {}) {
  // `detached` gives the program a session of its own, so it cannot open the terminal of the person who runs the tests.
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd,
    input,
    env: environment(env),
    encoding: 'utf8',
    detached: true,
    timeout: 120_000,
  })
  return signal ? { signal, stdout, stderr } : { status, stdout, stderr }
}

/** Runs the program in a pseudo-terminal. Each step is a text to wait for and the keys to type. */
export function inTerminal(args, steps, options) {
  return terminal([process.execPath, program, ...args], steps, options)
}

/** Runs any program in a pseudo-terminal. */
export function terminal(argv, steps, { piped = [], input = '', cwd = folder, env } = {}) {
  const plan = {
    argv,
    cwd,
    env: environment(env),
    piped,
    input,
    steps: steps.map(([wait, send, { stop = false, signal = '' } = {}]) => ({ wait, send, stop, signal })),
  }
  const script = fileURLToPath(new URL('fixtures/terminal.py', import.meta.url))
  const run = spawnSync('python3', [script], { input: JSON.stringify(plan), encoding: 'utf8', timeout: 120_000 })
  assert.equal(run.error, undefined, `cannot run python3, which makes the pseudo-terminal: ${run.error}`)
  assert.equal(run.status, 0, run.stderr)
  return JSON.parse(run.stdout)
}
