// Installs the packages that `cargo xtask pack` sealed into an empty project, and runs a smoke test there.
// Needs only Node and npm: the release runs this script on each platform.
//
//   node load.mjs FOLDER PLATFORM
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { damage, MAIN, manifest, packageOf, Refused, refuse, refuseWithoutNpm, run, targets } from './sealed.mjs'

const smoke = fileURLToPath(new URL('../test/smoke.cjs', import.meta.url))

run(() => {
  const [folder, platform, ...rest] = process.argv.slice(2)
  if (!folder || !platform || rest.length > 0) throw new Refused('usage: node load.mjs FOLDER PLATFORM')
  isThis(platform)
  const project = mkdtempSync(join(tmpdir(), 'strongroom-packages-'))
  try {
    install(folder, platform, project)
    execFileSync(process.execPath, [smoke, join(project, 'node_modules', MAIN)], { stdio: 'inherit' })
  } catch (error) {
    if (error instanceof Refused) throw error
    refuseWithoutNpm(error)
    throw new Refused(`the packages for ${platform} cannot be used here; the reason is above (${error.message})`)
  } finally {
    remove(project)
  }
})

/** Removes a folder, or warns: a virus scanner on Windows can lock a new file for seconds. */
function remove(folder) {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  } catch (error) {
    console.error(`cannot remove ${folder} (${error.code}); remove it by hand`)
  }
}

/** Refuses a platform other than this Node's: a load here would prove nothing about that platform. */
function isThis(platform) {
  const target = targets().find((candidate) => candidate.platform === platform)
  const known = () => targets().map((candidate) => candidate.platform)
  if (!target) throw new Refused(`unknown platform ${platform}; targets.json has ${known().join(', ')}`)
  const system = ({ os, cpu, libc }) => [os, cpu, libc].filter(Boolean).join(' ')
  const here = system({ os: process.platform, cpu: process.arch, libc: libc() })
  if (here !== system(target)) throw new Refused(`${platform} is for ${system(target)}, and this Node is for ${here}`)
}

function libc() {
  if (process.platform !== 'linux') return null
  process.report.excludeNetwork = true
  return process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl'
}

function install(folder, platform, project) {
  const { packages } = manifest(folder)
  const wanted = [MAIN, packageOf({ platform })]
  const found = packages.filter(({ name }) => wanted.includes(name))
  refuse(
    [
      ...wanted.filter((name) => !found.some((sealed) => sealed.name === name)).map((name) => `missing: ${name}`),
      ...found.map((sealed) => damage(folder, sealed)).filter(Boolean),
    ],
    `${folder} is not a complete release`,
    'download the folder again from the run that packed it, or pack again: cargo xtask pack',
  )
  for (const { file } of found) copyFileSync(join(folder, file), join(project, file))
  writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true }\n')
  const files = found.map(({ file }) => `./${file}`)
  // --offline: npm must not ask a registry for the optional packages of the other platforms.
  execFileSync('npm', ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', ...files], {
    cwd: project,
    stdio: 'inherit',
    // On Windows npm is a batch file, which needs a shell. No argument contains a space.
    shell: process.platform === 'win32',
  })
}
