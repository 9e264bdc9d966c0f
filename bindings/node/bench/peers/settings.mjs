// The settings that every configuration gets, and the keys of the encrypted configurations.

/** The PRAGMAs that follow the key on every connection. */
export const SETTINGS = [
  'page_size = 4096',
  'journal_mode = WAL',
  'synchronous = NORMAL',
  'cache_size = -16000',
  'temp_store = MEMORY',
  'mmap_size = 0',
  'wal_autocheckpoint = 1000',
]

export const RAW_KEY = '11223344556677889900aabbccddeeff00112233445566778899aabbccddeeff'
export const PASSPHRASE = 'correct horse battery staple'

/** Returns the PRAGMAs that set a key, for packages that take the key in a PRAGMA. */
export function keyPragmas(cipher, key) {
  if (cipher === undefined) return []
  if (cipher === 'sqlcipher') return [key === 'raw' ? `key = "x'${RAW_KEY}'"` : `key = '${PASSPHRASE}'`]
  return [key === 'raw' ? `key = 'raw:${RAW_KEY}'` : `key = '${PASSPHRASE}'`]
}
