"""Writes files in the Strongroom format from plain SQLite files, by docs/format.md, for the tests of the reader.

The module shares no code with the reader or with Strongroom: XAES-256-GCM and HKDF are composed from AES and HMAC, as
their specifications describe. Random bytes come from a seeded generator, so a failure repeats.
"""

import hashlib
import hmac
import random
import sqlite3
import struct
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

GIB = 1 << 30
RESERVED = 40


def xaes_seal(key, nonce, plaintext, aad):
    """Seals with XAES-256-GCM, in the five steps of its section "Detailed key derivation algorithm"."""
    aes = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    l = int.from_bytes(aes.update(bytes(16)), "big")
    k1 = (l << 1) & ((1 << 128) - 1)
    if l >> 127:
        k1 ^= 0x87
    blocks = [bytes([0, counter, 0x58, 0]) + nonce[:12] for counter in (1, 2)]
    masked = [(int.from_bytes(block, "big") ^ k1).to_bytes(16, "big") for block in blocks]
    return AESGCM(aes.update(b"".join(masked))).encrypt(nonce[12:], plaintext, aad)


def hkdf(key, salt, info):
    """Derives 32 bytes with HKDF-SHA-256 (RFC 5869)."""
    extracted = hmac.digest(salt, key, "sha256")
    return hmac.digest(extracted, info + b"\1", "sha256")


@dataclass
class Slot:
    """A key slot: a raw key of 32 bytes, a passphrase with Argon2id's parameters, or a recovery code of 16 bytes."""

    secret: bytes
    argon2: tuple[int, int, int] | None = None  # memory in KiB, passes, lanes
    kind: int | None = None  # overrides the kind: 3 for a recovery code, or a slot that a reader does not know
    label: bytes = b"a label"
    time: int = 1_790_000_000_000  # in milliseconds since 1970
    label_use: bytes = b"Strongroom 1 label"  # begins the associated data of the label

    def key_and_start(self, identity, salt):
        """Returns the key-encryption key and the first 40 bytes of the slot."""
        memory, passes, lanes = self.argon2 or (0, 0, 0)
        kind, kdf = (1, 1) if self.argon2 is None else (2, 2)
        start = struct.pack(">BBBBIII", 1, self.kind or kind, kdf, 0, memory, passes, lanes) + identity + salt
        if self.argon2 is None:
            use = b"recovery code" if self.kind == 3 else b"raw key"
            return hkdf(self.secret, salt, b"Strongroom 1 " + use), start
        argon2 = Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory)
        return argon2.derive(self.secret), start


@dataclass
class StrongroomFile:
    """The header and the pages of a file."""

    page_size: int
    slots: list[Slot]
    version: int = 1
    cipher: int = 1
    seed: int = 19
    identity: bytes = field(init=False)
    data_key: bytes = field(init=False)

    def __post_init__(self):
        self.random = random.Random(self.seed)
        self.identity, self.data_key = self.random.randbytes(16), self.random.randbytes(32)

    def derived(self, info):
        """Returns the key for one use of the data key."""
        return hkdf(self.data_key, self.identity, info)

    def slot(self, slot):
        """Returns the 256 bytes of a slot."""
        key, start = slot.key_and_start(self.random.randbytes(8), self.random.randbytes(16))
        assert len(start) == 40
        nonces = [self.random.randbytes(24), self.random.randbytes(24)]
        bound = struct.pack(">HH", self.version, self.cipher) + self.identity + start
        wrapped = xaes_seal(key, nonces[0], self.data_key, b"Strongroom 1 data key" + bound)
        label = (struct.pack(">QH", slot.time, len(slot.label)) + slot.label).ljust(104, b"\0")
        bound = slot.label_use + self.identity + start
        sealed = xaes_seal(self.derived(b"Strongroom 1 labels"), nonces[1], label, bound)
        return start + nonces[0] + wrapped + nonces[1] + sealed

    def header_copy(self, generation=1, header_key=None):
        """Returns the 4,096 bytes of a copy of the header."""
        start = b"\x89Strongroom\r\n\x1a\n\0" + struct.pack(">HHI", self.version, self.cipher, self.page_size)
        start = (start + self.identity + struct.pack(">Q", generation)).ljust(64, b"\0")
        slots = b"".join(map(self.slot, self.slots)).ljust(8 * 256, b"\0")
        content = (start + slots).ljust(4032, b"\0")
        content += hmac.digest(header_key or self.derived(b"Strongroom 1 header"), content, "sha256")
        return content + hashlib.sha256(content).digest()

    def page(self, number, plain):
        """Seals a page of a plain file, whose last 40 bytes are reserved."""
        clear = self.identity if number == 1 else b""
        nonce = self.random.randbytes(24)
        content = plain[len(clear) : self.page_size - RESERVED]
        aad = self.identity + struct.pack(">I", number)
        sealed = xaes_seal(self.derived(b"Strongroom 1 pages"), nonce, content, aad)
        return clear + sealed[:-16] + nonce + sealed[-16:]

    def offset(self, number):
        """Returns the place of a page in the file."""
        gap, logical = max(self.page_size, 8192), (number - 1) * self.page_size
        return logical + 8192 if logical < GIB - gap else logical + 8192 + gap

    def write(self, plain: Path, path: Path, *, sparse=False):
        """Seals each page of a plain file. With `sparse`, a page of zeros is a free page that was never written."""
        zeros = bytes(self.page_size) if sparse else None
        with plain.open("rb") as source, path.open("wb") as file:
            file.write(self.header_copy() * 2)
            number = 0
            while page := source.read(self.page_size):
                number += 1
                if page != zeros:
                    file.seek(self.offset(number))
                    file.write(self.page(number, page))
            file.truncate(self.offset(number) + self.page_size if number else 8192)

    def write_wal(self, plain: Path, path: Path):
        """Seals each frame of a plain WAL, and computes the checksums of the sealed frames."""
        content = plain.read_bytes()
        order = "<" if content[3] == 0x82 else ">"
        sums = struct.unpack(">II", content[24:32])
        sealed = [content[:32]]
        for at in range(32, len(content), 24 + self.page_size):
            head, page = content[at : at + 24], content[at + 24 : at + 24 + self.page_size]
            sealed.append(self.frame(head[:16], page, order, sums))
            sums = struct.unpack(">II", sealed[-1][16:24])
        path.write_bytes(b"".join(sealed))

    def frame(self, head, page, order, sums):
        """Returns a frame of the WAL: the first 16 bytes of its header, its checksum and its sealed page."""
        page = self.page(int.from_bytes(head[:4], "big"), page)
        return head + struct.pack(">II", *wal_checksum(order, head[:8] + page, sums)) + page


