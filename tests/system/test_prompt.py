# SPDX-License-Identifier: Apache-2.0
"""What people see: the words, the QR code, a small terminal, and nothing a provider could inject.
Catalogue F11, F12, F13, F14."""

import itertools
import pathlib

import pytest

from company import CLIENT_SECRET, IDENTITY, Company, Provider, enter_end, failure
from crowd import Crowd
from fault import FaultProvider
from fault.faults.device import TERMINAL
from harness import client
from harness.sshd import Sshd
from screen import fits, scan, without_drawing

STACK = ("auth required pam_oidc.so\naccount required pam_permit.so\n"
         "session required pam_permit.so\n")
ACCESS = """
[access.sshd]
allow_groups = ["linux-users"]

[access.sudo]
allow_groups = ["linux-users"]

[access.su]
allow_groups = ["linux-users"]
"""
PROMPT = "Press Enter when you have approved: "
#: Line feed and carriage return, tabulator, printable ASCII; and what the QR code is drawn with.
SHOWABLE = {"\n", "\r", "\t", *map(chr, range(0x20, 0x7f)), "\u2580", "\u2584", "\u2588"}


@pytest.fixture(scope="module")
def company(machine, syslog_collector):
    with Provider() as idp, machine.changes(), Sshd(MaxStartups="100") as sshd:
        company = Company(machine, idp, syslog_collector, sshd)
        company.person("alice")
        company.person("bob")
        machine.sudoers("Defaults passwd_tries=1\nDefaults lecture=never\nALL ALL=(ALL:ALL) ALL")
        for service in ("sshd", "sudo", "su"):
            machine.pam(service, STACK)
        yield company


def configure(company: Company, prompt: str = "") -> None:
    company.machine.config("\n".join([IDENTITY, ACCESS, company.provider(),
                                      f"[prompt]\n{prompt}"]))


def shown_by_ssh(company: Company, prompt: str = "", **terminal):
    """The screen of an ssh login that waits, and what the provider knows of it."""
    configure(company, prompt)
    with company.ssh("alice", **terminal) as session:
        session.verification()
        return session.transcript, session.address, company.idp.last()


def test_the_words_name_host_person_and_where_she_comes_from(company):
    """Catalogue F14: whoever is talked into approving a stranger's login can see whose it is."""
    text, address, last = shown_by_ssh(company)
    assert without_drawing(text) == f"""\
(alice@web01) Sign in to web01 as alice, from {address}
  Open   {company.idp.issuer}/as/user_authz.oauth2
  Code   {last["user_code"]}   (or scan)
Approve only a sign-in that you have started yourself.
{PROMPT}"""


def test_the_words_of_sudo_and_su_name_the_service(company):
    configure(company)
    for command, who in ((("sudo", "-k", "id"), "alice for sudo"),
                         (("su", "-c", "id", "bob"), "bob for su")):
        with client.Terminal(list(command), user="alice") as terminal:
            terminal.verification()
            words = without_drawing(terminal.transcript)
        assert words.strip() == f"""\
Sign in to web01 as {who}
  Open   {company.idp.issuer}/as/user_authz.oauth2
  Code   {company.idp.last()["user_code"]}   (or scan)
Approve only a sign-in that you have started yourself."""


@pytest.mark.parametrize("style", ["utf8", "ascii"])
def test_the_qr_code_is_the_link_with_the_code(company, style):
    """Catalogue F12."""
    text, _, last = shown_by_ssh(company, f'qr = "{style}"')
    assert scan(text) == last["verification_uri_complete"]
    assert last["user_code"] in last["verification_uri_complete"]


def test_a_policy_that_wants_the_code_typed_leaves_it_out_of_the_qr_code(company):
    """Catalogue F14."""
    text, _, last = shown_by_ssh(company, "link_with_code = false")
    assert scan(text) == f"{company.idp.issuer}/as/user_authz.oauth2"
    assert last["user_code"] in without_drawing(text)


def test_a_provider_without_a_complete_link_gets_the_plain_one_drawn(company):
    company.idp.settings(complete_uri=False)
    try:
        text, _, last = shown_by_ssh(company)
    finally:
        company.idp.settings(complete_uri=True)
    assert scan(text) == f"{company.idp.issuer}/as/user_authz.oauth2"


def test_everything_fits_a_terminal_of_80_by_24(company):
    text, _, _ = shown_by_ssh(company)
    assert fits(text), text


def test_without_a_drawing_there_are_five_lines(company):
    text, _, last = shown_by_ssh(company, 'qr = "off"')
    assert without_drawing(text) == text and text.count("\n") == 4
    assert f"  Code   {last['user_code']}\n" in text and "scan" not in text


