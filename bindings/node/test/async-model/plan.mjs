// The steps of an episode. Each step depends only on the seed, the episode and its own number, so leaving out steps does
// not change the others.
import { OPERATIONS, WEIGHTS } from './operations.mjs'
import { random } from './random.mjs'

/** The kinds of steps outside of transactions, by their weight. */
const KINDS = {
  write: 300,
  read: 260,
  iterate: 90,
  transaction: 110,
  snapshot: 50,
  stale: 10,
  backup: 6,
  check: 4,
  rekey: 4,
  journal: 4,
  temporary: 2,
  reopen: 8,
}

/** The kinds of calls inside of a transaction. */
const INSIDE = { write: 60, read: 30, iterate: 8, nested: 8, outside: 4 }
const IN_SNAPSHOT = { read: 20, iterate: 4, refused: 1, outside: 1 }
const METHODS = { write: 'writes', read: 'reads' }

/**
 * Returns an episode: the database that it uses, and its steps. A step says what is called, whether the next step waits
 * for its end (`wait`), for how many turns of the event loop it waits first (`turns`), and when it is cancelled (`abort`,
 * in turns after the call: 0 for at once, -1 for before the call).
 */
export function plan({ seed, episode, steps }) {
  const own = random(seed, episode)
  const format = own.one(['plain', 'sqlcipher', 'strongroom'])
  return {
    seed,
    episode,
    format,
    inMemory: own.chance(15),
    first: settings(own),
    steps: Array.from({ length: steps }, (_, index) => stepAt(random(seed, episode, index + 1), index + 1)),
  }
}

/** Returns the settings with which a database is opened. */
function settings(own) {
  return { journal: own.one(['wal', 'wal', 'delete']), readers: own.one([2, 2, 1, 3, 0]) }
}

function stepAt(own, index) {
  const kind = own.weighted(KINDS)
  const base = { index, kind, wait: own.chance(35), turns: own.chance(30) ? own.below(4) : 0 }
  if (kind === 'transaction') return { ...base, ...transaction(own, index, true), ...cancelled(own, 12) }
  if (kind === 'snapshot')
    return { ...base, inner: calls(own, index, IN_SNAPSHOT, snapshotCall), ...cancelled(own, 10) }
  if (kind === 'write' || kind === 'read') return { ...base, ...call(own, index, WEIGHTS[METHODS[kind]]) }
  if (kind === 'iterate') return { ...base, ...iteration(own) }
  if (kind === 'journal') return { ...base, journal: own.one(['wal', 'delete']) }
  if (kind === 'reopen') return { ...base, late: own.below(4), next: settings(own) }
  return base
}

/** Returns the moment of a cancellation for a part of the calls. */
function cancelled(own, percent) {
  return own.chance(percent) ? { abort: own.below(8) - 1 } : {}
}

function call(own, index, weights) {
  const operation = own.weighted(weights)
  const { parameters, endless, certain, method } = OPERATIONS[operation]
  const isPrepared = own.chance(30) && !/^(wrong|bare)/.test(operation) && !['exec', 'pragma'].includes(method)
  return {
    operation,
    parameters: parameters?.(own, index),
    isPrepared,
    ...(certain ? {} : cancelled(own, endless ? 100 : 12)),
  }
}

function iteration(own) {
  const isEndless = own.chance(10)
  const leaves = isEndless || own.chance(50)
  return {
    operation: isEndless ? 'endlessRows' : 'rows',
    isPrepared: own.chance(30),
    lazy: own.below(3),
    pause: own.one([1, 7, 50, 1000]),
    pairs: own.chance(20),
    ...(leaves ? { take: own.one([0, 1, 2, 3, 100, 300]), leave: own.one(['break', 'throw', 'return', 'abort']) } : {}),
  }
}

function transaction(own, index, mayNest) {
  const kinds = mayNest ? INSIDE : { ...INSIDE, nested: 0 }
  return {
    kind: 'transaction',
    inner: calls(own, index, kinds, insideCall),
    end: own.chance(75) ? 'commit' : 'throw',
    ...(mayNest ? { behavior: own.one([undefined, undefined, 'immediate', 'deferred', 'exclusive']) } : {}),
  }
}

/** Returns up to six calls inside of a transaction or snapshot. */
function calls(own, index, kinds, make) {
  return Array.from({ length: own.below(7) }, (_, at) => {
    const kind = own.weighted(kinds)
    const base = { index, at, kind, wait: own.chance(60), turns: own.chance(30) ? own.below(3) : 0 }
    return { ...base, ...make(own, index * 10 + at, kind) }
  })
}

function insideCall(own, index, kind) {
  if (kind === 'nested') return transaction(own, index, false)
  // A write while an iterate of the same transaction is open would be refused.
  if (kind === 'iterate') return { ...iteration(own), wait: true }
  if (kind === 'outside') return {}
  return awaited(call(own, index, kind === 'write' ? WEIGHTS.inside : WEIGHTS.reads))
}

/** The call of a statement comes after its preparation, which must not end after the callback. */
function awaited(made) {
  return made.isPrepared ? { ...made, wait: true } : made
}

function snapshotCall(own, index, kind) {
  // An iterator ends with the snapshot.
  if (kind === 'iterate') return { ...iteration(own), wait: true }
  if (kind === 'read') return awaited(call(own, index, WEIGHTS.reads))
  return {}
}
