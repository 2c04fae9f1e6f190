# SPDX-License-Identifier: Apache-2.0
"""A real browser: the person scans or types, signs on and decides; the terminal follows."""

import pytest

from company import enter_end, enter_shell, opened_company, shipped
from screen import scan

ACCESS = '\n[access.sshd]\nallow_groups = ["linux-users"]\n'


@pytest.fixture(scope="module")
def company(machine, syslog_collector):
    with opened_company(machine, syslog_collector, ACCESS, people={"alice": ["linux-users"]},
                        pam={"sshd": shipped("sshd")}, sshd={}) as company:
        yield company


def test_what_chromium_approves_from_the_qr_code_opens_the_shell(company):
    with company.ssh("alice") as terminal:
        terminal.verification()
        company.idp.browse(scan(terminal.transcript), "alice", chromium=True)
        enter_shell(terminal)
        assert terminal.run_in_shell("id -un").strip() == "alice"
    company.decided("ok", rhost=terminal.address)


def test_what_chromium_declines_after_typing_the_code_is_refused(company):
    with company.ssh("alice", "NumberOfPasswordPrompts=1") as terminal:
        shown = terminal.verification()
        company.idp.browse(shown.uri, "alice", user_code=shown.user_code, decision="deny",
                           chromium=True)
        assert enter_end(terminal) == 255
    company.decided("device.denied", rhost=terminal.address)


def test_a_person_signed_on_as_somebody_else_is_refused(company):
    """Catalogue F02, by forms in a session of bob's."""
    with company.ssh("alice", "NumberOfPasswordPrompts=1") as terminal:
        terminal.verification()
        company.idp.browse(scan(terminal.transcript), "bob")
        assert enter_end(terminal) == 255
    company.decided("map.user_mismatch", rhost=terminal.address)
