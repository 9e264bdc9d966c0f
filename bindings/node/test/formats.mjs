// Runs the tests that hold in every format once more, with databases of another format.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))

/** Returns the test files whose databases have the format of the run. */
export function files() {
  const all = readdirSync(here).filter((name) => name.endsWith('.test.mjs'))
  return all.filter((name) => /^import .*'\.\/database\.mjs'$/m.test(readFileSync(join(here, name), 'utf8')))
}

/** Runs the files in a format, and registers a test for each of their tests. */
export async function runIn(format) {
  // With the runner's NODE_TEST_CONTEXT, the child would report to this file's own runner.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const args = ['--test', '--test-reporter=tap', ...files().map((name) => join(here, name))]
  const child = spawn(process.execPath, args, {
    env: { ...env, STRONGROOM_TEST_FORMAT: format },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  let output = ''
  child.stdout.setEncoding('utf8')
  for await (const part of child.stdout) output += part
  const [code] = await ended
  const results = [...output.matchAll(/^(not )?ok \d+ - (.*?)(?: # SKIP ?(.*))?\n((?: .*\n)*)/gm)]
  for (const [, failed, name, skipped, details] of results)
    test(`${format}: ${name}`, { skip: skipped ?? false }, () => {
      if (failed) throw new Error(details)
    })
  const failures = results.filter(([, failed]) => failed).length
  test(`${format}: the runner ran ${results.length} tests of ${files().length} files`, () => {
    if (results.length < 200) throw new Error(output.slice(-4000))
    if ((code === 0) !== (failures === 0)) throw new Error(`exit code ${code} with ${failures} failures`)
  })
}