def code_text(code: bytes, padding: str = "00", prefix: str = "strongroom") -> str:
    """Returns the text of a recovery code. The checksum is the remainder of a polynomial over GF(32), as BIP-173 says.

    The polynomial is g(x) = x^6 + 29x^5 + 22x^4 + 20x^3 + 21x^2 + 29x + 18. The reader computes with packed bits.
    """
    bits = "".join(f"{byte:08b}" for byte in code) + padding
    data = [int(bits[at : at + 5], 2) for at in range(0, 130, 5)]
    expanded = [ord(character) >> 5 for character in prefix] + [0] + [ord(character) & 31 for character in prefix]
    target = [0x2BC830A3 >> 5 * (5 - place) & 31 for place in range(6)]
    rest = [1, *expanded, *data, 0, 0, 0, 0, 0, 0]
    for at in range(len(rest) - 6):
        factor = rest[at]
        for place, coefficient in enumerate([1, 29, 22, 20, 21, 29, 18]):
            rest[at + place] ^= times(factor, coefficient)
    check = [remainder ^ constant for remainder, constant in zip(rest[-6:], target)]
    text = "".join("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"[value] for value in data + check)
    return "-".join(text[at : at + 4] for at in range(0, 32, 4))


def times(first: int, second: int) -> int:
    """Multiplies in GF(32), where x^5 = x^3 + 1."""
    product = 0
    for bit in range(5):
        if second >> bit & 1:
            product ^= first << bit
    for bit in range(9, 4, -1):
        if product >> bit & 1:
            product ^= 0b101001 << bit - 5
    return product


def wal_checksum(order, content, sums):
    """Continues the checksum of the section "Checksum Algorithm" in SQLite's description of its file format."""
    words = struct.unpack(f"{order}{len(content) // 4}I", content)
    first, second = sums
    for index in range(0, len(words), 2):
        first = (first + words[index] + second) % (1 << 32)
        second = (second + words[index + 1] + first) % (1 << 32)
    return first, second


def plain_database(path: Path, page_size: int):
    """Creates a plain database that reserves 40 bytes in each page. Returns its connection.

    Python's sqlite3 has no call for the reserved bytes. In a database with one empty page, two fields depend on them.
    """
    connection = connect(path)
    connection.execute(f"PRAGMA page_size = {page_size}")
    connection.execute("VACUUM")
    connection.close()
    page = bytearray(path.read_bytes())
    assert len(page) == page_size and page[100] == 13 and page[103:105] == b"\0\0", "one page, a leaf without cells"
    page[20] = RESERVED
    page[105:107] = struct.pack(">H", page_size - RESERVED)  # where the cells begin
    path.write_bytes(page)
    return connect(path)


def connect(path: Path):
    """Opens a plain database without Python's implicit transactions."""
    return sqlite3.connect(path, isolation_level=None)


def add_free_pages(path: Path, page_size: int, count: int, next_pages: list[int]):
    """Grows a plain database to `count` pages without writing the new pages. SQLite uses `next_pages` first."""
    lock_byte_page = GIB // page_size + 1
    with path.open("r+b") as file:
        (used,) = struct.unpack(">I", file.read(100)[28:32])
        excluded = {lock_byte_page, *next_pages}
        free = [number for number in range(used + 1, count + 1) if number not in excluded]
        capacity = (page_size - RESERVED) // 4 - 8
        trunks = [(free[0], next_pages)]
        for at in range(1, len(free), capacity + 1):
            trunks.append((free[at], free[at + 1 : at + 1 + capacity]))
        following = [trunk for trunk, _ in trunks[1:]] + [0]
        for (trunk, leaves), after in zip(trunks, following):
            file.seek((trunk - 1) * page_size)
            file.write(struct.pack(f">{len(leaves) + 2}I", after, len(leaves), *leaves))
        file.truncate(count * page_size)
        file.seek(28)
        file.write(struct.pack(">III", count, trunks[0][0], len(free) + len(next_pages)))
