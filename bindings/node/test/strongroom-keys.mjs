// The keys of a file in the Strongroom format, decrypted from its header as docs/format.md describes. The tests search the
// memory of a process for these keys.
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'

const HEADER_START = 64
const SLOT_LENGTH = 256
const INFO = { key: 'Strongroom 1 raw key', recovery: 'Strongroom 1 recovery code' }

/** Decrypts with XAES-256-GCM (C2SP.org/XAES-256-GCM). */
function xaesOpen(key, nonce, sealed, tag, associated) {
  const aes = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  const zero = BigInt(`0x${aes.update(Buffer.alloc(16)).toString('hex')}`)
  const doubled = (zero << 1n) ^ (zero >> 127n === 1n ? 0x87n : 0n)
  const mask = Buffer.from(BigInt.asUintN(128, doubled).toString(16).padStart(32, '0'), 'hex')
  const block = (counter) => {
    const input = Buffer.concat([Buffer.from([0, counter, 0x58, 0]), nonce.subarray(0, 12)])
    return aes.update(input.map((byte, index) => byte ^ mask[index]))
  }
  const gcm = createDecipheriv('aes-256-gcm', Buffer.concat([block(1), block(2)]), nonce.subarray(12))
  gcm.setAAD(associated).setAuthTag(tag)
  return Buffer.concat([gcm.update(sealed), gcm.final()])
}

/**
 * Returns the data key of a file, the key of its pages, and the key that opens a slot.
 *
 * @param {Buffer} header - the first copy of the header
 * @param {{ key: Buffer } | { recovery: Buffer }} secret - the raw key, or the 16 bytes of a recovery code
 * @param {number} index - the place of the slot
 */
export function keysOf(header, secret, index = 0) {
  const [[kind, material]] = Object.entries(secret)
  const slot = header.subarray(HEADER_START + index * SLOT_LENGTH)
  const file = header.subarray(24, 40)
  const wrapping = Buffer.from(hkdfSync('sha256', material, slot.subarray(24, 40), INFO[kind], 32))
  const associated = [Buffer.from('Strongroom 1 data key'), header.subarray(16, 20), file, slot.subarray(0, 40)]
  const [nonce, sealed, tag] = [slot.subarray(40, 64), slot.subarray(64, 96), slot.subarray(96, 112)]
  const dataKey = xaesOpen(wrapping, nonce, sealed, tag, Buffer.concat(associated))
  return { wrapping, dataKey, pageKey: Buffer.from(hkdfSync('sha256', dataKey, file, 'Strongroom 1 pages', 32)) }
}

const ALPHABET = 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'

/** Returns the 16 bytes of a recovery code: the first 26 characters of Bech32m have 5 bits each. */
export function bytesOfCode(code) {
  const bits = [...code.replaceAll('-', '')].slice(0, 26).map((character) => ALPHABET.indexOf(character))
  const number = bits.reduce((sum, five) => (sum << 5n) | BigInt(five), 0n) >> 2n
  return Buffer.from(number.toString(16).padStart(32, '0'), 'hex')
}
