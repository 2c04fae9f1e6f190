# SPDX-License-Identifier: Apache-2.0
"""Whose an account is: pins, and `pam-oidc accounts`.  H08 H21 H23."""

import contextlib
import hashlib
import os

import pytest

import support
from crowd import Crowd
from fault.provider import ALICE
from harness.machine import CLI, PINS_DIR, PRODUCT_USER, wait_until

RACERS = 50

crowd = Crowd()


class Owners:
    """A bench on which accounts belong to subjects; each scene has an account of its own."""

    def __init__(self, machine, log):
        self.machine = machine
        self.bench = support.Bench(machine, log)
        self.bench.identity |= {"pin_subjects": True}

    def prepare(self, count: int) -> None:
        """Accounts; one after the other, because useradd locks its files."""
        self._free = [f"owned{number}" for number in range(count)]
        for name in self._free:
            self.machine.add_user(name)

    def account(self) -> str:
        return self._free.pop()

    def login(self, idp, account: str, **options) -> support.Attempt:
        access = {"allow_users": [account]} | options.pop("access", {})
        return self.bench.login(idp, user=account, access=access, **options)

    def run(self, *words, user=None):
        return self.machine.run([str(CLI), "accounts", *words], user=user, check=False)


def person(account: str, subject: str = "the-first", **claims) -> dict:
    return ALICE | {"sub": subject, "sAMAccountName": account} | claims


def pin_of(account: str):
    return PINS_DIR / hashlib.sha256(account.encode()).hexdigest()


@pytest.fixture(scope="module")
def owners(machine, syslog_collector):
    machine.free_accounts()
    syslog_collector.clear()  # services are numbered in each file anew
    with machine.changes():
        made = Owners(machine, syslog_collector)
        made.prepare(len(crowd.names()))
        yield made
    machine.free_accounts()


@crowd.scene("H08-H21")
def an_account_is_the_first_subjects_until_it_is_released(owners):
    account = owners.account()
    with owners.bench.provider(person=person(account)) as idp:
        owners.login(idp, account).assert_granted()
        facts = pin_of(account).stat()
        assert (facts.st_mode & 0o777, facts.st_nlink) == (0o600, 1)
        assert pin_of(account).owner() == PRODUCT_USER
        assert f": sub=the-first at {idp.issuer}\n" in owners.run("list").stdout

        # The name is the same; the person is not.
        idp.person = person(account, "somebody-new")
        refused = owners.login(idp, account)
        refused.assert_denied("PAM_AUTH_ERR", "map.sub_changed")
        assert "somebody-new" not in "".join(map(str, refused.lines))
        assert "sub_changed" not in refused.report.text()

        assert owners.run("release", account).returncode == 0
        owners.login(idp, account).assert_granted()
        idp.person = person(account)
        owners.login(idp, account).assert_denied("PAM_AUTH_ERR", "map.sub_changed")


@crowd.scene("H08")
def the_owner_comes_and_goes(owners):
    account = owners.account()
    with owners.bench.provider(person=person(account)) as idp:
        owners.login(idp, account).assert_granted()
        idp.person = person(account, email="renamed@corp.example", preferred_username="renamed")
        owners.login(idp, account).assert_granted()


@crowd.scene("H08")
def the_same_subject_at_another_provider_is_somebody_else(owners):
    account = owners.account()
    with owners.bench.provider(person=person(account)) as idp, \
            owners.bench.provider(person=person(account)) as other:
        owners.login(idp, account).assert_granted()
        owners.login(other, account).assert_denied("PAM_AUTH_ERR", "map.sub_changed")


@crowd.scene()
def a_login_that_is_refused_makes_nobody_the_owner(owners):
    account = owners.account()
    with owners.bench.provider(person=person(account)) as idp:
        denied = owners.login(idp, account,
                              access={"allow_users": [], "allow_groups": ["nobody-is-here"]})
        denied.assert_denied("PAM_PERM_DENIED", "group.nomatch")
        assert not pin_of(account).exists()
        again = owners.run("release", account)
        assert (again.returncode, again.stderr) == (1, f"{account} belongs to nobody\n")


