// The command line of the harness.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

export const HELP = `Compares the speed of Strongroom with other SQLite packages for Node.

usage: npm run bench -- [options]

  --filter REGEX        runs only the workloads whose name matches
  --peers REGEX         runs only the other packages' configurations whose name matches; Strongroom always runs
  --group GROUP         runs only the configurations of a group: plain or encrypted
  --rounds N            the number of rounds (4)
  --scale FACTOR        multiplies the size of every workload (1)
  --base NAME           the baseline of the ratios (plain: better-sqlite3; encrypted: multiple-ciphers/sqlcipher)
  --strongroom NAME=DIR measures the build of Strongroom in DIR, a folder such as bindings/node with its dist, instead
                        of this checkout's; repeat the option to compare builds
  --no-build            measures this checkout's dist as it is
  --node FILE           runs the measured processes with this Node
  --node-flag=FLAG      a flag for that Node, such as --disallow-code-generation-from-strings; may be repeated
  --timeout SECONDS     kills a measured process after this time (180)
  --wall                compares wall time instead of CPU time
  --no-share            leaves out SQLite's share of a call, which needs a Rust loop that cargo builds
  --instructions        counts instructions with valgrind instead of measuring time; runs one round unless --rounds is
                        given
  --jobs N              counts instructions in N processes at once (one per processor)
  --profiles DIR        keeps callgrind's profile of each count; bench/profile.mjs prints a profile
  --json FILE           writes all measurements as JSON
  --svg DIR             writes the plots as SVG
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
    throw new UsageError(`--group must be plain or encrypted, not "${values.group}"`)
  if (values.wall && values.instructions)
    throw new UsageError('--wall and --instructions cannot be combined: leave out one of them')
  if (values.profiles && !values.instructions) throw new UsageError('--profiles needs --instructions')
  if (values.readme && values.strongroom)
    throw new UsageError('--readme measures this checkout: leave out --strongroom')
  if (values.readme && values.instructions) throw new UsageError('--readme needs times: leave out --instructions')
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
    // Node's message continues with a hint about positional arguments.
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
    throw new UsageError(`--${name} must be a ${whole ? 'whole ' : ''}number above 0, not "${text}"`)
  return value
}

/**
 * Returns the number of processes that run at once: one if time is measured, because processes slow each other down.
 */
function jobs({ instructions, jobs }) {
  if (jobs !== undefined && !instructions) throw new UsageError('--jobs needs --instructions')
  return instructions ? number('jobs', jobs ?? String(availableParallelism()), { whole: true }) : 1
}

function build(text) {
  const [, name, folder] = /^([\w.+-]+)=(.+)$/s.exec(text) ?? []
  if (!name) throw new UsageError(`--strongroom must be NAME=DIR, not "${text}"`)
  return { name, folder }
}
