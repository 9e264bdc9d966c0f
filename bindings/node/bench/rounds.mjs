// Measures: a process for each configuration, workload and round. What fails is noted and left out of later rounds.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { groupOf } from './peers/index.mjs'
import { FIXTURES } from './workloads/fixtures.mjs'
import { runsIn, scaled } from './workloads/index.mjs'

export class Rounds {
  /** The configurations that could be loaded, each with its `version` and its `sqlite`. */
  described = []
  /** What was measured: { workload, configuration, round, cpu, wall, memory, checksum }. */
  samples = []
  /** { configuration, workload, what, stderr }; without a workload if the configuration cannot be used at all. */
  failures = []
  /** Why a configuration has no value: { configuration, workload, why }. */
  lacking = []

  #run
  #options
  #progress
  #signal
  #folder = mkdtempSync(join(tmpdir(), 'strongroom-bench-'))
  #fixtures = new Map()

  /**
   * @param run - runs a request in a process, as `runChild` does
   * @param options - `rounds`, `scale`, and an `AbortSignal` that ends the measurement early
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
      for (const configuration of configurations) {
        if (this.#signal.aborted) return false
        await this.#describe(configuration)
      }
      const plan = [...Array(this.#options.rounds).keys()].flatMap((round) => this.#round(round, workloads))
      for (const [at, step] of plan.entries()) {
        if (this.#signal.aborted) return false
        this.#progress.show({ at: at + 1, of: plan.length, ...step })
        await this.#sample(step)
      }
      return !this.#signal.aborted
    } finally {
      this.#progress.end()
      rmSync(this.#folder, { recursive: true, force: true })
    }
  }

  /** Returns the steps of a round. Every other round has the configurations in reverse order. */
  #round(round, workloads) {
    const ordered = round % 2 === 0 ? this.described : (this.described.toReversed?.() ?? [...this.described].reverse())
    return workloads
      .filter((workload) => round < (workload.rounds ?? Number.POSITIVE_INFINITY))
      .flatMap((workload) =>
        ordered
          .filter((configuration) => runsIn(workload, groupOf(configuration)))
          .map((configuration) => ({ round, workload, configuration })),
      )
  }

  async #describe(configuration) {
    this.#progress.note(`loads ${configuration.name}`)
    const { answer, failure } = await this.#run({ task: 'describe', configuration, file: this.#path('described') })
    if (failure) this.#fail({ configuration: configuration.name, ...failure })
    else this.described.push({ ...configuration, ...answer })
  }

  async #sample({ round, workload, configuration }) {
    const names = { configuration: configuration.name, workload: workload.name }
    if (this.#given(this.failures, names) || this.#given(this.lacking, names)) return
    const fixture = workload.fixture && (await this.#fixture(configuration, workload.fixture))
    if (fixture?.failure) {
      this.#fail({
        ...names,
        ...fixture.failure,
        what: `the file that it reads could not be made: ${fixture.failure.what}`,
      })
      return
    }
    const { answer, failure } = await this.#run({
      task: 'measure',
      configuration,
      workload: workload.name,
      count: scaled(workload.count, this.#options.scale),
      file: this.#path('measured'),
      source: fixture?.file,
      fixtureCount: fixture?.count,
    })
    if (failure) this.#fail({ ...names, ...failure })
    else if (answer.lacks) this.lacking.push({ ...names, why: answer.lacks })
    else this.samples.push({ ...names, round, ...answer })
  }

  /** Builds a configuration's fixture, once. */
  async #fixture(configuration, name) {
    const id = `${configuration.name} ${name}`
    if (!this.#fixtures.has(id)) {
      const file = this.#path(`fixture-${this.#fixtures.size}`)
      const count = scaled(FIXTURES[name].count, this.#options.scale)
      const { failure } = await this.#run({ task: 'fixture', configuration, fixture: name, count, file })
      this.#fixtures.set(id, { file, count, failure })
    }
    return this.#fixtures.get(id)
  }

  #fail(failure) {
    // A process that the interruption has killed is not the configuration's failure.
    if (this.#signal.aborted) return
    this.failures.push(failure)
    this.#progress.note(`${failure.configuration}${failure.workload ? `, ${failure.workload}` : ''}: ${failure.what}`)
  }

  #given(list, { configuration, workload }) {
    return list.some((known) => known.configuration === configuration && known.workload === workload)
  }

  #path(name) {
    return join(this.#folder, `${name}.db`)
  }
}