@crowd.scene()
def a_shared_account_has_no_owner(owners):
    account = owners.account()
    shared = f'[accounts.{account}]\nusernames = ["carol"]\nallow_people = true'
    with owners.bench.section(f"shared-{account}", shared), owners.bench.provider() as idp:
        for subject in ("s-1", "s-2"):
            idp.person = person(account, subject)
            owners.login(idp, account).assert_granted()
        assert not pin_of(account).exists()


def spoil_link(pin):
    pin.rename(pin.with_name(f"moved-{pin.name}"))
    pin.symlink_to(f"moved-{pin.name}")


SPOILT = {
    "truncated": lambda pin: os.truncate(pin, 20),
    "empty": lambda pin: os.truncate(pin, 0),
    "link": spoil_link,
    "open-to-others": lambda pin: pin.chmod(0o644),
    "another-users": lambda pin: os.chown(pin, 2001, 2001),
    "another-version": lambda pin: pin.write_text(pin.read_text().replace('"version":1', '"version":2')),
}


def spoilt(how):
    def an_owner_that_cannot_be_read_frees_no_account(owners):
        account = owners.account()
        with owners.bench.provider(person=person(account)) as idp:
            owners.login(idp, account).assert_granted()
            SPOILT[how](pin_of(account))
            for subject in ("the-first", "somebody-new"):
                idp.person = person(account, subject)
                owners.login(idp, account).assert_denied("PAM_AUTHINFO_UNAVAIL", "map.pin_store")
            assert owners.run("list").returncode == 1
            assert owners.run("release", account).returncode == 0
            owners.login(idp, account).assert_granted()
    return an_owner_that_cannot_be_read_frees_no_account


for each in SPOILT:
    crowd.scene("M06-M12", each)(spoilt(each))


@crowd.scene("H23")
def of_fifty_first_logins_at_once_one_subject_gets_the_account(owners):
    account = owners.account()
    bench = owners.bench
    with bench.provider(approve_after=None) as idp, \
            bench.service(idp, access={"allow_users": [account]}) as service, \
            contextlib.ExitStack() as stop:
        racers = []
        for _ in range(RACERS):
            racers.append(stop.enter_context(bench.start(service, user=account)))
            if len(racers) % 5 == 0:  # a busy machine needs time for each
                wait_until(lambda: len(idp.transactions) >= len(racers), timeout=60,
                           what="the questions")
        for number, transaction in enumerate(list(idp.transactions)):
            transaction.approve(person(account, f"subject-{number}"))
        codes = [app.finish(60).code("authenticate") for app in racers]
        decided = wait_until(lambda: (found := bench.decisions(service)) and
                             len(found) == RACERS and found, what="all decisions")
        reasons = [line.fields["reason"] for line in decided]
        assert codes.count("PAM_SUCCESS") == reasons.count("ok") == 1, reasons
        assert codes.count("PAM_AUTH_ERR") == RACERS - 1
        # Who came while the winner was written down lost the race; later ones see whose it is.
        assert set(reasons) <= {"ok", "map.bind_race", "map.sub_changed"}, reasons
        assert f"{account} since " in owners.run("list").stdout


@pytest.fixture(scope="module")
def performed(request, owners):
    yield from crowd.perform(request, "test_scene", owners)


@pytest.mark.parametrize("name", crowd.names())
def test_scene(name, performed):
    performed.of(name)


# --- what concerns every account ---

@contextlib.contextmanager
def without_directory():
    aside = PINS_DIR.with_name("aside")
    PINS_DIR.rename(aside)
    try:
        yield
    finally:
        aside.rename(PINS_DIR)


def test_M06_without_its_directory_no_account_is_free(owners):
    with owners.bench.provider() as idp, without_directory():
        owners.login(idp, "alice").assert_denied("PAM_AUTHINFO_UNAVAIL", "map.pin_store")
        assert owners.run("list").returncode == 1
        with owners.bench.service(idp):
            checked = owners.machine.run([str(CLI), "check"], check=False)
            assert f"warning: {PINS_DIR} is missing" in checked.stdout, checked


def test_owners_are_roots_matter(owners):
    for words in (("list",), ("release", "alice")):
        done = owners.run(*words, user="alice")
        assert (done.returncode, done.stderr) == (1, "only root can do this\n")
