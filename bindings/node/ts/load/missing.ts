import type { Failure } from './attempt'
import { home, installedAs, installedInstead, lockFile, packageJson } from './installation'
import type { Platform } from './platforms'

/** Returns the remedy for an addon that does not exist. */
export function missing(platform: Platform): string {
  const name = platform.packageName
  if (!home)
    return (
      'A bundler put strongroom into its bundle without the addon. Leave strongroom out of the bundle and install it ' +
      'where the bundle runs (esbuild: --external:strongroom; webpack and rspack: externals: { strongroom: ' +
      `'commonjs strongroom' }; Next.js: serverExternalPackages: ['strongroom']; Vite: ssr: { external: ` +
      `['strongroom'] }), or copy the addon beside the bundle or the executable, under its own name ` +
      `(bindings_node.${platform.name}.node of ${name}; esbuild: --loader:.node=copy).`
    )
  if (inArchive(home)) return ARCHIVE
  const others = installedInstead(platform)
  if (others.length > 0) return otherSystem(platform, others)
  const lock = lockFile(platform)
  if (lock && !lock.complete)
    return (
      `${lock.file} does not list ${name}: the lock file was written on another system, or without optional ` +
      `dependencies. ${renewal(installedAs(home))}`
    )
  return (
    'The addon is an optional dependency, and the installation omitted optional dependencies (--omit=optional, ' +
    '--no-optional, or the same in .npmrc). Install again with optional dependencies: npm install --include=optional'
  )
}

/** Returns the remedy for node_modules with the addons of other platforms. */
function otherSystem(platform: Platform, others: readonly Platform[]): string {
  const installed = `The addon for ${others.map(({ name }) => name).join(', ')} is installed`
  // Windows and macOS on arm64 also run a Node for x64, which loads only addons for x64.
  const emulated = platform.os === 'linux' ? undefined : others.find(({ os }) => os === platform.os)
  if (emulated)
    return (
      `${installed}, and this Node is for ${platform.cpu}: node_modules was installed with a Node for ${emulated.cpu}, ` +
      `or on another system. Install again with this Node; to have both addons, run: ${both(platform)}`
    )
  return (
    `${installed}: node_modules was installed on another system or copied from one (from a Docker stage with another ` +
    'libc?). Install again on this system; or, on the system that installed node_modules, run: ' +
    both(platform)
  )
}

/**
 * Returns the instructions to regenerate a lock file. `npm uninstall` would remove the line of an alias from
 * package.json, where an override may refer to that line.
 */
function renewal(name: string): string {
  const both = 'the lock file and node_modules, and install again.'
  if (name !== packageJson.name) return `Remove ${both}`
  const install = `npm uninstall ${name}, then npm install ${name}@${packageJson.version}`
  return `Regenerate the lock file: ${install}; or remove ${both}`
}

/**
 * Returns the command that adds another platform's addon. Without --force, npm refuses a package for another system.
 */
function both({ packageName }: Platform): string {
  return `npm install --no-save --force ${packageName}@${packageJson.version}`
}

/** Returns the remedy for a path that only Electron sees as a file. */
export function archived({ from }: Failure): string | undefined {
  return inArchive(from) ? ARCHIVE : undefined
}

const ARCHIVE =
  'The system cannot load a library from inside an .asar archive. Keep the addon out of the archive: asarUnpack: ' +
  "['**/*.node'] with electron-builder, asar: { unpack: '**/*.node' } with electron-packager and Forge."

/** Returns the remedy for a file that Electron looks for beside its archive and does not find. */
export function notUnpacked({ error }: Failure): string | undefined {
  return /\.asar\.unpacked\b.*(No such file|image not found|no such file|could not be found)/.test(error.message)
    ? ARCHIVE
    : undefined
}

function inArchive(path: string): boolean {
  return /\.asar([\\/]|$)/.test(path)
}
