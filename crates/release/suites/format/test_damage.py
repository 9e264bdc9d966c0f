"""The reader refuses damaged files, and names the kind and the place of the damage."""

import struct
from contextlib import closing
from pathlib import Path

import pytest
from reading import opened, refusal, rows
from samples import CHEAP, KEY, PASSPHRASE, sealed, with_checksum, with_wal
from writer import Slot, StrongroomFile, plain_database, wal_checksum

SIZE = 4096


def flipped(content: bytes, at: int) -> bytes:
    """Returns the content with one bit flipped."""
    return content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :]


def wrong_key(file: Path, secret: str) -> str:
    """Returns the message for a wrong key or passphrase."""
    return f"wrong key: no key slot of {file} that this program supports opens with this {secret}"


@pytest.fixture
def files(tmp_path):
    return sealed(tmp_path, SIZE, [Slot(KEY)])


def test_a_wrong_key_and_a_wrong_passphrase(tmp_path):
    _, file, _ = sealed(tmp_path, SIZE, [Slot(KEY), Slot(PASSPHRASE, CHEAP)])
    assert refusal(file, flipped(KEY, 31)) == wrong_key(file, "key")
    message = wrong_key(file, "passphrase")
    for wrong in [b"", PASSPHRASE + b"\n", PASSPHRASE.upper()]:
        assert refusal(file, wrong, kind="passphrase") == message


@pytest.mark.parametrize("copy", [0, 1])
def test_a_damaged_copy_of_the_header_leaves_the_other(files, copy):
    plain, file, _ = files
    content = file.read_bytes()
    for at in [0, 17, 23, 40, 70, 130, 2000, 4040, 4095]:
        file.write_bytes(flipped(content, copy * 4096 + at))
        assert rows(opened(file, KEY)) == rows(plain)
    torn = content[: copy * 4096 + 512] + bytes(3584) + content[copy * 4096 + 4096 :]
    file.write_bytes(torn)
    assert rows(opened(file, KEY)) == rows(plain)


def test_two_damaged_copies(files):
    _, file, _ = files
    content = file.read_bytes()
    file.write_bytes(flipped(flipped(content, 100), 4096 + 3000))
    assert refusal(file, KEY) == f"damaged header: neither copy in {file} matches its checksum"


def test_the_copy_with_the_higher_generation_is_used(files):
    """An interrupted update leaves one copy with the new slots. The newer whole copy decides which keys open it."""
    plain, file, strongroom = files
    content, new = file.read_bytes(), bytes(reversed(KEY))
    strongroom.slots = [Slot(new)]
    newer = strongroom.header_copy(2)
    for header in [newer + content[4096:8192], content[:4096] + newer]:
        file.write_bytes(header + content[8192:])
        assert rows(opened(file, new)) == rows(plain)
        assert refusal(file, KEY) == wrong_key(file, "key")
    file.write_bytes(content[:4096] + flipped(newer, 2500) + content[8192:])
    assert rows(opened(file, KEY)) == rows(plain)
    assert refusal(file, new) == wrong_key(file, "key")


def test_a_newer_copy_that_fails_its_hmac_leaves_the_older(files):
    plain, file, strongroom = files
    content = file.read_bytes()
    altered = with_checksum(flipped(strongroom.header_copy(2), 2500))
    file.write_bytes(content[:4096] + altered + content[8192:])
    assert rows(opened(file, KEY)) == rows(plain)


def test_of_two_copies_with_the_same_generation_the_first_is_used(files):
    plain, file, strongroom = files
    content, new = file.read_bytes(), bytes(reversed(KEY))
    strongroom.slots = [Slot(new)]
    file.write_bytes(content[:4096] + strongroom.header_copy() + content[8192:])
    assert rows(opened(file, KEY)) == rows(plain)
    assert refusal(file, new) == wrong_key(file, "key")


def test_a_header_changed_without_the_key(files):
    _, file, strongroom = files
    content = file.read_bytes()
    for at in [22, 47, 50, 1000, 2112, 4031, 4032]:
        changed = with_checksum(flipped(content[:4096], at))
        file.write_bytes(changed * 2 + content[8192:])
        assert refusal(file, KEY) == f"damaged header: the header of {file} was changed without its key", at
    file.write_bytes(strongroom.header_copy(header_key=bytes(32)) * 2 + content[8192:])
    assert refusal(file, KEY).startswith("damaged header: ")


