// Runs child.mjs, and reports how it failed.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url))

/** The number of characters of a process's stderr that a report shows. */
const STDERR = 2_000

/**
 * Runs a request in a process of its own.
 *
 * @param child - the program that answers the request; child.mjs if absent
 * @returns `{ answer }`, or `{ failure }` with the reason and the end of stderr
 */
export function runChild(request, { node, flags = [], timeout, signal, wrapper = [], child = CHILD }) {
  const { addon } = request.configuration
  const [program, ...args] = [...wrapper, node, '--expose-gc', ...flags, child, JSON.stringify(request)]
  const env = { ...process.env, NODE_NO_WARNINGS: '1' }
  delete env.STRONGROOM_LIBRARY
  if (addon) env.STRONGROOM_LIBRARY = addon
  return new Promise((resolve) => {
    const started = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'])
      started[name].setEncoding('utf8').on('data', (text) => (output[name] += text))
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      started.kill('SIGKILL')
    }, timeout * 1e3)
    const interrupt = () => started.kill('SIGKILL')
    signal?.addEventListener('abort', interrupt)
    const end = (outcome) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', interrupt)
      resolve(outcome)
    }
    const failed = (what) => end({ failure: { what, stderr: output.stderr.trim().slice(-STDERR) } })
    started.on('error', (error) => failed(`cannot start ${program}: ${error.message}`))
    started.on('close', (status, killed) => {
      if (timedOut) return failed(`did not end within ${timeout} s`)
      if (killed) return failed(`was killed by ${killed}`)
      if (status !== 0) return failed(`ended with exit code ${status}`)
      const answer = lastLine(output.stdout)
      return answer === undefined ? failed('printed no answer') : end({ answer, stderr: output.stderr })
    })
  })
}

/** Returns the parsed JSON of the last line, or undefined. */
function lastLine(text) {
  try {
    return JSON.parse(text.trim().split('\n').at(-1))
  } catch {
    return undefined
  }
}
