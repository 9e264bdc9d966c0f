// The measurements, each of which runs in a process of its own.
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { ids } from '../data.mjs'

const ROWS = 'SELECT id, body, bin, n FROM message'
const GET = `${ROWS} WHERE id = ?`
const SUM = 'SELECT sum(n) AS n FROM message WHERE id BETWEEN ?1 AND ?1 + 499'
/** A query of about one second: a loop in SQLite's virtual machine. */
const LONG = (rows) =>
  `SELECT count(*) AS n, sum((a.id + b.id) % 7) AS s FROM message a CROSS JOIN message b WHERE a.id <= ${rows} AND b.id <= 20000`

/** The time in ms after a result in which V8 collects what the call left. */
const COLLECTION = 40
/** The number of repetitions whose delays are put together: one of them takes less than 100 ms. */
const REPEATS = 10
/** The number of callers that make calls at the same time. */
const CALLERS = 8

/**
 * Each task gets `{ adapter, file, size, readers }` and returns its figures. `size` is the number of rows or calls, and
 * `checksum` must be the same for all configurations.
 */
export const TASKS = {
  /** The delay of the event loop while nothing happens. */
  idle: async () => ({ ...(await delayed(() => wait(1000))), checksum: 'idle' }),

  /** The delay while one query runs. */
  query: (given) =>
    opened(given, async (db) => {
      let rows
      const figures = await delayed(async () => {
        rows = await given.adapter.all(db, LONG(given.size))
      })
      return { ...figures, checksum: `${rows[0].n} ${rows[0].s}` }
    }),

  /** The delay while rows arrive and are dropped. */
  iterate: (given) =>
    opened(given, async (db) => {
      let sum = 0
      const figures = await repeated(() =>
        given.adapter.each(db, `${ROWS} LIMIT ${given.size}`, (row) => {
          sum += row.n & 0xff
        }),
      )
      return { ...figures, checksum: `${sum}` }
    }),

  /** The delay while rows arrive and are kept. */
  all: (given) =>
    opened(given, async (db) => {
      let count = 0
      const figures = await repeated(async () => {
        count += (await given.adapter.all(db, `${ROWS} LIMIT ${given.size}`)).length
      })
      return { ...figures, checksum: `${count}` }
    }),

  /** The CPU time of the main thread for all rows, with the collection of garbage after the call. */
  'all-cpu': (given) =>
    opened(given, async (db) => {
      const times = []
      let count = 0
      for (let repeat = 0; repeat < REPEATS; repeat++) {
        globalThis.gc()
        const [own, whole] = [mainThread(), process.cpuUsage()]
        const rows = await given.adapter.all(db, `${ROWS} LIMIT ${given.size}`)
        const result = mainThread() - own
        await wait(COLLECTION)
        count += rows.length
        const { user, system } = process.cpuUsage(whole)
        times.push({ result, collected: mainThread() - own, process: (user + system) / 1e3 })
      }
      return { ...bestOf(times), checksum: `${count}` }
    }),

  /** Random gets of several callers at once. */
  gets: (given) => concurrent(given, GET),

  /** Sums of 500 rows, of several callers at once. */
  sums: (given) => concurrent(given, SUM),

  /** Gets of one row, each awaited before the next. */
  get: (given) =>
    opened(given, async (db) => {
      const get = await given.adapter.get(db, GET)
      const wanted = ids(given.size, given.rows)
      for (let i = 0; i < 2_000; i++) await get(wanted[i % wanted.length])
      const times = new Float64Array(wanted.length)
      let sum = 0
      for (let i = 0; i < wanted.length; i++) {
        const start = process.hrtime.bigint()
        sum += (await get(wanted[i])).n & 0xff
        times[i] = Number(process.hrtime.bigint() - start) / 1e3
      }
      times.sort()
      return { median: times[times.length >> 1], p99: times[Math.floor(times.length * 0.99)], checksum: `${sum}` }
    }),
}

async function opened({ adapter, file, readers }, work) {
  const db = await adapter.open(file, readers)
  try {
    return await work(db)
  } finally {
    await adapter.close(db)
  }
}

/** Measures calls of several callers at once. */
function concurrent(given, sql) {
  return opened(given, async (db) => {
    const get = await given.adapter.get(db, sql)
    const wanted = ids(given.size, given.rows)
    for (let i = 0; i < 2_000; i++) await get(wanted[i % wanted.length])
    const times = []
    let sum = 0
    for (let repeat = 0; repeat < 3; repeat++) {
      const start = process.hrtime.bigint()
      const before = process.cpuUsage()
      let next = 0
      const caller = async () => {
        while (next < wanted.length) {
          const { n } = await get(wanted[next++])
          sum += n & 0xff
        }
      }
      await Promise.all(Array.from({ length: CALLERS }, caller))
      const wall = Number(process.hrtime.bigint() - start) / 1e3 / wanted.length
      const { user, system } = process.cpuUsage(before)
      times.push({ wall, cpu: (user + system) / wanted.length })
    }
    return { ...bestOf(times), checksum: `${sum}` }
  })
}

/** Returns the delay of the event loop while some work runs, in ms. */
async function delayed(work) {
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  await wait(20)
  histogram.reset()
  // The first timer after the reset has nothing to compare with.
  await wait(3)
  const start = process.hrtime.bigint()
  await work()
  const wall = Number(process.hrtime.bigint() - start) / 1e6
  // A blocked loop is measured by the first timer after the block.
  await wait(3)
  histogram.disable()
  const ms = (nanoseconds) => nanoseconds / 1e6
  return { p50: ms(histogram.percentile(50)), p99: ms(histogram.percentile(99)), max: ms(histogram.max), wall }
}

/** Puts the delays of several repetitions together: the median of their p99, and the largest delay of all. */
async function repeated(work) {
  const all = []
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    globalThis.gc()
    all.push(await delayed(work))
  }
  const of = (name) => all.map((figures) => figures[name]).sort((a, b) => a - b)
  const median = (name) => of(name)[REPEATS >> 1]
  return { p50: median('p50'), p99: median('p99'), max: of('max').at(-1), first: all[0].max, wall: of('wall')[0] }
}

/** Returns the lowest value of each figure. */
function bestOf(times) {
  const names = Object.keys(times[0])
  return Object.fromEntries(names.map((name) => [name, Math.min(...times.map((time) => time[name]))]))
}

/** Returns the CPU time of the main thread in ms. */
function mainThread() {
  const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')
  return Number(nanoseconds) / 1e6
}
