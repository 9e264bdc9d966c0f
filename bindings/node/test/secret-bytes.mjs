/**
 * Yields pseudo-random bytes, the same for the same seed. Two processes can thus derive the same secret, and neither
 * keeps a copy: xorshift's state is 32 bits, not an array.
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

/** Writes the bytes of `bytesFrom` into an array, without another copy. */
export function fill(array, seed) {
  let index = 0
  for (const byte of bytesFrom(seed, array.length)) array[index++] = byte
}
