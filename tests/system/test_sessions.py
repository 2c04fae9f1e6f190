# SPDX-License-Identifier: Apache-2.0
"""Sessions: an approval in a login session counts there again (fresh_within), and nowhere else.

Real sshd, sudo and su at a real provider.  Each scene has a person of its own."""

import json
import os
import pathlib
import pwd
import re

import pytest

from company import (STANDARD_SSHD, Company, log_in, log_out, opened_company, shipped,
                     with_signed)
from crowd import Crowd
from harness import client
from harness.machine import wait_until

STORE = pathlib.Path("/run/pam-oidc/sessions")
PEOPLE = dict.fromkeys(("anna", "berta", "clara", "dora", "emma", "frida", "greta", "hanna", "ida",
                        "jutta", "klara", "lena"), ["linux-users", "linux-admins"]) | \
    {"paula": ["linux-users"]}
# sudo's own memory of a success must not be what lets anybody in.
SUDOERS = """\
Defaults timestamp_timeout=0, lecture=never, passwd_tries=1
ALL ALL=(ALL:ALL) ALL
"""
ACCESS = """
[access.sshd]
provider     = "corp"
allow_groups = ["linux-users"]

[access.sudo]
provider     = "corp"
allow_groups = ["linux-admins"]
fresh_within = "10m"

[access.su]
provider     = "signed"
allow_groups = ["linux-users"]
acr_values   = ["phr"]
max_age      = "1h"
"""
SU = """\
auth    required    pam_oidc.so
account required    pam_permit.so
session required    pam_permit.so
"""
LOGINUID = "session    required     pam_loginuid.so\n"

crowd = Crowd()


@pytest.fixture(scope="module")
def company(machine, syslog_collector):
    with opened_company(machine, syslog_collector, ACCESS, people=PEOPLE, sudoers=SUDOERS,
                        more=with_signed("signed"), sshd=STANDARD_SSHD,
                        pam={"sshd": shipped("sshd"), "sudo": shipped("sudo"), "su": SU}) as company:
        yield company


# --- what the store and the log say ---

def records(user: str) -> list[dict]:
    """The records of a user, as root reads them."""
    uid = pwd.getpwnam(user).pw_uid
    return [json.loads(path.read_text(encoding="utf-8")) for path in STORE.glob(f"{uid}.*")]


def the_record(user: str) -> dict:
    found = records(user)
    assert len(found) == 1, found
    return found[0]


def change_record(user: str, **members) -> None:
    """What only root can do: writes into a record, in place."""
    record = the_record(user)
    path = STORE / f"{record['uid']}.{record['id']}"
    with open(path, "r+", encoding="utf-8") as file:
        file.write(json.dumps(record | members))
        file.truncate()


def sudo_lines(company: Company, user: str) -> list[dict[str, str]]:
    return [line.fields for line in company.decisions(user=user, service="sudo")]


def sudo_at_once(terminal: client.Terminal) -> str:
    """sudo in a shell that must not be asked anything: who it ran as."""
    return terminal.run_in_shell("sudo id -un", timeout=20).strip()


def sudo_after_approval(company: Company, terminal: client.Terminal, user: str) -> str:
    """sudo in a shell, which asks."""
    before = len(terminal.transcript)
    terminal.send_line("sudo id -un; echo 'STATUS''='$?")
    company.approve(terminal.verification(after=before), user)
    terminal.expect(r"STATUS=(\d+)\r?\n", timeout=60)
    assert terminal.match[1] == "0", terminal.transcript
    return terminal.transcript[before:]


def sudo_with_nobody_to_ask(terminal: client.Terminal) -> str:
    """sudo of the session without its terminal: what it said."""
    return terminal.run_in_shell("setsid --wait sudo id < /dev/null 2>&1 | cat", timeout=20)


# --- scenes ---

