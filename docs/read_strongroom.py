#!/usr/bin/env python3
"""Opens a file in the Strongroom format, and writes its content as a plain SQLite file, or lists its key slots.

    python3 read_strongroom.py FILE SECRET [--slot ID] OUT
    python3 read_strongroom.py FILE SECRET [--slot ID] --slots

SECRET is --key HEX, --passphrase-file F or --recovery-code-file F. With --slot, only this key slot is tried.

The program follows format.md and shares no code with Strongroom. It requires Python 3.11 and the package `cryptography`
(44 or later). It reads FILE and FILE-wal without locks, and changes neither: close FILE in every process first, or read
a copy. OUT is plaintext. The exit code is 1 if FILE does not open.
"""

import argparse
import contextlib
import datetime
import hashlib
import hmac
import os
import string
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
KEY, PASSPHRASE, CODE = 1, 2, 3  # the kinds of slots
NAMES = {KEY: "key", PASSPHRASE: "passphrase", CODE: "recovery code"}
ALPHABET = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"  # of Bech32
DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufeff"
LAST_TIME = 253402300799999  # the year 9999


class Refused(Exception):
    """The reason why a file does not open. The message begins with the kind of the reason."""


def xaes_open(key, nonce, sealed, aad):
    """Opens XAES-256-GCM (c2sp.org/XAES-256-GCM). `sealed` ends with the tag."""
    counter_mode = (AES, Mode.CounterMode, 32, 2, None, CounterLocation.BeforeFixed, None, None)
    derived = KBKDFCMAC(*counter_mode, fixed=b"X\0" + nonce[:12]).derive(key)
    return AESGCM(derived).decrypt(nonce[12:], sealed, aad)


def hkdf(key, salt, info):
    return HKDF(SHA256(), 32, salt, info).derive(key)


def recovery_code(text):
    """Returns the 16 bytes of a recovery code."""
    code = "".join(text.split()).translate(str.maketrans(string.ascii_lowercase, string.ascii_uppercase, DASHES))
    code = code.translate(str.maketrans("1IO", "LL0"))
    if unknown := code.strip(ALPHABET):
        raise Refused(f"typing error: no recovery code contains {unknown[0]!r}")
    if len(code) != 32:
        raise Refused(f"typing error: the recovery code has {len(code)} characters instead of 32")
    values = [ALPHABET.index(character) for character in code]
    prefix, checksum = b"strongroom", 1
    for value in [*(byte >> 5 for byte in prefix), 0, *(byte & 31 for byte in prefix), *values]:
        top, checksum = checksum >> 25, (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            checksum ^= generator if top >> bit & 1 else 0
    number = sum(value << 5 * place for place, value in enumerate(reversed(values[:26])))
    if checksum != 0x2BC830A3 or number & 3:
        raise Refused("typing error: the check characters of the recovery code do not match")
    return (number >> 2).to_bytes(16, "big")


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


def slots_of(copy):
    return [copy[at : at + 256] for at in range(64, 2112, 256) if copy[at]]


def slot_key(secret, secret_kind, start):
    """Returns the key-encryption key of a slot from its first 40 bytes, or `None` if the slot takes no such secret."""
    state, kind, kdf, _, memory, passes, lanes, _, salt = struct.unpack(">4B3I8s16s", start)
    if kind == secret_kind and (state, kdf) == (1, 1) and kind in (KEY, CODE):
        return hkdf(secret, salt, b"Strongroom 1 raw key" if kind == KEY else b"Strongroom 1 recovery code")
    # Nothing is authenticated yet, so a reader limits the memory (here to 1 GiB) and the time that a header may demand.
    in_limits = 1 <= passes <= 16 and 1 <= lanes <= 16 and 8 * lanes <= memory <= 1 << 20
    if secret_kind == PASSPHRASE and (state, kind, kdf) == (1, 2, 2) and in_limits:
        return Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory).derive(secret)
    return None


