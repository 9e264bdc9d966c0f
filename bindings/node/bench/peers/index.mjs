// The configurations that are measured: a package, and the cipher that it uses.
import { betterSqlite3 } from './better-sqlite3.mjs'
import { nodeSqlite } from './node-sqlite.mjs'
import { signal } from './signal.mjs'
import { strongroom } from './strongroom.mjs'

const adapters = { strongroom, 'better-sqlite3': betterSqlite3, signal, 'node:sqlite': nodeSqlite }

const CIPHERS = 'better-sqlite3-multiple-ciphers'

/** The configurations of other packages. `module` is what `require` gets, `needs` the oldest Node that loads it. */
const peers = [
  { name: 'better-sqlite3', api: 'better-sqlite3', module: 'better-sqlite3', needs: '22.14.0' },
  { name: 'signal', api: 'signal', module: '@signalapp/sqlcipher' },
  { name: 'node:sqlite', api: 'node:sqlite', module: 'node:sqlite', needs: '22.16.0' },
  { name: 'multiple-ciphers/sqlcipher', api: 'better-sqlite3', module: CIPHERS, cipher: 'sqlcipher', needs: '22.14.0' },
  { name: 'signal/sqlcipher', api: 'signal', module: '@signalapp/sqlcipher', cipher: 'sqlcipher' },
  { name: 'multiple-ciphers/chacha20', api: 'better-sqlite3', module: CIPHERS, cipher: 'chacha20', needs: '22.14.0' },
  { name: 'multiple-ciphers/aegis', api: 'better-sqlite3', module: CIPHERS, cipher: 'aegis', needs: '22.14.0' },
]

/** The configuration that the ratios of a group refer to, unless `--base` names another. */
export const BASES = { plain: 'better-sqlite3', encrypted: 'multiple-ciphers/sqlcipher' }

/**
 * Returns every configuration: those of the given builds of Strongroom first.
 *
 * @param builds - each has a `name`, a `folder` and perhaps an `addon`
 */
export function configurations(builds) {
  const own = [undefined, 'sqlcipher'].flatMap((cipher) =>
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

/** Returns `plain` or `encrypted`: the configurations of a group appear in one table. */
export function groupOf({ cipher }) {
  return cipher === undefined ? 'plain' : 'encrypted'
}

/** Returns the adapter of a configuration. */
export function adapterOf(configuration) {
  return adapters[configuration.api](configuration)
}
