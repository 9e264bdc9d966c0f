// Makes results of samples: values and ratios for each workload and configuration.
import { BASES, groupOf } from './peers/index.mjs'
import { ratio, summary } from './statistics.mjs'

/**
 * Returns the failures of configurations whose checksum differs from that of most: such a process did something else, and
 * its time says nothing.
 */
export function disagreements(samples) {
  const failures = []
  for (const workload of new Set(samples.map((sample) => sample.workload))) {
    const own = samples.filter((sample) => sample.workload === workload)
    const counts = new Map()
    for (const { checksum } of own) counts.set(checksum, (counts.get(checksum) ?? 0) + 1)
    const expected = [...counts].sort(([, a], [, b]) => b - a)[0][0]
    const wrong = new Map(
      own
        .filter(({ checksum }) => checksum !== expected)
        .map(({ configuration, checksum }) => [configuration, checksum]),
    )
    for (const [configuration, checksum] of wrong)
      failures.push({
        configuration,
        workload,
        what: `returned ${checksum}, and most others ${expected}`,
        stderr: '',
      })
  }
  return failures
}

/** Returns the name of the configuration that a group's ratios refer to. */
export function baseOf(group, configurations, wanted) {
  const own = configurations.filter((configuration) => groupOf(configuration) === group)
  const named = (name) => own.find((configuration) => configuration.name === name)
  return (named(wanted) ?? named(BASES[group]) ?? own.find((configuration) => !configuration.own) ?? own[0])?.name
}

/**
 * Returns a row for each workload and group that has a value.
 *
 * A row has `workload`, `group`, `base` and `cells`: by the configuration's name `{ cpu, wall, memory, ratio }`, in which
 * the times are summaries over the rounds. `leader` is the best other package, in SQLCipher's format for the encrypted
 * group, and `lead` the ratio of the first build of Strongroom to it.
 */
export function resultRows({ workloads, configurations, samples, failures, wanted }) {
  const rows = []
  const failed = (workload, name) =>
    failures.some((failure) => failure.configuration === name && failure.workload === workload.name)
  for (const group of ['plain', 'encrypted']) {
    const own = configurations.filter((configuration) => groupOf(configuration) === group)
    const base = baseOf(group, configurations, wanted)
    for (const workload of workloads) {
      const byName = new Map(
        own
          .filter(({ name }) => !failed(workload, name))
          .map(({ name }) => [name, samples.filter((s) => s.configuration === name && s.workload === workload.name)])
          .filter(([, found]) => found.length > 0),
      )
      if (byName.size === 0) continue
      rows.push({ workload, group, base, ...row(byName, base, own, workload) })
    }
  }
  return rows
}

function row(byName, base, configurations, { unit }) {
  const main = unit === 'MB' ? 'memory' : 'cpu'
  const series = (name) => new Map((byName.get(name) ?? []).map((sample) => [sample.round, sample[main]]))
  const cells = {}
  for (const [name, samples] of byName) {
    const values = (which) => summary(samples.map((sample) => sample[which]))
    const times = unit === 'MB' ? { memory: values('memory') } : { cpu: values('cpu'), wall: values('wall') }
    cells[name] = { ...times, ratio: ratio(series(name), series(base)) }
  }
  const others = configurations.filter(
    ({ own, cipher, name }) => !own && name in cells && [undefined, 'sqlcipher'].includes(cipher),
  )
  const leader = others.map(({ name }) => name).sort((a, b) => cells[a][main].best - cells[b][main].best)[0]
  const first = configurations.find(({ own }) => own)?.name
  return { main, cells, leader, lead: leader && first in cells ? ratio(series(first), series(leader)) : undefined }
}
