"""Files of the independent writer that several tests read."""

import hashlib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from writer import Slot, StrongroomFile, connect, plain_database

KEY = bytes(range(32))
PASSPHRASE = "pässword 🔑".encode()
CHEAP = (64, 1, 1)  # Argon2id's memory in KiB, passes and lanes
CODE_BYTES = bytes(range(0x88, 0x98))
CODE = b"3ZYC-4ZUV-3K8G-LYY3-J2FE-F9VK-JUUM-63GN"  # of these bytes, in docs/format.md
SECRETS = {
    "key": (Slot(KEY), KEY),
    "passphrase": (Slot(PASSPHRASE, CHEAP), PASSPHRASE),
    "recovery code": (Slot(CODE_BYTES, kind=3), CODE),
}


def fill(database, first, last):
    """Adds rows with values of every type, and blobs of up to three pages of 4,096 bytes."""
    database.execute("CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY, number, text, value)")
    database.execute("CREATE INDEX IF NOT EXISTS by_text ON item (text)")
    blob = lambda i: bytes([i % 251]) * (i * 97 % 12_000)
    values = ((i, i / 3 if i % 2 else None, f"row {i}", blob(i)) for i in range(first, last))
    database.execute("BEGIN")
    database.executemany("INSERT INTO item VALUES (?, ?, ?, ?)", values)
    database.execute("COMMIT")


def sealed(folder: Path, page_size: int, slots, *, seed=19):
    """Writes a Strongroom file with 200 rows. Returns its plain twin, the file, and what seals its pages."""
    plain, file = folder / f"twin-{seed}.db", folder / f"sealed-{seed}.db"
    with closing(plain_database(plain, page_size)) as database:
        fill(database, 0, 200)
    strongroom = StrongroomFile(page_size, slots, seed=seed)
    strongroom.write(plain, file)
    return plain, file, strongroom


def with_checksum(copy: bytes) -> bytes:
    """Returns a copy of the header with a new checksum, as an attacker without the key can make it."""
    return copy[:4064] + hashlib.sha256(copy[:4064]).digest()


@dataclass
class Wal:
    """A file that a process left without a checkpoint, and its WAL."""

    twin: Path  # the plain file at the last commit
    file: Path
    wal: Path


def with_wal(folder: Path, page_size: int, slot: Slot) -> Wal:
    """Writes a file whose WAL has committed transactions, and then frames of a transaction that did not commit."""
    plain, file, strongroom = sealed(folder, page_size, [slot])
    wal = Path(f"{file}-wal")
    with closing(connect(plain)) as database:
        database.execute("PRAGMA journal_mode = wal")
        database.execute("PRAGMA wal_autocheckpoint = 0")
        strongroom.write(plain, file)  # with the mode in page 1
        fill(database, 200, 300)
        database.execute("DELETE FROM item WHERE id % 3 = 0")
        database.execute("UPDATE item SET value = zeroblob(9000) WHERE id % 50 = 1")
        twin = folder / "twin.db"
        database.execute("VACUUM INTO ?", [str(twin)])
        committed = Path(f"{plain}-wal").stat().st_size
        database.execute("PRAGMA cache_size = 1")  # so that SQLite writes pages before the commit
        database.execute("BEGIN")
        database.execute("UPDATE item SET text = text || ' lost', value = randomblob(6000)")
        assert Path(f"{plain}-wal").stat().st_size > committed
        strongroom.write_wal(Path(f"{plain}-wal"), wal)
        database.execute("ROLLBACK")
    return Wal(twin, file, wal)
