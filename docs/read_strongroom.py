#!/usr/bin/env python3
"""Opens a file in the Strongroom format, and writes its content as a plain SQLite file.

    python3 read_strongroom.py FILE (--key HEX | --passphrase-file F) OUT

The program follows format.md and shares no code with Strongroom. It requires Python 3.11 and the package `cryptography`
(44 or later). It reads FILE and FILE-wal without locks, and changes neither: close FILE in every process first, or read
a copy. OUT is plaintext. The exit code is 1 if FILE does not open.
"""

import argparse
import contextlib
import hashlib
import hmac
import os
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFCMAC, CounterLocation, Mode

MAGIC = b"\x89Strongroom\r\n\x1a\n\0"
COPY, HEADER, GIB, RESERVED = 4096, 8192, 1 << 30, 40


class Refused(Exception):
    """The reason why a file does not open. The message begins with the kind of the reason."""


def xaes_open(key, nonce, sealed, aad):
    """Opens XAES-256-GCM (c2sp.org/XAES-256-GCM). `sealed` ends with the tag."""
    counter_mode = (AES, Mode.CounterMode, 32, 2, None, CounterLocation.BeforeFixed, None, None)
    derived = KBKDFCMAC(*counter_mode, fixed=b"X\0" + nonce[:12]).derive(key)
    return AESGCM(derived).decrypt(nonce[12:], sealed, aad)


def hkdf(key, salt, info):
    return HKDF(SHA256(), 32, salt, info).derive(key)


def read_header(file):
    """Returns the whole copies of the header, the newest first."""
    start = file.read(HEADER)
    copies = [start[:COPY], start[COPY:]]
    whole = [c for c in copies if c[:16] == MAGIC and hashlib.sha256(c[:4064]).digest() == c[4064:]]
    if whole:
        return sorted(whole, key=lambda copy: copy[40:48], reverse=True)
    if any(start[:16]) and not any(copy.startswith(MAGIC) for copy in copies):
        raise Refused(f"another format: {file.name} is not a Strongroom file")
    if os.fstat(file.fileno()).st_size <= HEADER:
        raise Refused(f"unfinished creation: {file.name} holds no page; create the file again")
    raise Refused(f"damaged header: neither copy in {file.name} matches its checksum")


def slot_key(secret, is_key, start):
    """Returns the key-encryption key of a slot from its first 40 bytes, or `None` if the slot takes no such secret."""
    state, kind, kdf, _, memory, passes, lanes, _, salt = struct.unpack(">4B3I8s16s", start)
    if is_key and (state, kind, kdf) == (1, 1, 1):
        return hkdf(secret, salt, b"Strongroom 1 raw key")
    # Nothing is authenticated yet, so a reader limits the memory (here to 1 GiB) and the time that a header may demand.
    in_limits = 1 <= passes <= 16 and 1 <= lanes <= 16 and 8 * lanes <= memory <= 1 << 20
    if not is_key and (state, kind, kdf) == (1, 2, 2) and in_limits:
        return Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory).derive(secret)
    return None


def unlock(copies, secret, is_key, name):
    """Returns the page size, the file's identity and the page key."""
    version, cipher = struct.unpack_from(">HH", copies[0], 16)
    if version != 1:
        raise Refused(f"newer version: {name} has the format version {version}; this program reads version 1")
    if cipher != 1:
        raise Refused(f"unknown cipher: {name} uses the cipher {cipher}; this program knows cipher 1")
    unwrapped = False
    for copy in copies:
        page_size, identity = struct.unpack_from(">I16s", copy, 20)
        for slot in (copy[at : at + 256] for at in range(64, 2112, 256)):
            if (key := slot_key(secret, is_key, slot[:40])) is None:
                continue
            aad = b"Strongroom 1 data key" + copy[16:20] + identity + slot[:40]
            with contextlib.suppress(InvalidTag):
                data_key = xaes_open(key, slot[40:64], slot[64:112], aad)
                unwrapped = True
                header_key = hkdf(data_key, identity, b"Strongroom 1 header")
                if hmac.compare_digest(hmac.digest(header_key, copy[:4032], "sha256"), copy[4032:4064]):
                    return page_size, identity, hkdf(data_key, identity, b"Strongroom 1 pages")
        if not unwrapped:
            secret_name = "key" if is_key else "passphrase"
            raise Refused(f"wrong key: no key slot of {name} that this program supports opens with this {secret_name}")
    raise Refused(f"damaged header: the header of {name} was changed without its key")


def checksum(order, data, first, second):
    """Continues the checksum of SQLite's WAL over `data`."""
    for left, right in struct.iter_unpack(order + "II", data):
        first = (first + left + second) & 0xFFFFFFFF
        second = (second + right + first) & 0xFFFFFFFF
    return first, second


