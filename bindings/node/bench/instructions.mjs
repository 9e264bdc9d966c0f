// Counts instructions with valgrind's callgrind: the machine's noise does not change the counts.
//
// A process calls umask at the start and at the end of the measured run. At each call, callgrind writes a profile of
// the instructions since the previous call. V8 runs on one thread and with fixed seeds, so it compiles and collects
// garbage at the same points in every run. With --smc-check, valgrind notices when V8 changes its machine code.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from './arguments.mjs'
import { runChild } from './processes.mjs'

const V8_FLAGS = ['--single-threaded', '--predictable', '--hash-seed=1', '--random-seed=1']

/** The number of the profile that callgrind writes at the second call of umask: the profile of the measured run. */
const PART = 2

/**
 * The factor by which `--timeout` is extended: valgrind makes a process about fifty times as slow, but the counted run
 * is smaller than the timed run.
 */
const SLOWER = 10

/**
 * Returns a function like `runChild`, whose answers to `measure` contain the `instructions` per operation.
 *
 * @param profiles - the folder that keeps the profile of each measured run, if any
 */
export function counter({ profiles, ...settings }) {
  if (spawnSync('valgrind', ['--version']).status !== 0)
    throw new UsageError(
      '--instructions needs valgrind, which is not on PATH: install it (Debian: apt-get install valgrind)',
    )
  if (profiles) mkdirSync(profiles, { recursive: true })
  return (request) =>
    request.task === 'measure' ? counted({ request, profiles, settings }) : runChild(request, settings)
}

async function counted({ request, profiles, settings }) {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-callgrind-'))
  const profile = join(folder, 'profile')
  try {
    const { answer, failure } = await runChild(
      { ...request, task: 'count' },
      {
        ...settings,
        timeout: settings.timeout * SLOWER,
        flags: [...settings.flags, ...V8_FLAGS],
        wrapper: [
          ...sameAddresses(),
          'valgrind',
          '--quiet',
          '--tool=callgrind',
          `--callgrind-out-file=${profile}`,
          '--dump-before=umask',
          '--smc-check=all-non-file',
        ],
      },
    )
    if (failure) return { failure }
    if (answer.lacks) return { answer }
    const part = `${profile}.${PART}`
    if (!existsSync(part)) return { failure: { what: 'callgrind wrote no profile at the calls of umask', stderr: '' } }
    const instructions = totalOf(readFileSync(part, 'utf8')) / answer.operations
    if (profiles) copyFileSync(part, join(profiles, nameOf(request)))
    return { answer: { checksum: answer.checksum, instructions } }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Returns the number of instructions in a profile. */
export function totalOf(profile) {
  return Number(/^totals: (\d+)/m.exec(profile)[1])
}

function nameOf({ workload, configuration }) {
  return `${workload}.${configuration.name.replace(/\W/g, '-')}.callgrind`
}

let setarch

/**
 * Returns the command that turns off address space randomisation (ASLR), if the system permits it. ASLR changes the
 * order of hash tables.
 */
function sameAddresses() {
  setarch ??= spawnSync('setarch', ['-R', 'true']).status === 0 ? ['setarch', '-R'] : []
  return setarch
}
