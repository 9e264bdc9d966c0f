import type { Failure } from './attempt'
import { home, installedInstead, lockFile, packageJson } from './installation'
import type { Platform } from './platforms'

/** What to do about an addon that is not where it should be. */
export function missing(platform: Platform): string {
  const name = `@strongroom/${platform.name}`
  if (!home)
    return (
      'A bundler has put strongroom into its bundle, and left the addon out. Leave strongroom out of the bundle and ' +
      'install it where the bundle runs (esbuild: --external:strongroom; webpack and rspack: externals: { strongroom: ' +
      `'commonjs strongroom' }), or copy the addon beside the bundle (esbuild: --loader:.node=copy, with ${name} ` +
      'installed where it bundles).'
    )
  if (inArchive(home)) return ARCHIVE
  const others = installedInstead(platform.name)
  if (others.length > 0)
    return (
      `Installed here is the addon for ${others.join(', ')}: node_modules was installed on another system, or copied ` +
      `from one (from a Docker stage with another libc?). Install again on this one; or install for both there: ${both(platform)}`
    )
  const lock = lockFile(platform.name)
  if (lock && !lock.complete)
    return (
      `${lock.file} does not list ${name}: it was made on another system, or without optional dependencies. ` +
      `Renew it: npm uninstall strongroom, then npm install strongroom@${packageJson.version}; or remove it and ` +
      'node_modules, and install again.'
    )
  return (
    'Optional dependencies were left out of the installation (--omit=optional, --no-optional, or the same in .npmrc), ' +
    'and the addon is one. Install again with them: npm install --include=optional'
  )
}

function both({ name, os, cpu, libc }: Platform): string {
  const libcFlag = libc ? ` --libc=${libc}` : ''
  return `npm install --os=${os} --cpu=${cpu}${libcFlag} @strongroom/${name}@${packageJson.version}`
}

/** What to do about a path that only Electron sees as a file. */
export function archived({ from }: Failure): string | undefined {
  return inArchive(from) ? ARCHIVE : undefined
}

const ARCHIVE =
  "The system cannot load a library from inside an .asar archive. Leave it unpacked: asarUnpack: ['**/*.node'] with " +
  "electron-builder, asar: { unpack: '**/*.node' } with electron-packager and Forge."

function inArchive(path: string): boolean {
  return /\.asar([\\/]|$)/.test(path)
}
