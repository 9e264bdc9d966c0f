// Measures strongroom/async and other packages: the delay of the event loop, the main thread's CPU time, and awaited
// calls. README.md describes the method.
//
//   node bench/async/async.mjs [--rounds N] [--scale FACTOR] [--filter REGEX] [--peers REGEX] [--node FILE]...
//                              [--json FILE] [--svg FILE] [--readme]
//
// Uses the addon in dist/, so build it with `cargo xtask dist` first. The first --node runs everything, and the others
// run the task `all-cpu` again.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { builds } from '../builds.mjs'
import { chooseNode, isAtLeast } from '../install.mjs'
import { runChild } from '../processes.mjs'
import { machine } from '../report/machine.mjs'
import { installed } from './install.mjs'
import { configurations } from './peers.mjs'
import { plot, tables, writeReadme } from './report.mjs'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
    filter: { type: 'string', default: '' },
    peers: { type: 'string', default: '' },
    node: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
    svg: { type: 'string' },
    readme: { type: 'boolean', default: false },
  },
})
const [rounds, scale] = [Number(values.rounds), Number(values.scale)]
const [filter, peers] = [new RegExp(values.filter), new RegExp(values.peers)]
const scaled = (count) => Math.max(1, Math.round(count * scale))

/** The rows of the table, of which each configuration with the same format reads the same file. */
const ROWS = scaled(100_000)
const isAwaited = ({ kind }) => kind !== 'blocks'
/** The tasks: the size of each, the configurations that run it, and the numbers of readers. */
const TASKS = [
  { name: 'idle', size: 1, runs: ({ name }) => name === 'strongroom/async' },
  { name: 'query', size: scaled(700), runs: () => true },
  { name: 'iterate', size: ROWS, runs: () => true },
  { name: 'all', size: ROWS, runs: () => true },
  { name: 'all-cpu', size: ROWS, runs: () => true, everyNode: true },
  { name: 'gets', size: scaled(100_000), runs: isAwaited, readers: [1, 2] },
  { name: 'sums', size: scaled(10_000), runs: isAwaited, readers: [1, 2] },
  { name: 'get', size: scaled(20_000), runs: isAwaited },
].filter(({ name }) => filter.test(name))

const log = (text) => process.stderr.write(`${text}\n`)
const own = builds({ given: [], build: false, log })
const nodes = values.node.length > 0 ? values.node.map((file) => chooseNode(file)) : [chooseNode()]
const chosen = configurations(own[0].folder).filter(
  (configuration) => (configuration.own || peers.test(configuration.name)) && installed(configuration, log),
)
const folder = mkdtempSync(join(tmpdir(), 'strongroom-bench-async-'))
const samples = []
const failures = []
try {
  const fixtures = new Map()
  for (let round = 0; round < rounds; round++)
    for (const task of TASKS)
      for (const node of task.everyNode ? nodes : nodes.slice(0, 1))
        for (const configuration of round % 2 === 0 ? chosen : [...chosen].reverse())
          if (task.runs(configuration) && isAtLeast(node.version, configuration.needs ?? '0'))
            await sample({ round, task, node, configuration, fixtures })
} finally {
  rmSync(folder, { recursive: true, force: true })
}
checkSums()
const report = { machine: machine({ node: nodes[0].version }), builds: own, samples, failures, tasks: TASKS }
for (const table of tables(report)) process.stdout.write(`${table}\n\n`)
for (const { task, configuration, what, stderr } of failures) log(`${configuration}, ${task}: ${what}\n${stderr}`)
if (values.json) writeFileSync(values.json, JSON.stringify(report, null, 1))
if (values.svg) writeFileSync(values.svg, plot(report))
if (values.readme) writeReadme(report, fileURLToPath(new URL('../', import.meta.url)))
process.exitCode = failures.length > 0 ? 1 : 0

async function sample({ round, task, node, configuration, fixtures }) {
  const names = { task: task.name, configuration: configuration.name }
  if (failures.some((failure) => failure.task === task.name && failure.configuration === configuration.name)) return
  const file = join(folder, `${configuration.cipher ?? 'plain'}.db`)
  if (!fixtures.has(file)) {
    fixtures.set(file, true)
    const writer =
      configuration.module === 'libsql' && configuration.cipher
        ? configuration
        : { ...configuration, module: own[0].folder }
    await request({ task: 'fixture', configuration: writer, file, rows: ROWS }, node, names)
  }
  const several = task.readers && configuration.api === 'async' ? task.readers : [2]
  for (const readers of several) {
    log(
      `round ${round + 1} of ${rounds}: ${task.name}, ${configuration.name}${several.length > 1 ? `, ${readers} readers` : ''}`,
    )
    const answer = await request(
      { task: task.name, configuration, file, rows: ROWS, size: task.size, readers },
      node,
      names,
    )
    if (answer)
      samples.push({
        ...names,
        round,
        readers: several.length > 1 ? readers : undefined,
        node: node.version,
        ...answer,
      })
  }
}

async function request(asked, node, names) {
  const child = fileURLToPath(new URL('child.mjs', import.meta.url))
  const { answer, failure } = await runChild(asked, { node: node.file, timeout: 180, child })
  if (failure) failures.push({ ...names, ...failure })
  return answer
}

/** Reports the configurations whose checksum differs from the majority's. */
function checkSums() {
  for (const { name } of TASKS) {
    const counts = new Map()
    const found = samples.filter(({ task }) => task === name)
    for (const { checksum } of found) counts.set(checksum, (counts.get(checksum) ?? 0) + 1)
    const [expected] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? []
    for (const { configuration, checksum } of found)
      if (checksum !== expected)
        failures.push({
          task: name,
          configuration,
          what: `returned the checksum ${checksum}, not ${expected}`,
          stderr: '',
        })
  }
}
