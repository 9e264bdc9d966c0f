"""The reader opens files that Strongroom wrote, and finds the rows that Strongroom finds."""

import hashlib
import json
import os
import struct
import subprocess
from pathlib import Path

import pytest
from reading import opened, refusal, rows, slots

KINDS = {"key": "key", "passphrase": "passphrase", "recovery": "recovery code"}
ENGINE = Path(__file__).with_name("engine.mjs")


def node(*arguments):
    """Runs engine.mjs. Returns the JSON that it prints."""
    done = subprocess.run(["node", ENGINE, *arguments], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def cell(value):
    """Returns a value in the form of engine.mjs."""
    match value:
        case None:
            return None
        case int():
            return ["integer", str(value)]
        case float():
            return ["real", struct.pack(">d", value).hex()]
        case str():
            return ["text", value]
        case bytes():
            return ["blob", len(value), hashlib.sha256(value).hexdigest()]


def secret_of(found):
    """Returns the kind of a file's secret, as the reader names it, and the secret."""
    for name, kind in KINDS.items():
        if name in found:
            return kind, bytes.fromhex(found[name]) if name == "key" else found[name].encode()
    raise AssertionError(f"a file without a secret: {found}")


def line(slot):
    """Returns a slot of the API in the form of the reader's `--slots`."""
    label = "-" if slot["label"] is None else repr(slot["label"])
    return [slot["id"], KINDS[slot["kind"]], slot["created"].replace("Z", "+00:00"), label]


def features():
    """Returns the features, of which those beyond 1 GiB take long."""
    return [pytest.param(name, marks=pytest.mark.long if name.startswith("1 GiB") else ()) for name in node()]


@pytest.mark.parametrize("feature", features())
def test_a_file_with(tmp_path, feature):
    files = node(feature, os.environ["STRONGROOM_PACKAGE"], tmp_path / "files")
    assert files
    for number, found in enumerate(files):
        file, kind, secret = Path(found["file"]), *secret_of(found)
        out = tmp_path / f"{number}.plain"
        if "refusal" in found:
            assert refusal(file, secret, kind=kind, out=out).startswith(found["refusal"])
            continue
        if "beside" in found:
            assert Path(f"{file}{found['beside']}").stat().st_size > 100, "the test needs this file"
        read = rows(opened(file, secret, kind=kind, out=out))
        assert {name: [list(map(cell, row)) for row in table] for name, table in read.items()} == found["rows"]
        assert sum(map(len, found["rows"].values())) > 10 or feature == "no table"
        if feature.startswith("1 GiB"):
            assert file.stat().st_size > (1 << 30) + (1 << 24)
        if "slots" in found:
            assert [row[:4] for row in slots(file, secret, kind=kind)] == list(map(line, found["slots"]))
        out.unlink()
