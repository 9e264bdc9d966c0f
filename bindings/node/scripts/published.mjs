// Installs a published version with npm, pnpm, Yarn, Bun and Deno, each into an empty project, and runs the example in
// README.md there. On Linux, npm also checks the signatures and the provenance of what it installed.
//
//   node published.mjs VERSION [TOOLS]
//
// VERSION may begin with a `v`. TOOLS is a folder for the package managers; without it, the script makes a temporary
// folder. ATTEMPTS (default 30) and PAUSE (default 20) are the number of attempts and the seconds between two of them: a
// registry answers from caches for minutes after a publication.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { managers, tools } from './managers.mjs'
import { MAIN, Refused, refuse, run } from './sealed.mjs'

/** The text that the example prints. */
const TEXT = 'what is written here is compressed, then encrypted'
const { ATTEMPTS = '30', PAUSE = '20' } = process.env

run(() => {
  const [named, given, ...rest] = process.argv.slice(2)
  const version = named?.replace(/^v/, '')
  if (!/^\d+\.\d+\.\d+(-[\w.-]+)?$/.test(version) || rest.length > 0) {
    throw new Refused('usage: node published.mjs VERSION [TOOLS], for example 1.2.3 or v1.2.3')
  }
  const scratch = mkdtempSync(join(tmpdir(), 'strongroom-published-'))
  try {
    const found = tools(given === undefined ? join(scratch, 'tools') : resolve(given), npm)
    const program = example()
    const problems = managers(found).flatMap((manager) =>
      problemsOf(manager, version, program, join(scratch, manager.name)),
    )
    refuse(problems, `${MAIN} ${version} does not work as published`, 'the output of each program is above')
  } finally {
    rmSync(scratch, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  }
})

/** Returns a list with the failure of a manager, or an empty list. A failure does not stop the other managers. */
function problemsOf(manager, version, program, project) {
  try {
    console.log(`\n${manager.name} ${manager.version}`)
    mkdirSync(project)
    // With Plug'n'Play, Node can import packages only in a project of type `module`.
    writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }\n')
    for (const [name, text] of Object.entries(manager.settings ?? {})) writeFileSync(join(project, name), text)
    writeFileSync(join(project, 'example.mjs'), program)
    attempt(() => call(manager.command, [...manager.add, `${manager.prefix ?? ''}${MAIN}@${version}`], project))
    const printed = call(manager.runner, [...manager.run, 'example.mjs'], project, 'pipe')
    process.stdout.write(printed)
    if (printed.trim() !== TEXT) throw new Error(`the example printed ${JSON.stringify(printed)}`)
    // One system is enough: the signatures are the same everywhere.
    if (manager.name === 'npm' && process.platform === 'linux') attempt(() => npm(['audit', 'signatures'], project))
    return []
  } catch (error) {
    return [`${manager.name} ${manager.version}: ${error.message.split('\n')[0]}`]
  }
}

/** Calls a function until it returns. Throws its last error. */
function attempt(work) {
  for (let left = Number(ATTEMPTS); ; left -= 1) {
    try {
      return work()
    } catch (error) {
      if (left <= 1 || error.code === 'ENOENT') throw error
      console.log(`failed; ${left - 1} attempts are left`)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(PAUSE) * 1000)
    }
  }
}

/** Returns the example of README.md, as a program with `import`. */
function example() {
  const readme = readFileSync(fileURLToPath(new URL('../../../README.md', import.meta.url)), 'utf8')
  const code = /\n```js\n(.*?)\n```\n/s.exec(readme)?.[1]
  if (!code?.startsWith('import ') || !code.includes(TEXT)) {
    throw new Refused(`README.md's first example in JavaScript has no import, or does not print "${TEXT}"`)
  }
  return `${code}\n`
}

function npm(args, folder) {
  return call('npm', args, folder)
}

function call(command, args, cwd, output = 'inherit') {
  // On Windows npm is a batch file, which needs a shell. No argument contains a space.
  const shell = process.platform === 'win32' && command === 'npm'
  return execFileSync(command, args, { cwd, shell, encoding: 'utf8', stdio: ['ignore', output, 'inherit'] })
}
