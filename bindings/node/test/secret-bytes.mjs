/**
 * Yields pseudo-random bytes, the same for a seed. Two processes can agree on a secret in this way without a copy of it:
 * xorshift keeps 32 bits, and no array.
 */
export function* bytesFrom(seed, length) {
  let state = seed
  for (let index = 0; index < length; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    yield (state >>> 8) & 0xff
  }
}

/** Writes those bytes into an array, each straight to its place. */
export function fill(array, seed) {
  let index = 0
  for (const byte of bytesFrom(seed, array.length)) array[index++] = byte
}
