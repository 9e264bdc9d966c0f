// Computes results from samples: summaries and ratios for each workload and configuration.
import { BASES, groupOf } from './peers/index.mjs'
import { ratio, summary } from './statistics.mjs'

/**
 * Returns a failure for each configuration whose checksum differs from the majority's. Such a configuration did
 * different work, so its time is not comparable.
 */
export function disagreements(samples) {
  const failures = []
  for (const workload of new Set(samples.map((sample) => sample.workload))) {
    const own = samples.filter((sample) => sample.workload === workload)
    const counts = new Map()
    for (const { checksum } of own) counts.set(checksum, (counts.get(checksum) ?? 0) + 1)
    const expected = [...counts].sort(([, a], [, b]) => b - a)[0][0]
    const wrong = new Map()
    for (const { configuration, checksum } of own) if (checksum !== expected) wrong.set(configuration, checksum)
    for (const [configuration, checksum] of wrong)
      failures.push({
        configuration,
        workload,
        what: `returned the checksum ${checksum}, but most configurations returned ${expected}`,
        stderr: '',
      })
  }
  return failures
}

/** Returns the name of the configuration that is the baseline of a group's ratios. */
export function baseOf(group, configurations, wanted) {
  const own = configurations.filter((configuration) => groupOf(configuration) === group)
  const named = (name) => own.find((configuration) => configuration.name === name)
  return (named(wanted) ?? named(BASES[group]) ?? own.find((configuration) => !configuration.own) ?? own[0])?.name
}

/**
 * Returns a row for each workload and group that has a value: `{ workload, group, base, main, cells, leader, lead }`.
 *
 * `cells` maps the name of a configuration to `{ cpu, wall, memory, instructions, ratio }`. The figures are summaries
 * over the rounds. `main` names the figure that the ratios compare. `leader` is the best other package. In the
 * encrypted group, the leader is the best other package with SQLCipher's format. `lead` is the ratio of the first build
 * of Strongroom to the leader.
 *
 * @param base - the name of the configuration that is the baseline of the ratios, instead of the group's default
 * @param metric - `cpu`, `wall` or `instructions`
 */
export function resultRows({ workloads, configurations, samples, failures, base: wanted, metric }) {
  const failed = new Set(failures.map(({ configuration, workload }) => `${configuration} ${workload}`))
  const rows = []
  for (const group of ['plain', 'encrypted']) {
    const own = configurations.filter((configuration) => groupOf(configuration) === group)
    const base = baseOf(group, configurations, wanted)
    for (const workload of workloads) {
      const byName = new Map()
      for (const sample of samples)
        if (sample.workload === workload.name && !failed.has(`${sample.configuration} ${workload.name}`))
          byName.set(sample.configuration, [...(byName.get(sample.configuration) ?? []), sample])
      const main = metric !== 'instructions' && workload.unit === 'MB' ? 'memory' : metric
      const row = resultRow({ byName, base, configurations: own, main })
      if (row) rows.push({ workload, group, base, main, ...row })
    }
  }
  return rows
}

const FIGURES = ['cpu', 'wall', 'memory', 'instructions']

function resultRow({ byName, base, configurations, main }) {
  const measured = configurations.filter(({ name }) => byName.has(name))
  if (measured.length === 0) return undefined
  const series = (name) => new Map((byName.get(name) ?? []).map((sample) => [sample.round, sample[main]]))
  const cells = {}
  for (const { name } of measured) {
    const samples = byName.get(name)
    const figures = FIGURES.filter((figure) => figure in samples[0])
    cells[name] = {
      ...Object.fromEntries(figures.map((figure) => [figure, summary(samples.map((sample) => sample[figure]))])),
      ratio: ratio(series(name), series(base)),
    }
  }
  const others = measured.filter(({ own, cipher }) => !own && [undefined, 'sqlcipher'].includes(cipher))
  const leader = others.map(({ name }) => name).sort((a, b) => cells[a][main].best - cells[b][main].best)[0]
  const first = measured.find(({ own }) => own)?.name
  return { cells, leader, lead: leader && first && ratio(series(first), series(leader)) }
}

/**
 * Returns a row for each workload with a share: `{ workload, base, share, cells }`. A cell's `overhead` is the time of
 * a call in ns minus SQLite's share. The cell's `ratio` compares this overhead with the
 * baseline's.
 */
export function overheadRows(rows, shares) {
  return rows
    .filter(({ workload, group }) => group === 'plain' && shares.has(workload.name))
    .map(({ workload, base, cells, main }) => {
      const share = shares.get(workload.name)
      const overhead = (cell) => Math.max(0, cell[main].best - share)
      const reference = cells[base] && overhead(cells[base])
      const own = Object.entries(cells).map(([name, cell]) => [
        name,
        { overhead: overhead(cell), ratio: reference ? overhead(cell) / reference : undefined },
      ])
      return { workload, base, share, cells: Object.fromEntries(own) }
    })
}