def test_a_slot_is_bound_to_its_file_version_and_parameters(files):
    """Every byte that the data key's associated data covers: the slot then opens with no key."""
    _, file, _ = files
    content = file.read_bytes()
    for at in [30, 75, 82, 90]:  # the file's identity, the lanes, the slot's identity, the salt
        file.write_bytes(with_checksum(flipped(content[:4096], at)) * 2 + content[8192:])
        assert refusal(file, KEY).startswith("wrong key: "), at


@pytest.mark.parametrize(("field", "message"), [("version", "newer version: "), ("cipher", "unknown cipher: ")])
def test_a_newer_version_and_another_cipher(tmp_path, field, message):
    file = tmp_path / "newer.db"
    file.write_bytes(StrongroomFile(SIZE, [Slot(KEY)], **{field: 2}).header_copy() * 2)
    assert refusal(file, KEY).startswith(message)


@pytest.mark.parametrize("memory", [0, 7, (1 << 20) + 1])
def test_hostile_parameters_of_argon2id(tmp_path, memory):
    _, file, _ = sealed(tmp_path, SIZE, [Slot(PASSPHRASE, CHEAP)])
    content = file.read_bytes()
    copy = content[:68] + struct.pack(">I", memory) + content[72:4096]
    file.write_bytes(with_checksum(copy) * 2 + content[8192:])
    assert refusal(file, PASSPHRASE, kind="passphrase") == wrong_key(file, "passphrase")


def test_other_files(tmp_path):
    plain, file, _ = sealed(tmp_path, SIZE, [Slot(KEY)])
    assert refusal(plain, KEY) == f"another format: {plain} is not a Strongroom file"
    content = file.read_bytes()
    other = tmp_path / "other.db"
    torn = flipped(content[:4096], 99)
    for start in [b"", bytes(8192), content[:16], torn, torn + bytes(4096)]:
        other.write_bytes(start)
        assert refusal(other, KEY).startswith("unfinished creation: "), start[:16]
    missing = tmp_path / "missing.db"
    assert str(missing) in refusal(missing, KEY)


def test_a_bit_flip_anywhere_in_any_page_names_the_page(files):
    _, file, _ = files
    content = file.read_bytes()
    pages = (len(content) - 8192) // SIZE
    assert pages > 50
    for page in range(1, pages + 1):
        places = [0, 15, 16, 2000, SIZE - 41, SIZE - 40, SIZE - 17, SIZE - 16, SIZE - 1]
        at = 8192 + (page - 1) * SIZE + places[page % len(places)]
        file.write_bytes(flipped(content, at))
        assert refusal(file, KEY).startswith(f"damaged page {page} of {file}: "), at
    for place in range(16):
        file.write_bytes(flipped(content, 8192 + place))
        assert refusal(file, KEY) == f"damaged page 1 of {file}: the page belongs to another file"


def test_swapped_and_foreign_pages(tmp_path):
    _, file, _ = sealed(tmp_path, SIZE, [Slot(KEY)])
    _, other, _ = sealed(tmp_path, SIZE, [Slot(KEY)], seed=20)
    content, foreign = file.read_bytes(), other.read_bytes()
    page = lambda source, number: source[8192 + (number - 1) * SIZE : 8192 + number * SIZE]
    place = lambda number, new: content[: 8192 + (number - 1) * SIZE] + new + content[8192 + number * SIZE :]
    for number, new in [(5, page(content, 6)), (5, page(foreign, 5)), (5, bytes(SIZE)), (1, bytes(SIZE))]:
        file.write_bytes(place(number, new))
        assert refusal(file, KEY).startswith(f"damaged page {number} of {file}: ")
    # Page 1 of another file with this file's identity fails its authentication.
    file.write_bytes(place(1, content[8192 : 8192 + 16] + page(foreign, 1)[16:]))
    assert refusal(file, KEY) == f"damaged page 1 of {file}: the page fails its authentication"
    # An old page at its own place opens: the format does not detect a rollback.


def test_a_truncated_file_names_the_first_missing_page(files):
    _, file, _ = files
    content = file.read_bytes()
    pages = (len(content) - 8192) // SIZE
    for end, page in [(len(content) - 1, pages), (len(content) - SIZE, pages), (8192 + 3 * SIZE, 4), (8193, 1)]:
        file.write_bytes(content[:end])
        assert refusal(file, KEY) == f"damaged page {page} of {file}: the file ends before the page does"


