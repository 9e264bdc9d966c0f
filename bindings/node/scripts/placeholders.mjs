// Writes placeholders for packages that the registry lacks. A trusted publisher can be configured only for an existing
// package (npm help trust), so a person publishes version 0.0.0 of each new package by hand.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isKnown } from './registry.mjs'
import { names } from './release.mjs'
import { MAIN, Refused } from './sealed.mjs'

/** Writes one folder for each package that the registry lacks, and prints the commands that publish them. */
export function placeholders(folder) {
  if (existsSync(folder)) throw new Refused(`${folder} exists: pass a folder that does not exist`)
  const unknown = names().filter((name) => !isKnown(name))
  if (unknown.length === 0) return console.log('the registry has every package: no placeholder is needed')
  console.log('log in with two-factor authentication (npm login), and publish each placeholder:')
  for (const name of unknown) console.log(`  npm publish "${write(folder, name)}" --access public`)
}

function write(folder, name) {
  const place = resolve(folder, name.replace('@', '').replace('/', '-'))
  const text = `A placeholder without code. The first release of ${MAIN} replaces it.`
  const manifest = { name, version: '0.0.0', description: text, license: 'MIT' }
  mkdirSync(place, { recursive: true })
  writeFileSync(join(place, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  writeFileSync(join(place, 'README.md'), `# ${name}\n\n${text}\n`)
  return place
}
