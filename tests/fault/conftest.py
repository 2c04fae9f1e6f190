# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the self-tests."""

import subprocess

import pytest

from .client import Client
from .server import FaultProvider


@pytest.fixture(name="provider")
def _provider():
    with FaultProvider() as provider:
        yield provider
    assert not provider.errors, "\n".join(provider.errors)


@pytest.fixture(name="client")
def _client(provider):
    return Client(provider)


@pytest.fixture(name="curl")
def _curl(provider):
    def run(*args, **rest):
        return subprocess.run(["curl", "-sS", "--max-time", "10", "--cacert", provider.ca_file, *args],
                              capture_output=True, check=False, **rest)
    return run