def committed_frames(wal, page_size):
    """Returns the offset in the WAL of each page's newest committed version."""
    committed, pending, header = {}, {}, wal.read(32)
    order = {b"\x37\x7f\x06\x82": "<", b"\x37\x7f\x06\x83": ">"}.get(header[:4])
    if len(header) < 32 or order is None:
        return committed
    sums = checksum(order, header[:24], 0, 0)
    if sums != struct.unpack(">2I", header[24:]):
        return committed
    if struct.unpack(">2I", header[4:12]) != (3007000, page_size):
        raise Refused(f"damaged WAL: {wal.name} has another version or page size")
    while len(frame := wal.read(24 + page_size)) == 24 + page_size:
        number, pages_after_commit, salts, *stored = struct.unpack(">2I8s2I", frame[:24])
        sums = checksum(order, frame[:8] + frame[24:], *sums)
        if number == 0 or salts != header[16:24] or sums != tuple(stored):
            break
        pending[number] = wal.tell() - page_size
        if pages_after_commit:
            committed |= pending
            pending.clear()
    return committed


def offset(number, page_size):
    """Returns the place of a page in the file. No page touches the bytes at 1 GiB that SQLite locks."""
    gap, logical = max(page_size, HEADER), (number - 1) * page_size
    return logical + HEADER + (gap if logical >= GIB - gap else 0)


def convert(file, wal, out, secret, is_key):
    """Opens every page, and writes the pages to `out`."""
    page_size, identity, page_key = unlock(read_header(file), secret, is_key, file.name)
    if os.fstat(file.fileno()).st_size <= HEADER:
        return  # a database without pages: in SQLite's format, an empty file
    frames = committed_frames(wal, page_size) if wal else {}
    unwritten = set()

    def page(number):
        source, at = (wal, frames[number]) if number in frames else (file, offset(number, page_size))
        damaged = f"damaged page {number} of {source.name}"
        source.seek(at)
        sealed = source.read(page_size)
        if len(sealed) < page_size:
            raise Refused(f"{damaged}: the file ends before the page does")
        if number > 1 and not sealed.strip(b"\0"):
            return unwritten.add(number)
        if number == 1 and sealed[:16] != identity:
            raise Refused(f"{damaged}: the page belongs to another file")
        content = sealed[16 if number == 1 else 0 : -RESERVED] + sealed[-16:]
        try:
            plain = xaes_open(page_key, sealed[-RESERVED:-16], content, identity + struct.pack(">I", number))
        except InvalidTag:
            raise Refused(f"{damaged}: the page fails its authentication") from None
        return (b"SQLite format 3\0" if number == 1 else b"") + plain + bytes(RESERVED)

    count, trunk = struct.unpack_from(">2I", page(1), 28)
    for number in range(1, count + 1):
        # SQLite's lock-byte page holds nothing.
        if number != GIB // page_size + 1 and (plain := page(number)):
            out.seek((number - 1) * page_size)
            out.write(plain)
    out.truncate(count * page_size)
    # SQLite need not write a free page: a leaf of the free list may consist of zeros, but no other page.
    for _ in range(count):
        if trunk and unwritten:
            out.seek((trunk - 1) * page_size)
            trunk, leaves, *numbers = struct.unpack(f">{page_size // 4}I", out.read(page_size))
            unwritten.difference_update(numbers[:leaves])
    if unwritten:
        raise Refused(f"damaged page {min(unwritten)} of {file.name}: the page is in use and consists of zeros")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("file", metavar="FILE")
    secret = parser.add_mutually_exclusive_group(required=True)
    secret.add_argument("--key", type=bytes.fromhex, metavar="HEX", help="the raw key, as 64 hexadecimal digits")
    secret.add_argument("--passphrase-file", metavar="F", help="a file with the passphrase, without a line end")
    parser.add_argument("out", metavar="OUT", help="the SQLite file to create")
    args = parser.parse_args()
    if args.key is not None and len(args.key) != 32:
        parser.error(f"the key has {len(args.key)} bytes instead of 32")
    for name in (args.out, args.out + "-wal", args.out + "-journal"):
        if os.path.exists(name):
            parser.error(f"{name} exists: remove it, or name another OUT")
    created = False
    try:
        with contextlib.ExitStack() as stack:
            file, wal, journal = (
                stack.enter_context(open(args.file + end, "rb")) if not end or os.path.exists(args.file + end) else None
                for end in ("", "-wal", "-journal")
            )
            if journal and journal.read(1).strip(b"\0"):
                raise Refused(f"interrupted transaction: open {args.file} once in Strongroom, which rolls it back")
            key = args.key or stack.enter_context(open(args.passphrase_file, "rb")).read()
            out, created = stack.enter_context(open(args.out, "x+b")), True
            convert(file, wal, out, key, args.key is not None)
    except BaseException as error:
        if created:
            os.remove(args.out)
        if isinstance(error, (Refused, OSError)):
            sys.exit(str(error))
        raise


if __name__ == "__main__":
    main()
