// The command line of the harness.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

export const HELP = `Measures Strongroom beside other SQLite packages for Node.

usage: npm run bench -- [options]

  --filter REGEX        only the workloads whose name matches
  --peers REGEX         only the other packages' configurations whose name matches; Strongroom always runs
  --group GROUP         only the configurations of a group: plain or encrypted
  --rounds N            rounds (4)
  --scale FACTOR        multiplies the size of every workload (1)
  --base NAME           the configuration that ratios refer to (better-sqlite3; multiple-ciphers/sqlcipher)
  --strongroom NAME=DIR measures the build of Strongroom in DIR, a folder such as bindings/node with its dist, instead
                        of this checkout's; repeat it to compare builds
  --no-build            measures this checkout's dist as it is
  --node FILE           the Node of the measured processes
  --node-flag=FLAG      a flag of that Node, such as --disallow-code-generation-from-strings; may be repeated
  --timeout SECONDS     the longest time of a measured process (180)
  --wall                compares wall time instead of CPU time
  --no-share            leaves out SQLite's share of a call, for which cargo builds a loop in Rust
  --instructions        counts instructions by valgrind instead of time, in one round unless --rounds is given
  --jobs N              counts instructions in N processes at once (one for each processor)
  --profiles DIR        keeps callgrind's profile of each count, which bench/profile.mjs prints
  --json FILE           writes everything that was measured
  --svg DIR             writes plots
  --readme              writes the tables and plots into README.md
  --list                lists workloads and configurations
  --help                prints this text
`

/** An error in the command line. */
export class UsageError extends Error {}

const options = {
  filter: { type: 'string' },
  peers: { type: 'string' },
  group: { type: 'string' },
  rounds: { type: 'string' },
  scale: { type: 'string' },
  base: { type: 'string' },
  strongroom: { type: 'string', multiple: true },
  'no-build': { type: 'boolean' },
  node: { type: 'string' },
  'node-flag': { type: 'string', multiple: true },
  timeout: { type: 'string' },
  wall: { type: 'boolean' },
  'no-share': { type: 'boolean' },
  instructions: { type: 'boolean' },
  jobs: { type: 'string' },
  profiles: { type: 'string' },
  json: { type: 'string' },
  svg: { type: 'string' },
  readme: { type: 'boolean' },
  list: { type: 'boolean' },
  help: { type: 'boolean' },
}

/** Parses the command line, or throws a UsageError that names the argument. */
export function parseArguments(args) {
  const values = parsed(args)
  if (values.group && !['plain', 'encrypted'].includes(values.group))
    throw new UsageError(`--group is plain or encrypted, not "${values.group}"`)
  if (values.wall && values.instructions) throw new UsageError('--wall and --instructions exclude each other')
  if (values.profiles && !values.instructions) throw new UsageError('--profiles needs --instructions')
  if (values.readme && values.strongroom) throw new UsageError('--readme measures this checkout, without --strongroom')
  if (values.readme && values.instructions) throw new UsageError('--readme takes times, without --instructions')
  return {
    filter: expression('filter', values.filter),
    peers: expression('peers', values.peers),
    group: values.group,
    rounds: number('rounds', values.rounds ?? (values.instructions ? '1' : '4'), { whole: true }),
    scale: number('scale', values.scale ?? '1'),
    base: values.base,
    builds: (values.strongroom ?? []).map(build),
    build: !values['no-build'],
    node: values.node,
    nodeFlags: values['node-flag'] ?? [],
    timeout: number('timeout', values.timeout ?? '180'),
    metric: values.instructions ? 'instructions' : values.wall ? 'wall' : 'cpu',
    share: !values['no-share'],
    jobs: jobs(values),
    profiles: values.profiles,
    json: values.json,
    svg: values.svg,
    readme: values.readme ?? false,
    list: values.list ?? false,
    help: values.help ?? false,
  }
}

function parsed(args) {
  try {
    return parseArgs({ args, options, allowPositionals: false }).values
  } catch (error) {
    // Node's message goes on with a hint about positional arguments.
    throw new UsageError(error.message.split(/\. (?=To specify)/)[0])
  }
}

function expression(name, text = '') {
  try {
    return new RegExp(text)
  } catch (error) {
    throw new UsageError(`--${name} is not a regular expression: ${error.message}`)
  }
}

function number(name, text, { whole = false } = {}) {
  const value = Number(text)
  if (!(value > 0) || value === Number.POSITIVE_INFINITY || (whole && !Number.isInteger(value)))
    throw new UsageError(`--${name} is a ${whole ? 'whole ' : ''}number above 0, not "${text}"`)
  return value
}

/** Returns the number of processes at once: one if time is measured, which a neighbour would disturb. */
function jobs({ instructions, jobs }) {
  if (jobs !== undefined && !instructions) throw new UsageError('--jobs needs --instructions')
  return instructions ? number('jobs', jobs ?? String(availableParallelism()), { whole: true }) : 1
}

function build(text) {
  const [, name, folder] = /^([\w.+-]+)=(.+)$/s.exec(text) ?? []
  if (!name) throw new UsageError(`--strongroom is NAME=DIR, not "${text}"`)
  return { name, folder }
}
