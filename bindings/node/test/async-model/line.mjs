// A queue of jobs of which one runs at a time.
import { setImmediate as turn } from 'node:timers/promises'

export class Line {
  length = 0
  #fault
  #tail = Promise.resolve()
  #closed
  #last = new Map()

  constructor(fault) {
    this.#fault = fault
  }

  /**
   * Adds a job. `interrupted` is called if the job is a write that a signal interrupted.
   */
  add(sql, { signal, isWrite = false, isTransaction = false }, job, interrupted) {
    if (signal?.aborted) return Promise.reject(signal.reason)
    this.length += 1
    const before = this.#tail
    const entry = Promise.withResolvers?.() ?? resolvers()
    let isWaiting = true
    let isDone = false
    const settle = (how, value) => {
      isDone = true
      entry[how](value)
    }
    signal?.addEventListener('abort', () => {
      if (isWaiting && !isDone) settle('reject', signal.reason)
    })
    const perform = async () => {
      await before
      if (this.#last.size % 3 === 0) await turn()
      if (isDone && !(this.#fault === 'a cancelled write runs' && isWrite)) return
      if (this.#closed && !isDone) return settle('reject', this.#closed())
      isWaiting = false
      try {
        const result = sql.includes('endless')
          ? await forever(signal, isWrite, interrupted)
          : await this.#run(sql, isTransaction, isWrite, job)
        settle('resolve', result)
      } catch (error) {
        settle('reject', error)
      }
    }
    this.#tail = perform().finally(() => {
      this.length -= 1
    })
    return entry.promise
  }

  #run(sql, isTransaction, isWrite, job) {
    if (this.#fault !== 'a read overtakes an awaited write' || isTransaction || isWrite || !sql.startsWith('SELECT id'))
      return job()
    // Every other read returns what the same query returned before.
    const known = this.#last.get(sql)
    const result = job()
    this.#last.set(sql, result)
    return known !== undefined && this.#last.size % 2 === 0 ? known : result
  }

  /** Rejects the jobs that wait with what a function returns. */
  close(make) {
    this.#closed = make
  }

  /** Lets the next jobs run beside the present one. */
  skip() {
    this.#tail = Promise.resolve()
  }

  /** Resolves when no job waits or runs. */
  async idle() {
    while (this.length > 0) {
      await this.#tail
      await turn()
    }
  }
}

/** A statement that only its signal ends. */
function forever(signal, isWrite, interrupted) {
  return new Promise((_, reject) => {
    const end = () => {
      if (isWrite) interrupted?.()
      reject(signal.reason)
    }
    if (signal.aborted) end()
    else signal.addEventListener('abort', end)
  })
}

function resolvers() {
  const made = {}
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }))
  return made
}
