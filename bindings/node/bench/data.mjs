// Deterministic data: xorshift numbers, and chat messages made of these numbers.

/** Returns a function that returns the next 32-bit number of an xorshift sequence. */
export function random(seed = 12345) {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

export const WORDS = `alpha beta gamma delta meeting tomorrow hello thanks please check the invoice photo video sounds
good see you later lunch dinner project deploy release server bug fix review comment channel thread reply emoji happy
birthday weekend plan trip hotel flight train ticket order shipped delivered refund payment card bank password reset
login`.split(/\s+/)

/** The number of different messages. Larger tables repeat the messages, so a long run needs no more memory. */
const POOL = 10_000

/** Returns messages, each with a body of 200 bytes of ASCII, a blob of 64 bytes, and an integer. */
export function messages(count = POOL) {
  const next = random()
  return Array.from({ length: Math.min(count, POOL) }, (_, i) => ({
    body: body(i, next),
    bin: bytes(64, next),
    n: next() & 0x7fffffff,
  }))
}

function body(i, next) {
  let words = ''
  while (words.length < 110) words += `${WORDS[next() % WORDS.length]} `
  const text = `{"id":"msg_${i}","from":"user_${next() % 5000}","ts":${1700000000000 + i * 977},"body":"${words}"}`
  return flat(text.slice(0, 200).padEnd(200))
}

/** Returns a string that V8 stores as one array of characters, not as a tree of its parts. */
function flat(text) {
  return Buffer.from(text).toString()
}

/** Returns a Buffer of random bytes. `length` must be a multiple of four. */
export function bytes(length, next = random()) {
  const buffer = Buffer.alloc(length)
  for (let at = 0; at < length; at += 4) buffer.writeUInt32LE(next(), at)
  return buffer
}

/** Returns row ids from 1 to `max` in random order, with repetitions. */
export function ids(count, max) {
  const next = random(54321)
  return Int32Array.from({ length: count }, () => 1 + (next() % max))
}
