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


def run(file: Path, secret: bytes, kind: str, *arguments) -> subprocess.CompletedProcess:
    """Runs the reader on a file. `kind` is a key of `samples.SECRETS`."""
    given = file.with_name(f"{file.name}.secret")
    if kind != "key":
        given.write_bytes(secret)
    unlock = {
        "key": ["--key", secret.hex()],
        "passphrase": ["--passphrase-file", given],
        "recovery code": ["--recovery-code-file", given],
    }[kind]
    command = [sys.executable, READER, file, *unlock, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", check=False, env=os.environ | {"PYTHONUTF8": "1"}
    )


def read(file: Path, secret: bytes, *, kind="key", out: Path | None = None, slot: str | None = None) -> Read:
    """Runs the reader, which writes a plain file."""
    out = out or file.with_name(f"{next(NUMBERS)}.plain")
    done = run(file, secret, kind, *(["--slot", slot] if slot else []), out)
    assert done.stdout == ""
    return Read(out, done.returncode, done.stderr.strip())


def slots(file: Path, secret: bytes, *, kind="key") -> list[list[str]]:
    """Returns the fields of each line of `--slots`."""
    done = run(file, secret, kind, "--slots")
    assert (done.returncode, done.stderr) == (0, "")
    return [line.split("\t") for line in done.stdout.splitlines()]


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
