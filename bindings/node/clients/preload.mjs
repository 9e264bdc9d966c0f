// Asserts, when the process exits, that it has loaded Strongroom's addon and no addon of better-sqlite3.
import assert from 'node:assert/strict'

process.on('exit', (code) => {
  if (code !== 0) return
  const addons = process.report.getReport().sharedObjects.filter((file) => /\.node$/.test(file))
  assert.ok(
    addons.some((file) => /bindings_node\.[\w-]+\.node$/.test(file)),
    `loaded: ${addons}`,
  )
  assert.ok(!addons.some((file) => /better_sqlite3|node_sqlite3/.test(file)), `loaded: ${addons}`)
})
