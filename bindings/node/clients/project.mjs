// Installs the projects of this folder from their lock files into temporary folders.
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))

/** The key of every encrypted database that the projects write. */
export const PASSPHRASE = 'correct horse battery staple'

/** The temporary folders, removed at exit: a test whose installation fails has no project to remove. */
const folders = new Set()
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** Returns the names of all projects. */
export function projects() {
  return readdirSync(here).filter((name) => existsSync(source(name, 'package.json')))
}

/** Returns the path of a project's file in the repository. */
export function source(project, file = '') {
  return join(here, project, file)
}

/** Runs a program. Returns its standard output and standard error.
 *
 * @throws an error with the output if the program fails
 */
export function run(program, args, { cwd, env = {}, timeout = 300_000 } = {}) {
  const path = [dirname(process.execPath), join(cwd, 'node_modules/.bin'), process.env.PATH].join(delimiter)
  // Removes the variable NODE_TEST_CONTEXT, which makes a test runner report to the outer test runner.
  const { NODE_TEST_CONTEXT: _, ...own } = process.env
  const options = { cwd, env: { ...own, PATH: path, NO_COLOR: '1', ...env }, timeout, maxBuffer: 2 ** 26 }
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout + stderr)
      const status = error.signal ?? `code ${error.code}`
      reject(new Error(`${program} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`, { cause: error }))
    })
  })
}

/** A project, installed in a temporary folder. */
export class Project {
  /**
   * Copies a project out of the repository, and installs its packages with `npm ci`. No install script runs, except the
   * project's own `postinstall`.
   *
   * @param beside - true if the project also has better-sqlite3 itself
   */
  static async install(name, { beside = false } = {}) {
    const project = new Project(mkdtempSync(join(tmpdir(), `strongroom-client-${name}-`)))
    const isWanted = (file) => !file.startsWith(source(name, 'node_modules'))
    cpSync(source(name), project.folder, { recursive: true, filter: isWanted })
    const lock = located(JSON.parse(readFileSync(source(name, 'package-lock.json'), 'utf8')))
    writeFileSync(project.path('package-lock.json'), JSON.stringify(lock))
    const args = ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund']
    await run('npm', args, { cwd: project.folder })
    const { scripts } = JSON.parse(readFileSync(project.path('package.json'), 'utf8'))
    if (scripts?.postinstall) await run('npm', ['run', 'postinstall'], { cwd: project.folder })
    project.assertPackages({ beside })
    return project
  }

  constructor(folder) {
    this.folder = folder
    folders.add(folder)
  }

  /** Returns the path of a file in the project. */
  path(...names) {
    return join(this.folder, ...names)
  }

  /** Runs Node in the project. Returns the program's output. */
  node(args, options) {
    return run(process.execPath, args, { cwd: this.folder, ...options })
  }

  /** Runs a command of an installed package. Returns the command's output. */
  command(name, args, options) {
    return run(this.path('node_modules/.bin', name), args, { cwd: this.folder, ...options })
  }

  /**
   * Asserts that Strongroom is installed exactly once, and that better-sqlite3 is installed only if `beside` is true.
   */
  assertPackages({ beside }) {
    const manifests = globSync('**/node_modules/{*,@*/*}/package.json', { cwd: this.folder })
    const names = manifests.map((file) => JSON.parse(readFileSync(this.path(file), 'utf8')).name)
    assert.equal(names.filter((name) => name === 'strongroom').length, 1)
    assert.equal(names.includes('better-sqlite3'), beside, `better-sqlite3 is ${beside ? 'not ' : ''}installed`)
  }

  /** Runs a shell script of the project up to the first command that fails, and returns the script's output. */
  shell(file, options) {
    return run('sh', ['-eu', file], { cwd: this.folder, ...options })
  }

  /** Asserts that a file is encrypted or plain, as `encrypted` says, and that the database holds a text.
   *
   * @param file - the file's name in the project
   */
  assertStored(file, text, { encrypted }) {
    const bytes = readFileSync(this.path(file))
    assert.equal(bytes.subarray(0, 15).toString() !== 'SQLite format 3', encrypted, `${file} is encrypted`)
    assert.equal(!bytes.includes(text), encrypted)
    const Database = createRequire(this.path('package.json'))(this.strongroom())
    const database = new Database(this.path(file), { readonly: true, ...(encrypted && { passphrase: PASSPHRASE }) })
    try {
      assert.ok(database.serialize().includes(text), `${file} holds ${text}`)
    } finally {
      database.close()
    }
  }

  /** Returns the name under which Strongroom is installed. */
  strongroom() {
    return ['strongroom', 'better-sqlite3'].find((name) => existsSync(this.path('node_modules', name)))
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true })
    folders.delete(this.folder)
  }
}

let address

/** Returns the URL of the registry in npm's configuration. */
export function npmRegistry() {
  address ??= execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim().replace(/\/?$/, '/')
  return address
}

/**
 * Adds the location of each package to a lock file: the packed tarball for Strongroom's packages, npm's registry for
 * any other.
 */
function located(lock) {
  const packed = process.env.STRONGROOM_PACKED
  if (!packed) throw new Error('STRONGROOM_PACKED is not set: set it to the folder that `cargo xtask pack` wrote')
  const { packages } = JSON.parse(readFileSync(join(packed, 'manifest.json'), 'utf8'))
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (!path || entry.link || entry.inBundle) continue
    const name = entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    const own = packages.find((each) => each.name === name)
    entry.resolved = own
      ? `file:${join(packed, own.file)}`
      : `${npmRegistry()}${name}/-/${name.slice(name.indexOf('/') + 1)}-${entry.version}.tgz`
  }
  return lock
}
