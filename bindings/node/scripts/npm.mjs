// Starts npm.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Refused, refuseWithoutNpm } from './sealed.mjs'

const CLI = 'node_modules/npm/bin/npm-cli.js'

let command

/**
 * Runs npm, and returns its output. `output` says where the standard output goes, and `errors` where the error output
 * goes. With `input: 'inherit'`, npm can ask the user.
 */
export function npm(args, { input = 'ignore', output = 'pipe', errors = 'pipe', cwd } = {}) {
  command ??= npmCommand()
  const [program, ...first] = command
  const ran = spawnSync(program, [...first, ...args], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: [input, output, errors],
  })
  if (ran.error) {
    refuseWithoutNpm(ran.error)
    throw ran.error
  }
  return { succeeded: ran.status === 0, output: ran.stdout ?? '', errors: ran.stderr ?? '' }
}

/**
 * Returns the error that npm printed. npm with `--json` prints an object with `error`; otherwise the summary is the end
 * of the error output.
 */
export function npmError({ output, errors }) {
  const { code, summary } = json(output)?.error ?? {}
  return { code, summary: summary || errors.trim().split('\n').slice(-3).join('\n') || 'npm printed no error' }
}

/** Parses JSON. Returns undefined if the text is not JSON. */
export function json(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Returns the program and the first arguments that start npm.
 *
 * On Windows, npm is a batch file, and Node starts a batch file only through a shell, whose quoting rules differ from
 * those of programs. Node therefore runs npm's JavaScript, which is found in the same way as by npm.cmd: a globally
 * installed npm comes before the npm beside node.exe.
 */
export function npmCommand(platform = process.platform, node = process.execPath) {
  if (platform !== 'win32') return ['npm']
  const beside = join(dirname(node), CLI)
  if (!existsSync(beside)) {
    throw new Refused(`${beside} does not exist: install Node with npm, then run the command again`)
  }
  const { stdout } = spawnSync(node, [beside, 'prefix', '--global'], { encoding: 'utf8' })
  const prefix = stdout?.trim()
  const installed = prefix ? join(prefix, CLI) : beside
  return [node, existsSync(installed) ? installed : beside]
}
