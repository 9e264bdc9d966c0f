// Computes the cost of encryption: the time of each encrypted configuration as a ratio to the same package's time
// without encryption, and the targets of the Strongroom format.
import { plainOf } from './peers/index.mjs'
import { ratio } from './statistics.mjs'

/**
 * The targets of the Strongroom format: the highest ratios of CPU time to the same build without encryption (`plain`),
 * and to better-sqlite3-multiple-ciphers with `aegis`.
 */
const TARGETS = { plain: 1.15, aegis: 1 }

/** The targets of workloads that have their own. Opening has no target. */
const OWN_TARGETS = {
  get: { plain: 1.2, aegis: 1 },
  scan: { plain: 1.5, aegis: 1.4 },
  'page-read': { plain: 2.5, aegis: 1.4 },
  'open-key': {},
  'open-passphrase': {},
}

const AEGIS = 'multiple-ciphers/aegis'

/**
 * Returns a row for each workload that some package ran with and without encryption: `{ workload, main, cells }`.
 *
 * `cells` maps the name of an encrypted configuration to `{ best, plain, ratio }`: the best value, and the ratio to the
 * configuration with the name `plain`. `main` names the figure that the ratios compare.
 */
export function costRows({ workloads, configurations, samples, failures, metric }) {
  const seriesOf = measured({ samples, failures, metric })
  const encrypted = configurations.filter(({ cipher }) => cipher !== undefined)
  return workloads.flatMap((workload) => {
    const cells = encrypted.flatMap((configuration) => {
      const plain = plainOf(configuration, configurations)?.name
      const own = seriesOf(configuration.name, workload.name)
      const cost = ratio(own, seriesOf(plain, workload.plain ?? workload.name))
      return cost ? [[configuration.name, { best: Math.min(...own.values()), plain, ratio: cost }]] : []
    })
    return cells.length === 0 ? [] : [{ workload, main: metric, cells: Object.fromEntries(cells) }]
  })
}

/**
 * Returns a row for each workload of `costs` that a build of Strongroom ran in the Strongroom format:
 * `{ workload, name, plain, aegis }`. `name` is the configuration. `plain` and `aegis` are `{ ratio, target, met }`;
 * `target` and `met` are undefined if the workload has no target. `aegis` is undefined if the run did not measure it.
 */
export function targetRows(costs, { configurations, samples, failures, metric }) {
  // The targets are times.
  if (metric !== 'cpu') return []
  const seriesOf = measured({ samples, failures, metric })
  const builds = configurations.filter(({ own, cipher }) => own && cipher === 'strongroom')
  return costs.flatMap(({ workload, cells }) =>
    builds
      .filter(({ name }) => name in cells)
      .map(({ name }) => {
        const targets = OWN_TARGETS[workload.name] ?? TARGETS
        const aegis = ratio(seriesOf(name, workload.name), seriesOf(AEGIS, workload.name))
        return {
          workload,
          name,
          plain: compared(cells[name].ratio, targets.plain),
          aegis: aegis && compared(aegis, targets.aegis),
        }
      }),
  )
}

function compared(ratio, target) {
  return { ratio, target, met: target === undefined ? undefined : ratio.value <= target }
}

/** Returns a function that returns a configuration's values of a workload by round: none if the configuration failed. */
function measured({ samples, failures, metric }) {
  const id = ({ configuration, workload }) => `${configuration} ${workload}`
  const failed = new Set(failures.map(id))
  const series = new Map()
  for (const sample of samples) {
    if (failed.has(id(sample))) continue
    if (!series.has(id(sample))) series.set(id(sample), new Map())
    series.get(id(sample)).set(sample.round, sample[metric])
  }
  return (configuration, workload) => series.get(id({ configuration, workload })) ?? new Map()
}
