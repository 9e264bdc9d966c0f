// Random numbers that depend on a seed and on a place in a plan.

/** Returns a generator whose sequence depends on all numbers given. */
export function random(...seeds) {
  let state = 0x9e3779b9
  for (const seed of seeds) state = mixed(state ^ seed)
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  return {
    /** Returns a whole number from 0 to `end - 1`. */
    below: (end) => next() % end,
    /** Returns `true` with this probability in percent. */
    chance: (percent) => next() % 100 < percent,
    /** Returns one of the values of an array. */
    one: (values) => values[next() % values.length],
    /** Returns a key of an object whose values are weights. */
    weighted(weights) {
      const entries = Object.entries(weights)
      let at = next() % entries.reduce((sum, [, weight]) => sum + weight, 0)
      for (const [name, weight] of entries) {
        if (at < weight) return name
        at -= weight
      }
      throw new Error('weights must be whole numbers')
    },
  }
}

/** Mixes the bits of a number, so that neighbouring seeds give different sequences. The result is never 0. */
function mixed(number) {
  let bits = Math.imul(number ^ (number >>> 16), 0x45d9f3b)
  bits = Math.imul(bits ^ (bits >>> 16), 0x45d9f3b)
  return (bits ^ (bits >>> 16)) | 1
}
