sqlcipher :memory: 'PRAGMA cipher_version'
