/** Returns whether a version comes before another version. A version consists of numbers separated by dots. */
export function older(version: string, than: string): boolean {
  const parts = version.split('.').map(Number)
  for (const [index, part] of than.split('.').map(Number).entries()) {
    const own = parts[index] ?? 0
    if (own !== part) return own < part
  }
  return false
}
