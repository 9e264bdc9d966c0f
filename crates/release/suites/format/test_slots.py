"""The reader opens a named slot, lists the slots, and reads recovery codes."""

import random
from pathlib import Path

import pytest
from reading import opened, reader_module, refusal, rows, run, slots
from samples import CHEAP, CODE, CODE_BYTES, KEY, PASSPHRASE, sealed, with_checksum
from writer import Slot, code_text

SLOTS = [
    Slot(KEY, label=b""),
    Slot(PASSPHRASE, CHEAP, label="Ärztin 🔑".encode(), time=1_700_000_000_123),
    Slot(CODE_BYTES, kind=3, label=b"x" * 94, time=0),
    Slot(b"r" * 32, kind=9, label=b"of a later version\n\x1b[2J"),
    Slot(PASSPHRASE, CHEAP),
]


@pytest.fixture
def files(tmp_path):
    return sealed(tmp_path, 4096, SLOTS)


def ids(file: Path) -> list[str]:
    header = file.read_bytes()[:4096]
    return [header[at + 16 : at + 24].hex() for at in range(64, 64 + 256 * len(SLOTS), 256)]


def test_the_slots_are_listed_with_their_labels(files):
    _, file, _ = files
    known = ids(file)
    expected = [
        [known[0], "key", "2026-09-21T14:13:20.000+00:00", "-"],
        [known[1], "passphrase", "2023-11-14T22:13:20.123+00:00", "'Ärztin 🔑'"],
        [known[2], "recovery code", "1970-01-01T00:00:00.000+00:00", repr("x" * 94)],
        [known[3], "unknown", "2026-09-21T14:13:20.000+00:00", r"'of a later version\n\x1b[2J'"],
        [known[4], "passphrase", "2026-09-21T14:13:20.000+00:00", "'a label'"],
    ]
    for secret, kind, current in [(KEY, "key", 0), (PASSPHRASE, "passphrase", 1), (CODE, "recovery code", 2)]:
        found = slots(file, secret, kind=kind)
        assert found == [row + ["*"] * (number == current) for number, row in enumerate(expected)]


def test_a_listing_needs_a_right_secret_and_writes_no_file(files):
    _, file, _ = files
    before = sorted(file.parent.iterdir())
    done = run(file, bytes(32), "key", "--slots")
    assert (done.returncode, done.stdout) == (1, "") and done.stderr.startswith("wrong key: ")
    assert sorted(file.parent.iterdir()) == before
    for arguments in [("--slots", "out.db"), ()]:
        done = run(file, KEY, "key", *arguments)
        assert done.returncode == 2 and "pass either OUT or --slots" in done.stderr


@pytest.mark.parametrize("label", [b"\xff\xfe", b"a" * 95])
def test_a_label_of_a_faulty_program_is_listed(tmp_path, label):
    """The reader shows what it can, because such a file still opens."""
    slot = Slot(KEY, label=label[:94], time=(1 << 64) - 1)
    _, file, _ = sealed(tmp_path, 4096, [slot])
    ((_, kind, time, text, current),) = slots(file, KEY)
    assert (kind, current) == ("key", "*") and time.startswith("9999-12-31T23:59:59")
    assert text == repr(label[:94].decode(errors="backslashreplace"))


def test_a_label_that_does_not_open_is_listed_as_none(tmp_path):
    """Only a program with the data key can write such a label: the slot itself may be sound."""
    plain, file, _ = sealed(tmp_path, 4096, [Slot(KEY, label_use=b"another use"), Slot(PASSPHRASE, CHEAP)])
    (own, other) = slots(file, KEY)
    assert own[1:] == ["key", "1970-01-01T00:00:00.000+00:00", "-", "*"] and other[3] == "'a label'"
    assert rows(opened(file, KEY)) == rows(plain)


def test_only_the_named_slot_is_tried(files):
    plain, file, _ = files
    known = ids(file)
    named = [(KEY, "key", 0), (PASSPHRASE, "passphrase", 1), (CODE, "recovery code", 2), (PASSPHRASE, "passphrase", 4)]
    for secret, kind, number in named:
        assert rows(opened(file, secret, kind=kind, slot=known[number])) == rows(plain)
    for secret, kind, number in [(KEY, "key", 1), (PASSPHRASE, "passphrase", 0), (b"x", "passphrase", 4)]:
        assert refusal(file, secret, kind=kind, slot=known[number]).startswith("wrong key: ")
    assert refusal(file, KEY, slot="00" * 8) == f"unknown slot: {file} has no key slot {'00' * 8}"
    done = run(file, KEY, "key", "--slot", "0011", "out.db")
    assert done.returncode == 2 and "the slot has 2 bytes instead of 8" in done.stderr


def test_the_text_of_a_code_has_two_implementations():
    """The writer divides polynomials, and the reader computes with packed bits as BIP-350 does."""
    numbers, decode = random.Random(20), reader_module().recovery_code
    assert code_text(CODE_BYTES) == CODE.decode()
    for code in [bytes(16), b"\xff" * 16, *(numbers.randbytes(16) for _ in range(200))]:
        text = code_text(code)
        assert [len(group) for group in text.split("-")] == [4] * 8
        typed = text.lower().replace("-", numbers.choice(["", " ", "\t-\n", "\u2013"]))
        assert decode(text) == decode(typed) == decode(text.replace("L", "1").replace("0", "o")) == code
        assert decode(text.replace("L", "i").replace("0", "O")) == code
        for padding in ["01", "10", "11"]:
            with pytest.raises(Exception, match="typing error"):
                decode(code_text(code, padding))


def test_a_typing_error_is_told_from_a_wrong_code(files):
    plain, file, _ = files
    text = CODE.decode()
    assert rows(opened(file, f" {text.lower()}\r\n".encode(), kind="recovery code")) == rows(plain)
    wrong = code_text(bytes(16)).encode()
    assert refusal(file, wrong, kind="recovery code").startswith("wrong key: ")
    for typed, message in [
        (text[:-1] + "Q", "typing error: the check characters of the recovery code do not match"),
        ("Z3" + text[2:], "typing error: the check characters of the recovery code do not match"),
        (text[:-1], "typing error: the recovery code has 31 characters instead of 32"),
        ("", "typing error: the recovery code has 0 characters instead of 32"),
        (text.replace("G", "B", 1), "typing error: no recovery code contains 'B'"),
        (text.replace("Y", "ı", 1), "typing error: no recovery code contains 'ı'"),
    ]:
        assert refusal(file, typed.encode(), kind="recovery code") == message
    assert refusal(file, b"\xff", kind="recovery code").startswith("typing error: ")


@pytest.mark.parametrize("kind", ["added", "altered", "removed"])
def test_a_slot_changed_without_the_data_key(files, kind):
    _, file, _ = files
    content = bytearray(file.read_bytes()[:4096])
    match kind:
        case "added":
            content[64 + 256 * 5 : 64 + 256 * 6] = content[64 + 256 : 64 + 512]
        case "altered":
            content[64 + 256 + 200] ^= 1  # the label of the second slot
        case "removed":
            content[64 + 256 : 64 + 512] = bytes(256)
    file.write_bytes(with_checksum(bytes(content)) * 2 + file.read_bytes()[8192:])
    assert refusal(file, KEY) == f"damaged header: the header of {file} was changed without its key"
