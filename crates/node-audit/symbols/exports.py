"""Reads the names that a library or a program exports, from ELF, Mach-O, PE and the text stubs of Apple's linker."""

import re
import struct


def exports(content):
    """Returns the exported names. A name with a version also yields `name@version`, and each version yields `@version`."""
    if content.startswith(b"\x7fELF"):
        return elf(content)
    if content.startswith(b"MZ"):
        return pe(content)
    if content.startswith(b"\xcf\xfa\xed\xfe"):
        return macho(content)
    if content.startswith(b"--- !tapi-tbd"):
        return tbd(content.decode())
    raise ValueError(f"unknown format: {content[:8]!r}")


def text(data, at):
    return data[at : data.index(b"\0", at)].decode("utf-8", "replace")


def elf(content):
    """Reads the dynamic symbols of a 64-bit little-endian file by its section headers."""
    start, size, count = struct.unpack_from("<Q10xHH", content, 0x28)
    headers = [struct.unpack_from("<IIQQQQIIQQ", content, start + index * size) for index in range(count)]

    def section(kind):
        for header in headers:
            if header[1] == kind:
                return content[header[4] : header[4] + header[5]], header
        return b"", None

    symbols, header = section(11)  # SHT_DYNSYM
    strings = headers[header[6]]
    strings = content[strings[4] : strings[4] + strings[5]]
    indices, _ = section(0x6FFFFFFF)  # SHT_GNU_versym
    versions = version_definitions(section(0x6FFFFFFD)[0], strings)  # SHT_GNU_verdef
    names = set()
    for index in range(1, len(symbols) // 24):
        name, info, other, place = struct.unpack_from("<IBBH", symbols, index * 24)
        # The symbol is defined and not local, is neither a section nor a file, and has default or protected visibility.
        if place == 0 or info >> 4 == 0 or info & 15 in (3, 4) or other & 3 in (1, 2):
            continue
        name = text(strings, name)
        names.add(name)
        if indices:
            version = versions.get(struct.unpack_from("<H", indices, index * 2)[0] & 0x7FFF)
            if version:
                names.add(f"{name}@{version}")
    return names | {f"@{version}" for version in versions.values()}


def version_definitions(data, strings):
    """Returns the defined versions by index, without the base version, which is the library's name."""
    versions = {}
    at = 0
    while data:
        _, flags, index, _, _, auxiliary, following = struct.unpack_from("<HHHHIII", data, at)
        if not flags & 1:
            versions[index] = text(strings, struct.unpack_from("<I", data, at + auxiliary)[0])
        if following == 0:
            break
        at += following
    return versions


def musl_extra(content):
    """Returns the names that musl's loader answers although its symbol table lacks them (get_lfs64 in ldso/dynlink.c).

    The loader reads at most 16 bytes of a name, and so does not find posix_fallocate64 of its own list: seen with musl 1.2.5.
    """
    start = content.index(b"aio_cancel\0aio_error\0aio_fsync\0")
    end = content.index(b"\0\0", start)
    names = {name.decode() + "64" for name in content[start:end].split(b"\0")}
    return {name for name in names if len(name) <= 16} | {"readdir64_r"}


def macho(content):
    """Reads the export trie of a thin 64-bit file, as the loader does; removes the leading underscore of names."""
    count, at = struct.unpack_from("<I", content, 16)[0], 32
    for _ in range(count):
        command, size = struct.unpack_from("<II", content, at)
        if command in (0x22, 0x80000022):  # LC_DYLD_INFO, LC_DYLD_INFO_ONLY
            start, length = struct.unpack_from("<II", content, at + 40)
        elif command == 0x80000033:  # LC_DYLD_EXPORTS_TRIE
            start, length = struct.unpack_from("<II", content, at + 8)
        else:
            at += size
            continue
        return {name.decode().removeprefix("_") for name in trie(content[start : start + length])}
    raise ValueError("no export trie")


def trie(data):
    """Yields the names of an export trie."""
    nodes = [(0, b"")]
    while nodes:
        at, name = nodes.pop()
        length, at = uleb128(data, at)
        if length > 0:
            yield name
        at += length
        children = data[at]
        at += 1
        for _ in range(children):
            end = data.index(b"\0", at)
            child, following = uleb128(data, end + 1)
            nodes.append((child, name + data[at:end]))
            at = following


def uleb128(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def pe(content):
    """Reads the export table."""
    start = struct.unpack_from("<I", content, 0x3C)[0]
    sections, optional = struct.unpack_from("<H", content, start + 6)[0], struct.unpack_from("<H", content, start + 20)[0]
    directory = start + 24 + (112 if struct.unpack_from("<H", content, start + 24)[0] == 0x20B else 96)

    def offset(address):
        for index in range(sections):
            size, virtual, raw, pointer = struct.unpack_from("<IIII", content, start + 24 + optional + index * 40 + 8)
            if virtual <= address < virtual + max(size, raw):
                return pointer + address - virtual
        raise ValueError(f"{address:#x} is outside all sections")

    table = offset(struct.unpack_from("<I", content, directory)[0])
    count, names = struct.unpack_from("<I", content, table + 24)[0], struct.unpack_from("<I", content, table + 32)[0]
    names = offset(names)
    return {text(content, offset(struct.unpack_from("<I", content, names + index * 4)[0])) for index in range(count)}


def tbd(content):
    """Reads all documents of a stub of version 4, for every processor."""
    names = set()
    for key, items in re.findall(r"(symbols|weak-symbols|thread-local-symbols):\s*\[([^\]]*)\]", content):
        for item in items.split(","):
            names.add(item.strip().strip("'\"").removeprefix("_"))
    return names - {""}
