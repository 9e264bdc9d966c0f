import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { addons } from './loading.mjs'

/** Returns the entries of an ELF file's dynamic section as pairs of tag and value. Source: System V ABI, chapter 5. */
function dynamic(bytes) {
  const offset = Number(bytes.readBigUInt64LE(32))
  const [size, count] = [bytes.readUInt16LE(54), bytes.readUInt16LE(56)]
  const PT_DYNAMIC = 2
  const headers = Array.from({ length: count }, (_, i) => bytes.subarray(offset + i * size))
  const header = headers.find((candidate) => candidate.readUInt32LE(0) === PT_DYNAMIC)
  const start = Number(header.readBigUInt64LE(8))
  const length = Number(header.readBigUInt64LE(32))
  return Array.from({ length: length / 16 }, (_, i) => [
    bytes.readBigUInt64LE(start + i * 16),
    bytes.readBigUInt64LE(start + i * 16 + 8),
  ])
}

// Some C libraries unload an addon with its last worker, and thread-local destructors would then run in unmapped code.
// Other C libraries keep the addon, and OpenSSL pins its own library, so a test with 100 workers would not notice a
// lost flag.
test('every Linux addon stays loaded until the process ends', () => {
  const DT_FLAGS_1 = 0x6ffffffbn
  const DF_1_NODELETE = 0x8n
  for (const file of addons.filter((name) => /linux-[^/\\]*\.node$/.test(name))) {
    const flags = dynamic(readFileSync(file)).find(([tag]) => tag === DT_FLAGS_1)?.[1] ?? 0n
    assert.notEqual(flags & DF_1_NODELETE, 0n, file)
  }
})
