// Statistics over the rounds.

/** Returns the best (lowest), the median and the worst value of the given numbers. */
export function summary(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return { best: sorted[0], median: median(sorted), worst: sorted.at(-1) }
}

function median(sorted) {
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/**
 * Compares two configurations.
 *
 * The ratio compares the best values, because noise only adds time. The spread is the lowest and the highest of the
 * per-round ratios: the two processes of a round run shortly after each other, so the same machine noise affects both.
 *
 * @param samples - the values by round: a Map from the round to the value
 * @returns undefined if a side has no value
 */
export function ratio(samples, base) {
  if (samples.size === 0 || base.size === 0) return undefined
  const paired = [...samples].filter(([round]) => base.has(round)).map(([round, value]) => value / base.get(round))
  const value = Math.min(...samples.values()) / Math.min(...base.values())
  if (paired.length === 0) return { value }
  return { value, low: Math.min(...paired), high: Math.max(...paired) }
}
