// Runs programs, and reports failures as GitHub's annotations.
import { spawnSync } from 'node:child_process'

/** A program that failed, or an answer that cannot be read. */
export class Failure extends Error {}

/**
 * Runs a program to its end. Returns its status and output.
 *
 * @throws Failure if the program cannot start or is killed
 */
export function run(program, args, { cwd, input } = {}) {
  const { status, stdout, stderr, error, signal } = spawnSync(program, args, {
    cwd,
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    timeout: 600_000,
  })
  const command = [program, ...args].join(' ')
  if (status === null) throw new Failure(`${command}: ${error?.message ?? `killed by ${signal}`}`)
  return { command, status, stdout, stderr }
}

/**
 * Runs a program. Returns its standard output.
 *
 * @throws Failure with the program's error output if the program fails
 */
export function capture(program, args, options) {
  const { command, status, stdout, stderr } = run(program, args, options)
  if (status !== 0) throw new Failure(`${command} ended with code ${status}: ${stderr.trim() || stdout.trim()}`)
  return stdout
}

/** Parses JSON. `source` names the sender in the error. */
export function parse(source, text) {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Failure(`${source} did not answer with JSON, but with ${JSON.stringify(text.slice(0, 80))}`, { cause })
  }
}

/** Calls each function. Returns the results, or throws one Failure that lists every failure. */
export function all(...functions) {
  const failures = []
  const results = []
  for (const each of functions) {
    try {
      results.push(each())
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      failures.push(error.message)
    }
  }
  if (failures.length > 0) throw new Failure(failures.join('\n'))
  return results
}

/** Runs a script. If the script fails, prints an annotation for each failure. */
export function main(script) {
  try {
    script(...process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    // A line break would end the annotation: docs.github.com, "Workflow commands for GitHub Actions".
    for (const line of error.message.split('\n')) console.log(`::error::${line}`)
    process.exitCode = 1
  }
}
