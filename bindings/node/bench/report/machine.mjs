// Describes everything that the figures depend on: the machine, the Node, the packages and their SQLite.
import { cpus, release, totalmem, type } from 'node:os'

/** Returns the machine and the date. */
export function machine({ node }) {
  const processors = cpus()
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${type()} ${release()}, ${process.arch}`,
    node,
  }
}

/** Returns lines that describe the machine and the configurations. */
export function described({ machine, configurations, builds }) {
  const { date, processor, memory, system, node } = machine
  return [
    `${date}; ${processor}, ${memory}; ${system}; Node ${node}`,
    ...builds.map(({ name, text }) => `${name}: ${text}`),
    configurations
      .map(({ name, version, sqlite }) => `${name} ${version ?? ''} (SQLite ${sqlite})`.replace(/ {2,}/, ' '))
      .join(', '),
  ]
}
