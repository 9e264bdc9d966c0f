// Two ways to read the rows of an iterator.
import { setImmediate as turn } from 'node:timers/promises'

/** The error that a callback of a transaction throws, and the one that leaves a loop. */
export class Thrown extends Error {}

/** Reads rows with `for await`. */
export async function loop(iterator, step, take) {
  let count = 0
  try {
    for await (const row of iterator) {
      take(row)
      count += 1
      if (count % step.pause === 0) await turn()
      if (count !== step.take) continue
      if (step.leave === 'break') break
      if (step.leave === 'throw') throw new Thrown('left')
      if (step.leave === 'return') return await iterator.return()
    }
  } catch (error) {
    if (!(error instanceof Thrown)) throw error
  }
}

/** Reads rows with two calls of `next` at once. */
export async function pairs(iterator, step, take) {
  for (let count = 0; ; ) {
    const results = await Promise.all([iterator.next(), iterator.next()])
    for (const { done, value } of results) {
      if (done) return
      if (count === step.take && step.leave !== 'abort') break
      take(value)
      count += 1
    }
    if (count % step.pause === 0) await turn()
    if (count === step.take && step.leave !== 'abort') return await iterator.return()
  }
}
