"""Runs docs/read_strongroom.py, and compares the databases that it writes."""

import importlib.util
import itertools
import os
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from writer import connect

DOCS = Path(__file__).parents[4] / "docs"
READER = DOCS / "read_strongroom.py"

NUMBERS = itertools.count()  # of the reader's outputs


@dataclass
class Read:
    """The end of the reader: the file that it wrote, its exit code and its message."""

    out: Path
    code: int
    message: str


def read(file: Path, secret: bytes, *, is_key=True, out: Path | None = None) -> Read:
    """Runs the reader on a file."""
    out = out or file.with_name(f"{next(NUMBERS)}.plain")
    passphrase = file.with_name(f"{file.name}.passphrase")
    if not is_key:
        passphrase.write_bytes(secret)
    unlock = ["--key", secret.hex()] if is_key else ["--passphrase-file", passphrase]
    command = [sys.executable, READER, file, *unlock, out]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONUTF8": "1"})
    assert done.stdout == ""
    return Read(out, done.returncode, done.stderr.strip())


def refusal(file: Path, secret: bytes, **how) -> str:
    """Returns the message of the reader, which must refuse the file and leave no output."""
    result = read(file, secret, **how)
    assert result.code == 1, result
    assert not result.out.exists()
    return result.message


def opened(file: Path, secret: bytes, **how) -> Path:
    """Returns the plain file that the reader wrote, after SQLite has checked it."""
    result = read(file, secret, **how)
    assert (result.code, result.message) == (0, "")
    with closing(connect(result.out)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return result.out


def rows(path: Path) -> dict[str, list[tuple]]:
    """Returns every row of every table of a plain file, with the schema as a table of its own."""
    with closing(connect(path)) as database:
        schema = database.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name").fetchall()
        tables = [name for kind, name, *_ in schema if kind == "table"]
        return {"": schema} | {name: database.execute(f'SELECT * FROM "{name}"').fetchall() for name in tables}


def reader_module():
    """Imports the reader."""
    spec = importlib.util.spec_from_file_location("read_strongroom", READER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