def test_plain_is_sentences(company):
    text, address, last = shown_by_ssh(company, "plain = true")
    assert text == f"""\
(alice@web01) Sign in to web01 as alice, from {address}
Open this address in a browser: {company.idp.issuer}/as/user_authz.oauth2
Enter this code there: {last["user_code"]}
Approve only a sign-in that you have started yourself.
{PROMPT}"""


@pytest.mark.parametrize("lang", ["C", None])
def test_a_client_without_utf8_can_still_read_link_and_code(company, lang):
    """Its ssh spells the drawing in octal numbers; the words below it stay."""
    text, _, last = shown_by_ssh(company, lang=lang)
    assert f"  Open   {company.idp.issuer}/as/user_authz.oauth2\n" in text
    assert f"  Code   {last['user_code']}   (or scan)\n" in text and text.endswith(PROMPT)
    text, _, last = shown_by_ssh(company, 'qr = "ascii"', lang=lang)
    assert scan(text) == last["verification_uri_complete"]


def test_a_quiet_client_sees_the_link(company):
    """Catalogue F13: -q hides what is not part of a question."""
    configure(company)
    with company.ssh("alice", "LogLevel=QUIET") as terminal:
        assert terminal.verification().user_code == company.idp.last()["user_code"]


def test_the_shown_reference_is_the_audit_lines_attempt(company):
    configure(company)
    with company.ssh("alice", "NumberOfPasswordPrompts=1") as terminal:
        company.idp.deny(terminal.verification().user_code)
        assert enter_end(terminal) == 255
    line = company.decided("device.denied", rhost=terminal.address)
    assert failure(terminal.transcript) == ("was not successful", line["attempt"])
    assert terminal.transcript.count("Sign-in was not successful") == 1


# --- what a provider could inject, at real terminals (catalogue F11) ---

MEMBERS = ("user_code", "verification_uri", "verification_uri_complete", "message")
TOOLS = ("sshd", "sudo", "su")
#: Every kind of text, each in another member than the one before, at every tool.
INJECTIONS = [f"device.{member}-{kind}" for kind, member in zip(TERMINAL, itertools.cycle(MEMBERS))]
INJECTIONS += ["device.user_code-esc", "device.user_code-csi", "device.verification_uri-osc8",
               "device.message-osc52", "device.error-esc", "device.error-title"]
crowd = Crowd(workers=len(TOOLS))


def _session(company: Company, tool: str):
    if tool == "sshd":
        return company.ssh("alice", "NumberOfPasswordPrompts=1")
    if tool == "sudo":
        return client.sudo("alice", "id", timeout=30)
    return client.su("alice", "bob", "id", timeout=30)


def _injects(tool: str):
    def terminal_gets_nothing_but_text(company: Company, liars: dict):
        liar = liars[tool]
        seen = {}
        for name in INJECTIONS:
            liar.behave("device_authorization", name)
            with _session(company, tool) as terminal:
                terminal.expect(r"Press Enter when|that you have started yourself\.|reference")
                terminal.read_for(0.1)
                seen[name] = terminal.raw
        for name, raw in seen.items():
            assert set(raw) <= SHOWABLE, (name, sorted(set(raw) - SHOWABLE))
        assert any("Code" in raw for raw in seen.values())
        assert not liar.errors
    terminal_gets_nothing_but_text.__name__ = f"{tool}_shows_nothing_but_text"
    return terminal_gets_nothing_but_text


for _tool in TOOLS:
    crowd.scene("F11")(_injects(_tool))


@pytest.fixture(scope="module")
def performed(request, company):
    liars = {tool: FaultProvider(client_id=f"for-{tool}", client_secret=CLIENT_SECRET)
             for tool in TOOLS}
    for liar in liars.values():
        liar.start()
    try:
        ca = company.machine.secret("liars-ca.crt",
                                    pathlib.Path(liars["sudo"].ca_file).read_bytes(), mode=0o644)
        sections = [company.provider(tool, liar.client_id, issuer=liar.issuer, profile="generic",
                                     ca_file=f'"{ca}"') for tool, liar in liars.items()]
        access = ACCESS
        for tool in TOOLS:
            access = access.replace(f"[access.{tool}]", f'[access.{tool}]\nprovider = "{tool}"')
        company.machine.config("\n".join([IDENTITY, access, *sections]))
        yield from crowd.perform(request, "test_terminal", company, liars)
    finally:
        for liar in liars.values():
            liar.stop()


@pytest.mark.parametrize("name", crowd.names())
def test_terminal(name, performed):
    performed.of(name)
