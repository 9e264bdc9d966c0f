const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { getRawAsset } = require('node:sea')

// Only this user can enter the folder. Once the library is loaded, the process no longer needs the file.
const folder = mkdtempSync(join(tmpdir(), 'notes-'))
try {
  process.env.STRONGROOM_LIBRARY = join(folder, 'strongroom.node')
  writeFileSync(process.env.STRONGROOM_LIBRARY, new Uint8Array(getRawAsset('strongroom.node')))
  module.exports = require('strongroom')
  module.exports.versions // loads the library
} finally {
  delete process.env.STRONGROOM_LIBRARY
  rmSync(folder, { recursive: true })
}
