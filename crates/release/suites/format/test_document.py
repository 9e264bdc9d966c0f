"""docs/format.md agrees with the reader and the writer, and both with published test vectors."""

import hashlib
import re

import pytest
from cryptography.exceptions import InvalidTag
from reading import DOCS, reader_module
from writer import Slot, StrongroomFile, code_text, hkdf, xaes_seal

NONCE = b"ABCDEFGHIJKLMNOPQRSTUVWX"
PASSPHRASE = b"correct horse battery staple"
# The two vectors of c2sp.org/XAES-256-GCM: key byte, associated data, ciphertext and tag.
VECTORS = [
    (1, b"", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
    (3, b"c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
]


@pytest.mark.parametrize(("byte", "aad", "sealed"), VECTORS)
def test_xaes_256_gcm_follows_its_test_vectors(byte, aad, sealed):
    key, sealed = bytes([byte]) * 32, bytes.fromhex(sealed)
    assert xaes_seal(key, NONCE, b"XAES-256-GCM", aad) == sealed
    assert reader_module().xaes_open(key, NONCE, sealed, aad) == b"XAES-256-GCM"
    with pytest.raises(InvalidTag):
        reader_module().xaes_open(key, NONCE, sealed, aad + b"x")


def test_xaes_256_gcm_follows_its_accumulated_test():
    """The test of 10,000 random inputs, which SHAKE-128 generates, in c2sp.org/XAES-256-GCM."""
    stream, at, accumulated = hashlib.shake_128(b"").digest(8_000_000), 0, hashlib.shake_128()
    open_sealed = reader_module().xaes_open

    def take(length):
        nonlocal at
        at += length
        assert at <= len(stream)
        return stream[at - length : at]

    for _ in range(10_000):
        key, nonce, plaintext, aad = take(32), take(24), take(take(1)[0]), take(take(1)[0])
        sealed = xaes_seal(key, nonce, plaintext, aad)
        assert open_sealed(key, nonce, sealed, aad) == plaintext
        accumulated.update(sealed)
    assert accumulated.hexdigest(32) == "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939"


def test_hkdf_is_that_of_the_library():
    assert hkdf(b"k" * 32, b"s" * 16, b"info") == reader_module().hkdf(b"k" * 32, b"s" * 16, b"info")


def rows_of(heading: str) -> list[list[str]]:
    """Returns the rows of the first table below a heading of docs/format.md, without its header."""
    section = re.split(rf"^#+ {heading}$", (DOCS / "format.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1]
    table = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE).group()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


@pytest.mark.parametrize(("heading", "size"), [("Header", 4096), ("Slots", 256)])
def test_a_layout_has_no_hole(heading, size):
    end = 0
    for offset, length, *_ in rows_of(heading):
        assert number_of(offset) == end
        end += number_of(length)
    assert end == size


def test_the_worked_numbers_of_the_page_mapping():
    checked = set()
    for page_size, number, logical, place in [map(number_of, row[:4]) for row in rows_of("Where a page is")]:
        assert (number - 1) * page_size == logical
        assert reader_module().offset(number, page_size) == place
        assert StrongroomFile(page_size, []).offset(number) == place
        checked.add(page_size)
    assert checked == {1024, 4096, 65536}


class Fixed:
    """Returns the section's bytes instead of random ones, which differ in length."""

    @staticmethod
    def randbytes(length):
        return {8: span(0x60, 0x67), 16: span(0x30, 0x3F), 24: span(0x70, 0x87)}[length]


def span(first: int, last: int) -> bytes:
    return bytes(range(first, last + 1))


def test_the_test_values():
    values = {name: value.strip("`") for name, value in rows_of("Test values")}
    code = values.pop("text of the recovery code")
    values = {name: bytes.fromhex(value) for name, value in values.items()}
    file, reader, nonce = StrongroomFile(1024, []), reader_module(), span(0x70, 0x87)
    file.data_key, file.identity, file.random = span(0, 0x1F), span(0x20, 0x2F), Fixed
    assert code_text(span(0x88, 0x97)) == code and reader.recovery_code(code) == span(0x88, 0x97)
    label = {"label": b"on paper", "time": 1_700_000_000_123}
    secrets = {
        "raw key": (reader.KEY, Slot(span(0x40, 0x5F))),
        "passphrase": (reader.PASSPHRASE, Slot(PASSPHRASE, (65_536, 3, 4))),
        "recovery code": (reader.CODE, Slot(span(0x88, 0x97), kind=3, **label)),
    }
    for name, (kind, slot) in secrets.items():
        sealed = file.slot(slot)
        key = reader.slot_key(slot.secret, kind, sealed[:40])
        assert values.pop(f"key-encryption key of the {name}") == key
        assert values.pop(f"ciphertext and tag of the data key, in a slot for the {name}") == sealed[64:112]
        aad = b"Strongroom 1 data key\0\1\0\1" + file.identity + sealed[:40]
        assert reader.xaes_open(key, nonce, sealed[64:112], aad) == file.data_key
    assert values.pop("ciphertext and tag of the label, in the slot for the recovery code") == sealed[136:256]
    label_key = reader.hkdf(file.data_key, file.identity, b"Strongroom 1 labels")
    opened = reader.xaes_open(label_key, nonce, sealed[136:256], b"Strongroom 1 label" + file.identity + sealed[:40])
    assert opened == (1_700_000_000_123).to_bytes(8, "big") + b"\0\x08on paper" + bytes(86)
    for name, info in [("page", "pages"), ("header", "header"), ("label", "labels")]:
        derived = reader.hkdf(file.data_key, file.identity, b"Strongroom 1 " + info.encode())
        assert values.pop(f"{name} key") == derived == file.derived(b"Strongroom 1 " + info.encode())
    page = file.page(2, bytes(i % 256 for i in range(984)) + bytes(40))
    assert len(page) == 1024 and page[984:1008] == nonce
    assert values.pop("first 16 bytes of the sealed page") == page[:16]
    assert values.pop("tag of the page") == page[-16:]
    assert values.pop("SHA-256 of the sealed page") == hashlib.sha256(page).digest()
    assert values == {}


def test_the_alphabet_of_recovery_codes():
    values, characters = zip(*rows_of("Recovery codes"))
    assert values == ("0 to 15", "16 to 31")
    assert "".join(characters).replace("`", "").replace(" ", "") == reader_module().ALPHABET


def number_of(cell: str) -> int:
    return int(cell.replace(",", ""))
