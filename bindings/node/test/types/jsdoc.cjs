// The types as JavaScript with JSDoc sees them.
const Database = require('strongroom')

/** @typedef {{ id: number, name: string }} Cat */

/** @type {Database.Options} */
const options = { readonly: true, timeout: 100 }
/** @type {import('strongroom').Database} */
const db = new Database('cats.db', options)
/** @type {import('strongroom').Statement<[number], Cat>} */
const find = db.prepare('SELECT * FROM cat WHERE id = ?')
/** @type {Database.Statement<[number], Cat>} */
const same = find

/**
 * @param {Database.Database} database
 * @param {number} id
 * @returns {Cat | undefined}
 */
function cat(database, id) {
  return /** @type {Cat | undefined} */ (database.prepare('SELECT * FROM cat WHERE id = ?').get(id))
}

/** @type {Database.Transaction<(cats: Cat[]) => number>} */
const insert = db.transaction((cats) => cats.length)
class Cats extends Database {
  names() {
    return this.prepare('SELECT name FROM cat').pluck().all()
  }
}

module.exports = { cat, find: find.get(1)?.name, same, insert: insert.immediate([]), names: new Cats().names() }