@crowd.scene("K07", "H19")
def an_approval_counts_in_its_session_until_that_ends(company: Company):
    with company.ssh("anna", "-tt") as terminal:
        log_in(company, terminal, "anna")
        opened = company.event("session_open", "anna")
        record = the_record("anna")
        assert (record["state"], record["id"]) == ("open", opened["session"])
        assert sudo_at_once(terminal) == "root"
        # A process that stays when the session ends.
        terminal.run_in_shell(
            "(setsid sh -c 'while [ ! -e go ]; do sleep 0.1; done; sudo id > out 2>&1; touch ran' "
            "> /dev/null 2>&1 &)")
        log_out(terminal)
    login = company.decision(user="anna", service="sshd")
    closed = company.event("session_close", "anna")
    assert records("anna") == []
    assert {opened["session"], closed["session"], login["session"]} == {record["id"]}
    assert {opened["attempt"], closed["attempt"]} == {login["attempt"]}
    fresh = sudo_lines(company, "anna")
    assert len(fresh) == 1 and fresh[0]["session"] == record["id"]
    assert fresh[0]["detail"].startswith("group linux-admins, approved ")
    home = pathlib.Path("/home/anna")
    (home / "go").touch()
    wait_until((home / "ran").exists, timeout=20, what="the process that stayed")
    assert "uid=0" not in (home / "out").read_text()
    assert sudo_lines(company, "anna")[1]["reason"] == "conv.none"
    assert "there is no approval in this session" in sudo_lines(company, "anna")[1]["detail"]


@crowd.scene("H19")
def another_session_of_the_same_user_is_another_session(company: Company):
    with company.ssh("berta", "-tt") as first, company.ssh("berta", "-tt") as second:
        log_in(company, first, "berta")
        log_in(company, second, "berta")
        wait_until(lambda: [one["state"] for one in records("berta")] == ["open"] * 2,
                   what="two open records")
        sessions = {one["audit_session"]: one["id"] for one in records("berta")}
        assert len(sessions) == 2
        assert sudo_at_once(first) == sudo_at_once(second) == "root"
        # Each its own, whatever the terminal, the name and the environment say.
        used = [line["session"] for line in sudo_lines(company, "berta")]
        assert sorted(used) == sorted(sessions.values())
        log_out(first)
        wait_until(lambda: len(records("berta")) == 1, what="the first session to end")
        assert sudo_at_once(second) == "root"
        log_out(second)
    assert records("berta") == []


@crowd.scene("L17")
def nothing_that_a_caller_says_makes_it_another_session(company: Company):
    """A shell that was no login, with all that the environment, files and the terminal can say."""
    with company.ssh("clara", "-tt") as session:
        log_in(company, session, "clara")
        record = the_record("clara")
        tty = session.run_in_shell("tty").strip()
        pathlib.Path("/home/clara/.pam_environment").write_text(
            f"PAM_OIDC_SESSION={record['id']}\nPAM_OIDC_GRANTS=1\n", encoding="utf-8")
        said = {"PAM_OIDC_SESSION": record["id"], "PAM_OIDC_GRANTS": "1", "SSH_TTY": tty,
                "XDG_SESSION_ID": str(record["audit_session"]),
                "PAM_OIDC_ATTEMPT": record["attempt"]}
        command = ["setsid", "--wait", "sudo", "id"]
        done = company.machine.run(command, user="clara", env=said, check=False, timeout=20)
        assert done.returncode == 1 and "uid=" not in done.stdout
        assert "OIDC" not in session.run_in_shell("env")
        log_out(session)
    assert "there is no approval in this session" in sudo_lines(company, "clara")[0]["detail"]


@crowd.scene()
def an_approval_for_sudo_counts_in_a_session_that_is_not_ours(company: Company):
    with client.Terminal(["bash"], user="dora", timeout=60) as terminal:
        terminal.expect_shell()
        assert "root" in sudo_after_approval(company, terminal, "dora")
        assert (the_record("dora")["state"], the_record("dora")["opener"]) == ("open", "")
        assert sudo_at_once(terminal) == "root"
        with client.Terminal(["bash"], user="dora", timeout=60) as other:
            other.expect_shell()
            assert "root" in sudo_after_approval(company, other, "dora")
        log_out(terminal)
    first, again, third = sudo_lines(company, "dora")
    assert again["session"] == first["session"] != third["session"]


