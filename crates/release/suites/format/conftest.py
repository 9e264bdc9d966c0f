"""Configures pytest for the tests of docs/read_strongroom.py."""

import pytest

pytest.register_assert_rewrite("reading")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: writes and reads files of more than 1 GiB")
