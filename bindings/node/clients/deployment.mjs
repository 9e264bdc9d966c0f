// Runs a project's finished program in its own folder.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { PASSPHRASE, run } from './project.mjs'

/** A folder outside the project, as on a user's machine. */
export class Deployment {
  #project

  /** Creates the folder, and copies files and folders of a project into it. */
  constructor(project, ...files) {
    this.#project = project
    this.folder = mkdtempSync(join(tmpdir(), 'strongroom-deployed-'))
    for (const file of files) cpSync(project.path(file), this.path(basename(file)), { recursive: true })
    mkdirSync(this.path('temporary'))
  }

  path(...names) {
    return join(this.folder, ...names)
  }

  /** Installs the dependencies of the folder's package.json, without its devDependencies. */
  async install() {
    const args = ['ci', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund']
    await run('npm', args, { cwd: this.folder })
  }

  /** Runs a program in the folder, without the project's packages. Returns the program's output. */
  async run(program, args = []) {
    const installed = this.#project.path('node_modules')
    const hidden = this.#project.path('hidden')
    renameSync(installed, hidden)
    try {
      const env = { NOTES_PASSPHRASE: PASSPHRASE, TMPDIR: this.path('temporary') }
      return await run(program, args, { cwd: this.folder, env })
    } finally {
      renameSync(hidden, installed)
    }
  }

  /** Runs Node in the folder, without the project's packages. Returns the program's output. */
  node(...args) {
    return this.run(process.execPath, args)
  }

  /** Asserts that the program has stored its note in an encrypted file. */
  assertStored() {
    this.#project.assertStored(relative(this.#project.folder, this.path('notes.db')), 'buy milk', { encrypted: true })
  }

  /** Returns the names and modes of the files that the program has left in the temporary folder. */
  left() {
    const names = readdirSync(this.path('temporary'))
    return new Map(names.map((name) => [name, statSync(this.path('temporary', name)).mode & 0o777]))
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