@crowd.scene()
def an_approval_grows_stale_and_the_next_one_renews_it(company: Company):
    with company.ssh("emma", "-tt") as terminal:
        log_in(company, terminal, "emma")
        company.event("session_open", "emma")
        record = the_record("emma")
        change_record("emma", verified_at=record["verified_at"] - 601)
        # Nobody can be asked there, and it says what would have been needed.
        assert "uid=" not in sudo_with_nobody_to_ask(terminal)
        assert "root" in sudo_after_approval(company, terminal, "emma")
        assert the_record("emma")["id"] == record["id"]
        assert the_record("emma")["verified_at"] >= record["verified_at"]
        assert sudo_at_once(terminal) == "root"
        log_out(terminal)
    assert records("emma") == []
    stale, renewed, fresh = sudo_lines(company, "emma")
    assert stale["reason"] == "conv.none"
    assert "s old, fresh_within is 600 s" in stale["detail"]
    assert renewed["reason"] == fresh["reason"] == "ok"
    assert renewed["session"] == fresh["session"] == record["id"]


def explained(company: Company, account: str, service: str = "sudo", user: str | None = None) -> str:
    return company.machine.run(["pam-oidc", "explain", account, "--service", service], check=False,
                               user=user).stdout


@crowd.scene()
def explain_says_whether_sudo_will_ask(company: Company):
    assert "\n  no session of the account has one\n" in explained(company, "lena")
    with company.ssh("lena", "-tt") as terminal:
        log_in(company, terminal, "lena")
        company.event("session_open", "lena")
        record = the_record("lena")
        said = explained(company, "lena")
        assert f"\n  session {record['id']} by sshd from 127.0." in said, said
        assert " s ago: counts, nobody is asked; group linux-admins\n" in said
        assert f"\nowner         open     sub={record['subject']} at {company.idp.issuer}, since " in said
        assert sudo_at_once(terminal) == "root"

        change_record("lena", verified_at=record["verified_at"] - 601)
        said = explained(company, "lena")
        assert re.search(r": asks again; the approval in this session is 6\d\d s old, fresh_within is 600 s\n", said), said
        assert "uid=" not in sudo_with_nobody_to_ask(terminal)
        said = explained(company, "lena", "su")
        assert "sign-on       open     one of acr_values phr; at most max_age 3600 s ago\n" in said
        # Nobody else sees who is logged in.
        assert record["id"] not in explained(company, "lena", user="paula")
        log_out(terminal)


@crowd.scene("K07")
def a_record_that_was_tampered_with_is_no_approval(company: Company):
    with company.ssh("frida", "-tt") as terminal:
        log_in(company, terminal, "frida")
        record = the_record("frida")
        change_record("frida", forged=True)
        sudo_with_nobody_to_ask(terminal)
        change_record("frida", version=99)
        path = STORE / f"{record['uid']}.{record['id']}"
        path.chmod(0o644)
        sudo_with_nobody_to_ask(terminal)
        log_out(terminal)
        path.unlink()
    assert [line["reason"] for line in sudo_lines(company, "frida")] == ["conv.none"] * 2
    notes = [line.fields["detail"] for line in company.log.lines(matching="event=note")
             if record["id"] in line.fields.get("detail", "")]
    assert any("with a member that we do not write" in note for note in notes), notes
    assert any("is open to others" in note for note in notes), notes


@crowd.scene("M06")
def an_ordinary_user_reaches_nothing_of_the_store(company: Company):
    with company.ssh("greta", "-tt") as terminal:
        log_in(company, terminal, "greta")
        record = the_record("greta")
        path = STORE / f"{record['uid']}.{record['id']}"
        for command in (f"ls {STORE}", f"cat {path}", f"touch {STORE}/x", f"rm -f {path}",
                        f"mv {STORE} /tmp/mine", f"ln -s /tmp {STORE}/y", f"rm -rf {STORE}"):
            assert terminal.run_in_shell(f"{command} 2>&1 || echo 'ref''used'").strip().endswith(
                "refused"), command
        assert path.stat().st_mode & 0o7777 == 0o600
        assert pwd.getpwuid(path.stat().st_uid).pw_name == "pam-oidc"
        assert STORE.stat().st_mode & 0o7777 == 0o700
        assert "token" not in path.read_text().replace('"refresh_token":""', "")
        log_out(terminal)


