"""The reader opens files of the independent writer."""

import struct
from contextlib import closing
from pathlib import Path

import pytest
from reading import opened, read, reader_module, refusal, rows
from samples import CHEAP, CODE, CODE_BYTES, KEY, PASSPHRASE, SECRETS, fill, sealed, with_wal
from writer import GIB, Slot, StrongroomFile, add_free_pages, connect, plain_database

@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("page_size", [1024, 4096, 65536])
def test_a_file_opens(tmp_path, page_size, kind):
    slot, secret = SECRETS[kind]
    plain, file, _ = sealed(tmp_path, page_size, [slot])
    out = opened(file, secret, kind=kind)
    assert rows(out) == rows(plain)
    # Only the reserved bytes differ: SQLite leaves random bytes there, and the reader writes zeros.
    pages = [path.read_bytes() for path in (out, plain)]
    assert len(pages[0]) == len(pages[1])
    for at in range(0, len(pages[0]), page_size):
        contents = [content[at : at + page_size - 40] for content in pages]
        assert contents[0] == contents[1], at // page_size + 1
        assert pages[0][at + page_size - 40 : at + page_size] == bytes(40)


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("page_size", [1024, 4096, 65536])
def test_the_committed_transactions_of_the_wal_are_read(tmp_path, page_size, kind):
    slot, secret = SECRETS[kind]
    left = with_wal(tmp_path, page_size, slot)
    before = [path.read_bytes() for path in (left.file, left.wal)]
    assert rows(opened(left.file, secret, kind=kind)) == rows(left.twin)
    assert [path.read_bytes() for path in (left.file, left.wal)] == before


def test_a_wal_with_big_endian_checksums_is_read(tmp_path):
    left = with_wal(tmp_path, 4096, Slot(KEY))
    content, size = bytearray(left.wal.read_bytes()), 24 + 4096
    content[3] = 0x83
    checksum, sums = reader_module().checksum, (0, 0)
    for at, length in [(0, 24), *((at, 8) for at in range(32, len(content), size))]:
        body = bytes(content[at : at + length]) + (bytes(content[at + 24 : at + size]) if at else b"")
        sums = checksum(">", body, *sums)
        end = at + 16 if at else 24
        content[end : end + 8] = struct.pack(">2I", *sums)
    left.wal.write_bytes(content)
    assert rows(opened(left.file, KEY)) == rows(left.twin)


def test_frames_of_an_earlier_wal_are_ignored(tmp_path):
    """SQLite overwrites a WAL from its start after a checkpoint, and tells older frames by their salts."""
    left = with_wal(tmp_path, 4096, Slot(KEY))
    content = bytearray(left.wal.read_bytes())
    left.wal.unlink()
    without = rows(opened(left.file, KEY))
    content[16:24] = bytes(8)
    content[24:32] = struct.pack(">2I", *reader_module().checksum("<", bytes(content[:24]), 0, 0))
    left.wal.write_bytes(content)
    assert rows(opened(left.file, KEY)) == without
    assert without != rows(left.twin)


def test_any_slot_opens_the_file_and_unknown_slots_are_passed_over(tmp_path):
    other = bytes(reversed(KEY))
    slots = [Slot(b"r" * 32, kind=4), Slot(PASSPHRASE, CHEAP), Slot(KEY), Slot(b"second", (128, 2, 2)), Slot(other)]
    slots += [Slot(CODE_BYTES, kind=3)]
    plain, file, _ = sealed(tmp_path, 4096, slots)
    secrets = [(KEY, "key"), (other, "key"), (PASSPHRASE, "passphrase"), (b"second", "passphrase")]
    for secret, kind in [*secrets, (CODE, "recovery code")]:
        assert rows(opened(file, secret, kind=kind)) == rows(plain)
    assert refusal(file, b"r" * 32).startswith("wrong key: ")
    # A key is not tried as a passphrase, nor a passphrase as a key.
    assert refusal(file, KEY, kind="passphrase").startswith("wrong key: ")
    assert refusal(file, CODE_BYTES, kind="passphrase").startswith("wrong key: ")


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_auto_vacuum_and_free_pages(tmp_path, mode):
    plain, file = tmp_path / "plain.db", tmp_path / "sealed.db"
    with closing(plain_database(plain, 1024)) as database:
        database.execute(f"PRAGMA auto_vacuum = {mode}")
        database.execute("VACUUM")
        fill(database, 0, 300)
        database.execute("DELETE FROM item WHERE id > 40")
        free = database.execute("PRAGMA freelist_count").fetchone()[0]
        assert (free == 0) == (mode == "full")
    StrongroomFile(1024, [Slot(KEY)]).write(plain, file)
    assert rows(opened(file, KEY)) == rows(plain)


@pytest.mark.parametrize("page_size", [4096, 65536])
def test_a_file_beyond_1_gib_opens(tmp_path, page_size):
    """Almost all pages are free and were never written, so the files are sparse. The rows lie around 1 GiB."""
    plain, file = tmp_path / "plain.db", tmp_path / "sealed.db"
    with closing(plain_database(plain, page_size)) as database:
        fill(database, 0, 20)
    lock_byte_page = GIB // page_size + 1
    around = [n for n in range(lock_byte_page - 6, lock_byte_page + 12) if n != lock_byte_page]
    add_free_pages(plain, page_size, lock_byte_page + 30, around)
    with closing(connect(plain)) as database:
        database.execute("CREATE TABLE far (id INTEGER PRIMARY KEY, value)")
        for number in range(3):
            database.execute("INSERT INTO far VALUES (?, ?)", [number, bytes([number + 1]) * page_size * 4])
    with plain.open("rb") as content:
        for number in (around[0], around[8]):
            content.seek((number - 1) * page_size)
            assert any(content.read(page_size)), f"SQLite did not use page {number}"
    strongroom = StrongroomFile(page_size, [Slot(KEY)])
    strongroom.write(plain, file, sparse=True)
    with file.open("rb") as content:
        content.seek(GIB)
        assert content.read(512) == bytes(512), "SQLite locks these bytes"
    assert rows(opened(file, KEY)) == rows(plain)


def test_an_empty_database_is_an_empty_file(tmp_path):
    file = tmp_path / "empty.db"
    file.write_bytes(StrongroomFile(4096, [Slot(KEY)]).header_copy() * 2)
    assert opened(file, KEY).read_bytes() == b""


def test_a_journal_that_is_not_hot_is_ignored(tmp_path):
    plain, file, _ = sealed(tmp_path, 4096, [Slot(KEY)])
    journal = Path(f"{file}-journal")
    for content in [b"", bytes(28) + b"left by PRAGMA journal_mode = persist"]:
        journal.write_bytes(content)
        assert rows(opened(file, KEY)) == rows(plain)


def test_an_existing_output_is_kept(tmp_path):
    _, file, _ = sealed(tmp_path, 4096, [Slot(KEY)])
    for name in ["out.db", "out.db-wal", "out.db-journal"]:
        (tmp_path / name).write_bytes(b"kept")
        result = read(file, KEY, out=tmp_path / "out.db")
        assert result.code == 2 and f"{name} exists" in result.message
        assert (tmp_path / name).read_bytes() == b"kept"
        (tmp_path / name).unlink()
