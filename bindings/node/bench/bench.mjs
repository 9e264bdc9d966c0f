// Measures Strongroom beside other SQLite packages. README.md says how; `--help` lists the options.
import { writeFileSync } from 'node:fs'
import { HELP, parseArguments, UsageError } from './arguments.mjs'
import { BuildError, builds } from './builds.mjs'
import { chooseNode, installPackages, isAtLeast } from './install.mjs'
import { configurations, groupOf } from './peers/index.mjs'
import { runChild } from './processes.mjs'
import { described, machine } from './report/machine.mjs'
import { Progress } from './report/progress.mjs'
import { asText, tables } from './report/tables.mjs'
import { disagreements, resultRows } from './results.mjs'
import { Rounds } from './rounds.mjs'
import { runsIn, WORKLOADS } from './workloads/index.mjs'

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError || error instanceof BuildError)) throw error
  console.error(error.message)
  process.exitCode = 2
}

async function main(args) {
  const options = parseArguments(args)
  if (options.help) return print(HELP.trimEnd())
  const progress = new Progress()
  const own = options.list
    ? [{ name: 'strongroom' }]
    : builds({ given: options.builds, build: options.build, log: note })
  const chosen = chooseConfigurations(own, options)
  const workloads = chooseWorkloads(chosen, options)
  if (options.list)
    return print([...workloads, ...chosen].map(({ name, title = '' }) => `${name.padEnd(28)}${title}`).join('\n'))

  const failures = []
  const missing = installPackages(chosen)
  if (missing) note(missing)
  const node = chooseNode(options.node)
  const usable = chosen.filter(({ name, needs }) => {
    if (!needs || isAtLeast(node.version, needs)) return true
    failures.push({ configuration: name, what: `needs Node ${needs} or later; this is ${node.version}`, stderr: '' })
    return false
  })

  const signal = interruptible()
  const run = (request) =>
    runChild(request, { node: node.file, flags: options.nodeFlags, timeout: options.timeout, signal })
  const rounds = new Rounds({ run, options, progress, signal })
  const complete = await rounds.measure(usable, workloads)
  failures.push(...rounds.failures, ...disagreements(rounds.samples))

  const facts = machine({ node: node.version })
  const rows = resultRows({
    workloads,
    configurations: rounds.described,
    samples: rounds.samples,
    failures,
    wanted: options.base,
  })
  const lines = described({ machine: facts, configurations: rounds.described, builds: own })
  print(
    [...lines, '', ...tables({ rows, configurations: rounds.described }).flatMap((table) => [asText(table), ''])].join(
      '\n',
    ),
  )
  for (const { configuration, workload, what, stderr } of failures)
    console.error(`FAILED: ${[configuration, workload].filter(Boolean).join(', ')}: ${what}${stderr && `\n${stderr}`}`)
  if (options.json)
    writeFileSync(
      options.json,
      `${JSON.stringify({ ...facts, builds: own, configurations: rounds.described, rows, samples: rounds.samples, failures }, null, 1)}\n`,
    )
  if (!complete) return 130
  return failures.length > 0 ? 1 : 0
}

function chooseConfigurations(own, { peers, group, base }) {
  const all = configurations(own)
  if (base && !all.some(({ name }) => name === base))
    throw new UsageError(`--base: unknown configuration "${base}"; known: ${all.map(({ name }) => name).join(', ')}`)
  return all.filter(
    (configuration) =>
      (configuration.own || peers.test(configuration.name)) && (!group || groupOf(configuration) === group),
  )
}

function chooseWorkloads(chosen, { filter }) {
  const found = WORKLOADS.filter(
    (workload) =>
      filter.test(workload.name) && chosen.some((configuration) => runsIn(workload, groupOf(configuration))),
  )
  if (found.length === 0)
    throw new UsageError(`no workload matches --filter ${filter.source}; --list shows their names`)
  return found
}

/** Returns a signal that Ctrl-C aborts: what was measured is then reported. A second Ctrl-C ends this process. */
function interruptible() {
  const controller = new AbortController()
  process.once('SIGINT', () => {
    note('\ninterrupted: reports what was measured')
    controller.abort()
  })
  return controller.signal
}

function note(text) {
  process.stderr.write(`${text}\n`)
}

function print(text) {
  process.stdout.write(`${text}\n`)
  return 0
}
