// The configurations that are measured: each is a package, with or without a cipher.
import { betterSqlite3 } from './better-sqlite3.mjs'
import { nodeSqlite } from './node-sqlite.mjs'
import { signal } from './signal.mjs'
import { strongroom } from './strongroom.mjs'

const adapters = { strongroom, 'better-sqlite3': betterSqlite3, signal, 'node:sqlite': nodeSqlite }

const CIPHERS = 'better-sqlite3-multiple-ciphers'

/**
 * The configurations of other packages. `module` is the argument of `require`, and `needs` is the oldest Node that
 * loads the module. A configuration with `reference` is measured only for the cost of its package's encryption.
 */
const peers = [
  { name: 'better-sqlite3', api: 'better-sqlite3', module: 'better-sqlite3', needs: '22.14.0' },
  { name: 'signal', api: 'signal', module: '@signalapp/sqlcipher' },
  { name: 'node:sqlite', api: 'node:sqlite', module: 'node:sqlite', needs: '22.16.0' },
  { name: 'multiple-ciphers/sqlcipher', api: 'better-sqlite3', module: CIPHERS, cipher: 'sqlcipher', needs: '22.14.0' },
  { name: 'signal/sqlcipher', api: 'signal', module: '@signalapp/sqlcipher', cipher: 'sqlcipher' },
  { name: 'multiple-ciphers/chacha20', api: 'better-sqlite3', module: CIPHERS, cipher: 'chacha20', needs: '22.14.0' },
  { name: 'multiple-ciphers/aegis', api: 'better-sqlite3', module: CIPHERS, cipher: 'aegis', needs: '22.14.0' },
  { name: 'multiple-ciphers', api: 'better-sqlite3', module: CIPHERS, reference: true, needs: '22.14.0' },
]

/** The baseline of each group's ratios, unless `--base` names another configuration. */
export const BASES = { plain: 'better-sqlite3', encrypted: 'multiple-ciphers/sqlcipher' }

/**
 * Returns every configuration. The given builds of Strongroom come first.
 *
 * @param builds - each has a `name`, a `folder` and perhaps an `addon`
 */
export function configurations(builds) {
  const own = [undefined, 'sqlcipher', 'strongroom'].flatMap((cipher) =>
    builds.map(({ name, folder, addon }) => ({
      name: cipher === undefined ? name : `${name}/${cipher}`,
      api: 'strongroom',
      module: folder,
      addon,
      cipher,
      own: true,
    })),
  )
  return [...own, ...peers]
}

/**
 * Returns the group of a configuration. The groups `plain` and `encrypted` have their own tables. The group `reference`
 * has no table, and runs only the workloads of both other groups.
 */
export function groupOf({ cipher, reference }) {
  if (reference) return 'reference'
  return cipher === undefined ? 'plain' : 'encrypted'
}

/** Returns the configuration without encryption of an encrypted configuration's package or build, if it is given. */
export function plainOf({ module, addon }, configurations) {
  return configurations.find((other) => other.cipher === undefined && other.module === module && other.addon === addon)
}

/** Returns the adapter of a configuration. */
export function adapterOf(configuration) {
  return adapters[configuration.api](configuration)
}
