// Prints the most expensive functions in a profile of `--instructions --profiles DIR`, without the cost of their
// callees.
//
//   node bench/profile.mjs FILE [COUNT]
//
// callgrind_annotate gives wrong costs: it adds the calls that were in progress when the profile began.
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { figure } from './report/numbers.mjs'

/**
 * Returns a Map from each function to its number of instructions, without its callees; the most expensive function
 * comes first.
 */
export function selfCosts(profile) {
  const names = new Map()
  const costs = new Map()
  let current
  let isCall = false
  for (const line of profile.split('\n')) {
    const [, kind, id, name] = /^(c?fn)=\((\d+)\)(?: (.*))?$/.exec(line) ?? []
    if (kind) {
      if (name) names.set(id, name)
      if (kind === 'fn') current = id
    } else if (line.startsWith('calls=')) {
      isCall = true
    } else if (/^[+\-*\d]\S* \d+$/.test(line)) {
      // The line after `calls=` has the cost of the callees.
      if (!isCall) costs.set(current, (costs.get(current) ?? 0) + Number(line.split(' ')[1]))
      isCall = false
    }
  }
  return new Map([...costs].sort(([, a], [, b]) => b - a).map(([id, cost]) => [names.get(id), cost]))
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [file, count = '30'] = process.argv.slice(2)
  if (!file) {
    console.error('usage: node bench/profile.mjs FILE [COUNT]')
    process.exit(2)
  }
  const costs = selfCosts(readFileSync(file, 'utf8'))
  const total = [...costs.values()].reduce((sum, cost) => sum + cost, 0)
  for (const [name, cost] of [...costs].slice(0, Number(count)))
    console.log(`${((100 * cost) / total).toFixed(1).padStart(5)} %  ${figure(cost).padStart(15)}  ${name}`)
}
