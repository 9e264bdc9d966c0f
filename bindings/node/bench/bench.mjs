// Compares the speed of Strongroom with other SQLite packages. README.md describes the method; `--help` lists the
// options.
import { HELP, parseArguments, UsageError } from './arguments.mjs'
import { BuildError, builds } from './builds.mjs'
import { chooseNode, installPackages, isAtLeast } from './install.mjs'
import { counter } from './instructions.mjs'
import { configurations, groupOf } from './peers/index.mjs'
import { runChild } from './processes.mjs'
import { Progress } from './report/progress.mjs'
import { report } from './report/report.mjs'
import { disagreements } from './results.mjs'
import { Rounds } from './rounds.mjs'
import { sqliteShares } from './share.mjs'
import { runsIn, WORKLOADS } from './workloads/index.mjs'

/** The exit code of a program that Ctrl-C ended. */
const INTERRUPTED = 130

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError || error instanceof BuildError)) throw error
  log(error.message)
  process.exitCode = 2
}

async function main(args) {
  const options = parseArguments(args)
  if (options.help) process.stdout.write(HELP)
  else if (options.list) list(options)
  else return bench(options)
  return 0
}

async function bench(options) {
  // The names are checked before a build that takes minutes.
  choose([{ name: 'strongroom' }, ...options.builds], options)
  const own = builds({ given: options.builds, build: options.build, log })
  const { chosen, workloads } = choose(own, options)
  const missing = installPackages(chosen, options.node)
  if (missing) log(missing)
  const node = chooseNode(options.node)
  const { usable, refused } = withNode(chosen, node)

  const signal = interruptible()
  const settings = { node: node.file, flags: options.nodeFlags, timeout: options.timeout, signal }
  const run =
    options.metric === 'instructions'
      ? counter({ ...settings, profiles: options.profiles })
      : (request) => runChild(request, settings)
  const rounds = new Rounds({ run, options, progress: new Progress(), signal })
  const complete = await rounds.measure(usable, workloads)

  const failures = [...refused, ...rounds.failures, ...disagreements(rounds.samples)]
  const shares =
    complete && options.share && options.metric !== 'instructions' ? sharesOf(workloads, options) : new Map()
  report({ options, node, builds: own, workloads, rounds, failures, shares })
  if (!complete) return INTERRUPTED
  return failures.length > 0 ? 1 : 0
}

function list(options) {
  const { chosen, workloads } = choose([{ name: 'strongroom' }], options)
  const lines = (entries) => entries.map(({ name, title = '' }) => `  ${name.padEnd(26)}${title}`.trimEnd())
  process.stdout.write(`${['workloads', ...lines(workloads), 'configurations', ...lines(chosen)].join('\n')}\n`)
}

/** Returns the configurations and the workloads that the command line selects. */
function choose(own, { peers, group, base, filter, metric }) {
  const all = configurations(own)
  const bases = all.filter(({ reference }) => !reference).map(({ name }) => name)
  if (base && !bases.includes(base))
    throw new UsageError(`--base: unknown configuration "${base}"; known: ${bases.join(', ')}`)
  const chosen = all.filter(
    (configuration) =>
      (configuration.own || peers.test(configuration.name)) && (!group || groupOf(configuration) === group),
  )
  const workloads = WORKLOADS.filter(
    (workload) =>
      filter.test(workload.name) &&
      chosen.some((configuration) => runsIn(workload, groupOf(configuration))) &&
      (metric !== 'instructions' || workload.instructions),
  )
  if (workloads.length === 0)
    throw new UsageError(`no workload matches --filter ${filter.source}; --list shows the names`)
  return { chosen, workloads }
}

/** Separates the configurations that need a newer Node. */
function withNode(chosen, { version }) {
  const old = ({ needs }) => needs && !isAtLeast(version, needs)
  const refused = chosen.filter(old).map(({ name, needs }) => ({
    configuration: name,
    what: `needs Node ${needs} or later, but the measured processes run on Node ${version}; pass a newer Node with --node FILE`,
    stderr: '',
  }))
  return { usable: chosen.filter((configuration) => !old(configuration)), refused }
}

function sharesOf(workloads, { scale, rounds }) {
  const { shares, missing } = sqliteShares({ workloads, scale, rounds, log })
  if (missing) log(`SQLite's share is missing: ${missing}`)
  return shares
}

/** Returns a signal that Ctrl-C aborts. The results so far are then reported. A second Ctrl-C ends this process. */
function interruptible() {
  const controller = new AbortController()
  process.once('SIGINT', () => {
    log('\ninterrupted: reporting the results so far')
    controller.abort()
  })
  return controller.signal
}

function log(text) {
  process.stderr.write(`${text}\n`)
}
