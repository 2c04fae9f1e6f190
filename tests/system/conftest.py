# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the system tests: the product installed on the sandbox's machine, its log, its sshd.

Run them by `tests/sandbox /usr/bin/python3 -m pytest tests/system` with PAM_OIDC_BUILD naming a
build tree configured for this machine's directories.
"""

import contextlib
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness import in_sandbox  # noqa: E402
from harness.machine import Machine  # noqa: E402
from harness.sshd import Sshd  # noqa: E402
from harness.syslog import SyslogCollector  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
OUTSIDE = "not inside the sandbox (tests/sandbox): system tests change the machine's files"
PEOPLE = ("alice", "bob", "carol")


def pytest_collection_modifyitems(items):
    if in_sandbox():
        return
    for item in items:
        if HERE in pathlib.Path(item.fspath).parents:
            item.add_marker(pytest.mark.skip(reason=OUTSIDE))


def pytest_terminal_summary(terminalreporter):
    if not in_sandbox():
        terminalreporter.section("SYSTEM TESTS DID NOT RUN", sep="!", red=True)
        terminalreporter.line(OUTSIDE)


def pytest_sessionfinish(session, exitstatus):
    """A run in which everything was skipped must not look like one that passed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    ran = reporter is not None and any(reporter.stats.get(kind) for kind in
                                       ("passed", "failed", "error", "xfailed", "xpassed"))
    if not in_sandbox() and exitstatus == 0 and not ran:
        session.exitstatus = 77


@pytest.fixture(scope="session")
def machine():
    """The product installed; alice, bob and carol, who have no password."""
    built = Machine()
    if not built.build:
        pytest.fail("PAM_OIDC_BUILD does not name a build tree: there is no product to install")
    built.install()
    for name in PEOPLE:
        built.add_user(name)
    return built


@pytest.fixture
def changed_machine(machine):
    """The machine; files a test writes through it are as before when the test ends."""
    with machine.changes():
        yield machine


@pytest.fixture(scope="session")
def syslog_collector():
    with SyslogCollector() as collector:
        yield collector


@pytest.fixture
def syslog(syslog_collector):
    """The machine's log, empty at the start of the test."""
    syslog_collector.clear()
    return syslog_collector


@pytest.fixture(scope="session")
def bench(machine, syslog_collector):
    """Many logins at once, each with a provider and a service of its own; see support.py."""
    from support import Bench  # the fault provider is not everybody's
    return Bench(machine, syslog_collector)


@pytest.fixture(scope="session")
def sshd(machine, syslog_collector):
    """A running sshd with keyboard-interactive authentication."""
    with Sshd() as daemon:
        yield daemon


@pytest.fixture
def start_sshd(machine, syslog_collector):
    """start_sshd(LoginGraceTime=4): one more sshd, with settings of its own, for one test."""
    with contextlib.ExitStack() as stack:
        yield lambda *args, **settings: stack.enter_context(Sshd(*args, **settings))
