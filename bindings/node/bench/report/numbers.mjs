// Formats numbers for people.

/** Formats a number with three significant digits, or as a whole number with thousands separators. */
export function figure(value) {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)))
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(digits, 3) })
}

/** Formats a ratio, such as `0.87`. */
export function times(value) {
  return value.toFixed(2)
}

/** Formats a ratio with its spread over several rounds, such as `0.87 (0.85–0.90)`. */
export function withSpread({ value, low, high }) {
  return low === undefined || low === high ? times(value) : `${times(value)} (${times(low)}–${times(high)})`
}