@crowd.scene("I04")
def a_login_that_may_not_use_sudo_is_no_approval_for_it(company: Company):
    with company.ssh("paula", "-tt") as terminal:
        log_in(company, terminal, "paula")
        sudo_with_nobody_to_ask(terminal)
        log_out(terminal)
    line, = sudo_lines(company, "paula")
    assert line["reason"] == "conv.none" and "group.nomatch" in line["detail"]


@crowd.scene("B20")
def a_service_that_demands_more_asks_for_it_and_sees_that_it_was_done(company: Company):
    with client.su("ida", "hanna", "id -un", timeout=60) as terminal:
        company.idp.approve(terminal.verification().user_code, "hanna", acr="pwd")
        assert terminal.wait(60) == 1
    assert company.decision(user="hanna", service="su")["reason"] == "token.acr"
    with client.su("ida", "jutta", "id -un", timeout=60) as terminal:
        company.idp.approve(terminal.verification().user_code, "jutta", acr="phr")
        terminal.expect(r"jutta\r\n")
        assert terminal.wait(60) == 0
    line = company.decision(user="jutta", service="su")
    assert (line["reason"], line["acr"]) == ("ok", "phr")
    asked = [one for one in company.idp.requests() if "acr_values" in json.dumps(one)]
    assert asked, "the provider heard nothing of acr_values"


@pytest.fixture(scope="module")
def performed(request, company):
    yield from crowd.perform(request, "test_scene", company)


@pytest.mark.parametrize("name", crowd.names())
def test_scene(name, performed):
    performed.of(name)


# --- one after the other ---

def test_a_fresh_approval_costs_no_request(company, performed, syslog):
    with company.ssh("klara", "-tt") as terminal:
        log_in(company, terminal, "klara")
        company.event("session_open", "klara")
        company.idp.hits(reset=True)
        assert sudo_at_once(terminal) == "root"
        assert company.idp.hits() == {}
        log_out(terminal)
    company.event("session_close", "klara")


def test_without_an_audit_session_descent_tells_the_session(company, performed, syslog):
    """Where no pam_loginuid began one: containers, and stacks that somebody wrote."""
    assert LOGINUID in shipped("sshd")
    with company.machine.changes():
        company.machine.pam("sshd", shipped("sshd").replace(LOGINUID, ""))
        with company.ssh("klara", "-tt") as terminal:
            log_in(company, terminal, "klara")
            opened = company.event("session_open", "klara")
            record = the_record("klara")
            assert record["audit_session"] == 0xffffffff and record["opener"]
            assert sudo_at_once(terminal) == "root"
            done = company.machine.run(["setsid", "--wait", "sudo", "id"], user="klara",
                                       check=False, timeout=20)
            assert done.returncode == 1
            log_out(terminal)
    assert company.event("session_close", "klara")["session"] == opened["session"]
    inside, outside = sudo_lines(company, "klara")
    assert (inside["reason"], outside["reason"]) == ("ok", "conv.none")


def test_a_store_that_is_not_ours_changes_no_login(company, performed, syslog):
    """Catalogue M06, M11: the login is decided, the session is one that is not ours."""
    aside = STORE.with_name("aside")
    os.rename(STORE, aside)
    try:
        company.machine.directory(STORE, 0o777)
        with company.ssh("klara", "-tt") as terminal:
            log_in(company, terminal, "klara")
            log_out(terminal)
        assert list(STORE.iterdir()) == []
        STORE.rmdir()
    finally:
        os.rename(aside, STORE)
    line = company.decided("ok", user="klara", service="sshd")
    assert "session" not in line
    assert any("session.store: " in line.fields.get("detail", "")
               for line in company.log.lines(matching="event=note"))
