// Runs a local registry that serves Strongroom's packed packages, and redirects any other request to npm's registry.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { MAIN, packageOf, targets } from '../scripts/targets.mjs'
import { npmRegistry } from './project.mjs'

/**
 * Starts the registry on a free port.
 *
 * @param packed - the folder that `cargo xtask pack` wrote
 * @param others - the documents of other packages by `/name`, and their tarballs by path
 * @returns `{ url, close }`
 */
export async function startRegistry(packed, others = new Map()) {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url)
    const url = `http://127.0.0.1:${server.address().port}/`
    const document = documents.get(path.slice(1))
    if (document) return response.end(JSON.stringify(document(url)))
    const other = others.get(path)
    if (other) return response.end(typeof other === 'function' ? JSON.stringify(other(url)) : other)
    const file = /^\/packed\/([\w.-]+\.tgz)$/.exec(path)?.[1]
    if (file) return response.end(readFileSync(join(packed, file)))
    response.writeHead(302, { location: new URL(request.url.slice(1), npmRegistry()).href }).end()
  })
  const documents = packuments(packed)
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() }
}

/** Returns, for each package, a function that returns the package's document for a registry URL. */
function packuments(packed) {
  const { version, packages } = JSON.parse(readFileSync(join(packed, 'manifest.json'), 'utf8'))
  const manifests = packages.map(({ file, integrity }) => {
    const manifest = execFileSync('tar', ['-xzOf', join(packed, file), 'package/package.json'], { encoding: 'utf8' })
    return { ...JSON.parse(manifest), dist: { file, integrity } }
  })
  const main = manifests.find(({ name }) => name === MAIN)
  main.optionalDependencies = Object.fromEntries(targets().map((target) => [packageOf(target), version]))
  // npm requests the documents of all platform packages, and downloads only the package of its own platform.
  for (const target of targets()) {
    const { os, cpu, libc } = target
    const name = packageOf(target)
    if (!manifests.some((manifest) => manifest.name === name))
      manifests.push({ name, version, os: [os], cpu: [cpu], ...(libc && { libc: [libc] }), dist: { file: 'none.tgz' } })
  }
  const document = (manifest) => (url) => ({
    name: manifest.name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, dist: { ...manifest.dist, tarball: `${url}packed/${manifest.dist.file}` } } },
  })
  return new Map(manifests.map((manifest) => [manifest.name, document(manifest)]))
}