def test_a_hot_journal(files):
    _, file, _ = files
    Path(f"{file}-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7")
    message = refusal(file, KEY)
    assert message == f"interrupted transaction: open {file} once in Strongroom, which rolls it back"


def test_a_free_page_of_zeros_is_accepted_and_a_page_in_use_is_not(tmp_path):
    plain, file = tmp_path / "plain.db", tmp_path / "sealed.db"
    with closing(plain_database(plain, SIZE)) as database:
        database.execute("PRAGMA secure_delete = off")
        database.execute("CREATE TABLE t (value)")
        database.execute("INSERT INTO t VALUES (randomblob(100000))")
        database.execute("INSERT INTO t VALUES (randomblob(50000))")
        database.execute("DELETE FROM t WHERE rowid = 1")
        assert database.execute("PRAGMA freelist_count").fetchone()[0] > 20
    content = plain.read_bytes()
    trunk = struct.unpack(">I", content[32:36])[0]
    at = (trunk - 1) * SIZE
    _, count, *numbers = struct.unpack(f">{SIZE // 4}I", content[at : at + SIZE])
    leaves = set(numbers[:count])
    # What follows the leaves of a trunk page means nothing. Here, it names a page in use.
    end = at + 8 + 4 * count
    plain.write_bytes(content[:end] + struct.pack(">I", 2) + content[end + 4 :])
    strongroom = StrongroomFile(SIZE, [Slot(KEY)])
    strongroom.write(plain, file)
    whole = file.read_bytes()
    for number in range(2, len(content) // SIZE + 1):
        at = strongroom.offset(number)
        file.write_bytes(whole[:at] + bytes(SIZE) + whole[at + SIZE :])
        if number in leaves:
            assert rows(opened(file, KEY)) == rows(plain)
        else:
            assert refusal(file, KEY) == f"damaged page {number} of {file}: the page is in use and consists of zeros"


def test_a_damaged_wal_ends_at_the_damage(tmp_path):
    """SQLite's recovery stops at the first frame with a wrong checksum: earlier commits stay, later ones are lost."""
    left = with_wal(tmp_path, SIZE, Slot(KEY))
    content, states = left.wal.read_bytes(), []
    for at in range(32, len(content), (24 + SIZE) * 9):
        left.wal.write_bytes(flipped(content, at + 24 + 77))
        states.append(rows(opened(left.file, KEY)))
    distinct = [state for index, state in enumerate(states) if state not in states[:index]]
    assert rows(left.twin) in distinct and len(distinct) >= 3
    for at in [15, 20, 28, 41]:  # the header's checkpoint number, salt and checksum, and the first frame's salt
        left.wal.write_bytes(flipped(content, at))
        assert rows(opened(left.file, KEY)) == states[0], at


def test_a_forged_frame_fails_its_authentication(tmp_path):
    """SQLite's checksums have no key, so an attacker can adapt them."""
    left = with_wal(tmp_path, SIZE, Slot(KEY))
    content, sums, frames = left.wal.read_bytes(), None, []
    sums = struct.unpack(">II", content[24:32])
    for at in range(32, len(content), 24 + SIZE):
        page = bytes(SIZE) if at == 32 else flipped(content[at + 24 : at + 24 + SIZE], 1234)
        sums = wal_checksum("<", content[at : at + 8] + page, sums)
        frames.append(content[at : at + 16] + struct.pack(">II", *sums) + page)
    left.wal.write_bytes(content[:32] + b"".join(frames))
    message = refusal(left.file, KEY)
    assert message.startswith("damaged page ") and message.endswith(
        f" of {left.wal}: the page fails its authentication"
    ), message


@pytest.mark.parametrize("at", [7, 10])
def test_a_wal_of_another_version_or_page_size(tmp_path, at):
    left = with_wal(tmp_path, SIZE, Slot(KEY))
    content = flipped(left.wal.read_bytes(), at)
    sums = struct.pack(">II", *wal_checksum("<", content[:24], (0, 0)))
    left.wal.write_bytes(content[:24] + sums + content[32:])
    assert refusal(left.file, KEY) == f"damaged WAL: {left.wal} has another version or page size"
