// Runs a process for each configuration, workload and round. If a configuration fails a workload, later rounds skip
// that workload for that configuration.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { groupOf } from './peers/index.mjs'
import { FIXTURES } from './workloads/fixtures.mjs'
import { runsIn, scaled } from './workloads/index.mjs'

export class Rounds {
  /** The configurations that load, each with its `version` and its `sqlite`. */
  described = []
  /** The measurements: { workload, configuration, round, cpu, wall, memory, instructions, checksum }. */
  samples = []
  /**
   * The failures: { configuration, workload, what, stderr }, without a workload if the configuration cannot be used at
   * all.
   */
  failures = []
  /** The workloads that a configuration cannot run, with the reason: { configuration, workload, why }. */
  lacking = []

  #run
  #options
  #progress
  #signal
  #folder = mkdtempSync(join(tmpdir(), 'strongroom-bench-'))
  #fixtures = new Map()

  /**
   * @param run - runs a request in a process, as `runChild` does
   * @param options - `rounds`, `scale`, `jobs`, and `metric`
   * @param signal - an AbortSignal that ends the measurement early
   */
  constructor({ run, options, progress, signal }) {
    this.#run = run
    this.#options = options
    this.#progress = progress
    this.#signal = signal
  }

  /** Measures the workloads with the configurations. Returns whether all rounds were completed. */
  async measure(configurations, workloads) {
    try {
      for (const configuration of configurations) if (!this.#signal.aborted) await this.#describe(configuration)
      const plan = Array.from({ length: this.#options.rounds }, (_, round) => this.#round(round, workloads)).flat()
      const steps = plan.entries()
      const work = async (job) => {
        for (const [at, step] of steps) {
          if (this.#signal.aborted) return
          this.#progress.show({ at: at + 1, of: plan.length, ...step })
          await this.#sample(step, job)
        }
      }
      await Promise.all(Array.from({ length: this.#options.jobs }, (_, job) => work(job)))
      return !this.#signal.aborted
    } finally {
      this.#progress.end()
      rmSync(this.#folder, { recursive: true, force: true })
    }
  }

  /** Returns the steps of a round. Every other round has the configurations in reverse order. */
  #round(round, workloads) {
    const ordered = round % 2 === 0 ? this.described : [...this.described].reverse()
    return workloads
      .filter((workload) => round < (workload.rounds ?? Number.POSITIVE_INFINITY))
      .flatMap((workload) =>
        ordered
          .filter((configuration) => runsIn(workload, groupOf(configuration)))
          .map((configuration) => ({ round, workload, configuration })),
      )
  }

  async #describe(configuration) {
    const { answer, failure } = await this.#run({ task: 'describe', configuration, file: this.#path('described') })
    if (failure) this.#fail({ configuration: configuration.name, ...failure })
    else this.described.push({ ...configuration, ...answer })
  }

  async #sample({ round, workload, configuration }, job) {
    const names = { configuration: configuration.name, workload: workload.name }
    if (known(this.failures, names) || known(this.lacking, names)) return
    const fixture = workload.fixture && (await this.#fixture(configuration, workload.fixture))
    if (fixture?.failure) {
      const what = `cannot build the file that the workload reads: ${fixture.failure.what}`
      this.#fail({ ...names, what, stderr: fixture.failure.stderr })
      return
    }
    const size = this.#options.metric === 'instructions' ? workload.instructions : workload.count
    const { answer, failure } = await this.#run({
      task: 'measure',
      configuration,
      workload: workload.name,
      count: scaled(size, this.#options.scale),
      file: this.#path(`measured-${job}`),
      source: fixture?.file,
      fixtureCount: fixture?.count,
    })
    if (failure) this.#fail({ ...names, ...failure })
    else if (answer.lacks) this.lacking.push({ ...names, why: answer.lacks })
    else this.samples.push({ ...names, round, ...answer })
  }

  /** Builds a configuration's fixture, once for all jobs. */
  #fixture(configuration, name) {
    const id = `${configuration.name} ${name}`
    if (!this.#fixtures.has(id)) this.#fixtures.set(id, this.#build(configuration, name))
    return this.#fixtures.get(id)
  }

  async #build(configuration, fixture) {
    const file = this.#path(`fixture-${this.#fixtures.size}`)
    const count = scaled(FIXTURES[fixture].count, this.#options.scale)
    const { failure } = await this.#run({ task: 'fixture', configuration, fixture, count, file })
    return { file, count, failure }
  }

  #fail(failure) {
    // A process that Ctrl-C killed is not a failure of the configuration.
    if (this.#signal.aborted) return
    this.failures.push(failure)
    this.#progress.note(`${failure.configuration}${failure.workload ? `, ${failure.workload}` : ''}: ${failure.what}`)
  }

  #path(name) {
    return join(this.#folder, `${name}.db`)
  }
}

function known(list, { configuration, workload }) {
  return list.some((entry) => entry.configuration === configuration && entry.workload === workload)
}