def unlock(copies, secret, kind, name, only=None):
    """Returns the authentic copy of the header, the data key, and the slot that opened. `only` is the slot to try."""
    version, cipher = struct.unpack_from(">HH", copies[0], 16)
    if version != 1:
        raise Refused(f"newer version: {name} has the format version {version}; this program reads version 1")
    if cipher != 1:
        raise Refused(f"unknown cipher: {name} uses the cipher {cipher}; this program knows cipher 1")
    unwrapped = False
    for copy in copies:
        for slot in slots_of(copy):
            if only not in (None, slot[16:24]) or (key := slot_key(secret, kind, slot[:40])) is None:
                continue
            aad = b"Strongroom 1 data key" + copy[16:20] + copy[24:40] + slot[:40]
            with contextlib.suppress(InvalidTag):
                data_key = xaes_open(key, slot[40:64], slot[64:112], aad)
                unwrapped = True
                header_key = hkdf(data_key, copy[24:40], b"Strongroom 1 header")
                if hmac.compare_digest(hmac.digest(header_key, copy[:4032], "sha256"), copy[4032:4064]):
                    return copy, data_key, slot
        if not unwrapped and only and only not in (slot[16:24] for slot in slots_of(copy)):
            raise Refused(f"unknown slot: {name} has no key slot {only.hex()}")
        if not unwrapped:
            raise Refused(f"wrong key: no key slot of {name} that this program supports opens with this {NAMES[kind]}")
    raise Refused(f"damaged header: the header of {name} was changed without its key")


def list_slots(copy, data_key, current):
    """Prints a line for each slot: its identity, its kind, the time of its key, its label, and `*` if it opened."""
    identity = copy[24:40]
    label_key = hkdf(data_key, identity, b"Strongroom 1 labels")
    for slot in slots_of(copy):
        try:
            label = xaes_open(label_key, slot[112:136], slot[136:256], b"Strongroom 1 label" + identity + slot[:40])
        except InvalidTag:
            label = bytes(104)
        time, length = struct.unpack_from(">QH", label)
        created = datetime.datetime.fromtimestamp(min(time, LAST_TIME) / 1000, datetime.UTC)
        mark = "*" if slot == current else ""
        text = repr(label[10 : 10 + length].decode(errors="backslashreplace")) if length else "-"
        fields = [slot[16:24].hex(), NAMES.get(slot[1], "unknown"), created.isoformat(timespec="milliseconds"), text]
        print(*fields, *mark, sep="\t")


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


def convert(file, wal, out, header, data_key):
    """Opens every page, and writes the pages to `out`."""
    page_size, identity = struct.unpack_from(">I16s", header, 20)
    page_key = hkdf(data_key, identity, b"Strongroom 1 pages")
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


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("file", metavar="FILE")
    secret = parser.add_mutually_exclusive_group(required=True)
    secret.add_argument("--key", type=bytes.fromhex, metavar="HEX", help="the raw key, as 64 hexadecimal digits")
    secret.add_argument("--passphrase-file", metavar="F", help="a file with the passphrase, without a line end")
    secret.add_argument("--recovery-code-file", metavar="F", help="a file with the recovery code")
    parser.add_argument("--slot", type=bytes.fromhex, metavar="ID", help="try only the key slot with these 16 digits")
    parser.add_argument("--slots", action="store_true", help="list the key slots instead of writing OUT")
    parser.add_argument("out", metavar="OUT", nargs="?", help="the SQLite file to create")
    args = parser.parse_intermixed_args()
    if args.key is not None and len(args.key) != 32:
        parser.error(f"the key has {len(args.key)} bytes instead of 32")
    if args.slot is not None and len(args.slot) != 8:
        parser.error(f"the slot has {len(args.slot)} bytes instead of 8")
    if args.slots == (args.out is not None):
        parser.error("pass either OUT or --slots")
    for name in () if args.slots else (args.out, args.out + "-wal", args.out + "-journal"):
        if os.path.exists(name):
            parser.error(f"{name} exists: remove it, or name another OUT")
    return args


def secret_of(args):
    """Returns the secret and its kind."""
    if args.key is not None:
        return args.key, KEY
    with open(args.passphrase_file or args.recovery_code_file, "rb") as file:
        content = file.read()
    return (content, PASSPHRASE) if args.passphrase_file else (recovery_code(content.decode(errors="replace")), CODE)


def main():
    args, created = arguments(), False
    try:
        with contextlib.ExitStack() as stack:
            file, wal, journal = (
                stack.enter_context(open(args.file + end, "rb")) if not end or os.path.exists(args.file + end) else None
                for end in ("", "-wal", "-journal")
            )
            if not args.slots and journal and journal.read(1).strip(b"\0"):
                raise Refused(f"interrupted transaction: open {args.file} once in Strongroom, which rolls it back")
            header, data_key, slot = unlock(read_header(file), *secret_of(args), file.name, args.slot)
            if args.slots:
                return list_slots(header, data_key, slot)
            out, created = stack.enter_context(open(args.out, "x+b")), True
            convert(file, wal, out, header, data_key)
    except BaseException as error:
        if created:
            os.remove(args.out)
        if isinstance(error, (Refused, OSError)):
            sys.exit(str(error))
        raise


if __name__ == "__main__":
    main()
