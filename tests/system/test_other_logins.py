# SPDX-License-Identifier: Apache-2.0
"""Logins that did not come through us, such as those with a key: other_logins=recent, where the
account's last verified login on this host speaks for it, and `pam-oidc sessions`.  J04 I11.
"""

import contextlib

import pytest

import leavers
import support
from crowd import Crowd
from fault.provider import ALICE
from harness import conv
from harness.machine import CLI, PRODUCT_USER, wait_until
from harness.sshd import Sshd

STACK = ("auth required pam_oidc.so text=direct\n"
         "account required pam_oidc.so other_logins={}\n"
         "account required pam_permit.so\n")
BY_GROUP = {"allow_users": [], "allow_groups": ["linux-admins"], "recent_within": "60s"}

crowd = Crowd()


class Host:
    """A bench whose services take other logins; each scene has an account of its own."""

    def __init__(self, machine, log):
        self.machine, self.log = machine, log
        self.bench = support.Bench(machine, log)
        self._free = [f"other{number}" for number in range(len(crowd.names()) + 2)]
        for name in self._free:  # one after the other: useradd locks its files
            machine.add_user(name)

    @contextlib.contextmanager
    def scene(self, access=None, other_logins="recent", service=None, **knobs):
        with self.bench.provider(**{"return_refresh_token": True} | knobs) as idp, \
                contextlib.ExitStack() as stack:
            account = self._free.pop()
            idp.person = ALICE | {"sub": f"sub-of-{account}", "sAMAccountName": account}
            name = stack.enter_context(self.bench.service(
                idp, access=access or BY_GROUP, stack=STACK.format(other_logins), service=service))
            yield Scene(self, idp, name, account)


class Scene:
    def __init__(self, host, idp, service, account):
        self.host, self.idp, self.service, self.account = host, idp, service, account
        self.last = leavers.LastLogin(account)

    def log_in(self) -> None:
        """As one does through us."""
        bench = self.host.bench
        with bench.start(self.service, user=self.account) as app:
            assert app.finish(60).code("authenticate") == "PAM_SUCCESS"

    def start(self) -> conv.PamApp:
        return conv.PamApp(conv.login(self.service, self.account, calls=("acct_mgmt",),
                                      items=support.TERMINAL))

    def lines(self) -> list:
        return [line for line in self.host.log.lines(matching=r"^(?:\S+ )?event=account ")
                if line.fields.get("service") == self.service]

    def come_with_a_key(self, app=None) -> tuple[str, str]:
        """PAM's answer to a login that we did not authenticate, and the reason in the log."""
        known = len(self.lines())
        with app or self.start() as running:
            report = running.finish(60)
        line = wait_until(lambda: self.lines()[known:], what="an audit line")[0]
        assert line.fields["user"] == self.account
        support.assert_nothing_secret(self.idp, *self.host.log.lines())
        return report.code("acct_mgmt"), line.fields["reason"]

    def renewals(self) -> int:
        return sum(hit.form.get("grant_type") == "refresh_token" for hit in self.idp.hits["token"])

    def requests(self) -> int:
        return len(self.idp.all_hits)


GRANTED = ("PAM_SUCCESS", "ok")


@crowd.scene("J04")
def ignore_has_no_opinion_and_deny_denies(host):
    with host.scene(other_logins="ignore") as scene:
        with scene.start() as app:
            assert app.finish(60).code("acct_mgmt") == "PAM_SUCCESS"  # pam_permit's
        assert scene.lines() == [] and scene.requests() == 0
    with host.bench.provider() as idp, \
            host.bench.service(idp, stack=STACK.format("deny")) as service:
        denied = Scene(host, idp, service, "alice")
        assert denied.come_with_a_key() == ("PAM_PERM_DENIED", "acct.not_authenticated")


@crowd.scene("J04")
def without_a_verified_login_a_key_opens_nothing(host):
    with host.scene() as scene:
        assert scene.come_with_a_key() == ("PAM_PERM_DENIED", "acct.not_recent")
        assert scene.requests() == 0


@crowd.scene("J04")
def a_recent_login_speaks_for_a_key_and_asks_nobody(host):
    with host.scene() as scene:
        scene.log_in()
        facts = scene.last.path.stat()
        assert (facts.st_mode & 0o777, scene.last.path.owner()) == (0o600, PRODUCT_USER)
        before = scene.requests()
        assert scene.come_with_a_key() == GRANTED
        assert scene.come_with_a_key() == GRANTED
        assert scene.requests() == before


@crowd.scene("J04")
def a_service_without_recent_within_takes_no_other_login(host):
    with host.scene(access={"allow_users": [], "allow_groups": ["linux-admins"]}) as scene:
        scene.log_in()
        assert scene.come_with_a_key() == ("PAM_PERM_DENIED", "acct.not_recent")


@crowd.scene()
def what_is_too_old_is_renewed_with_a_token_that_changes_each_time(host):
    with host.scene() as scene:
        scene.log_in()
        for times in (1, 2, 3):
            scene.last.grow_old()
            assert scene.come_with_a_key() == GRANTED
            assert scene.renewals() == times
        assert scene.come_with_a_key() == GRANTED  # recent again
        assert scene.renewals() == 3
        assert not scene.idp.violations, scene.idp.violations


@crowd.scene()
def a_provider_that_keeps_the_token_and_sends_no_id_token_is_asked_by_userinfo(host):
    with host.bench.provider(return_refresh_token=True, rotate_refresh_tokens=False) as idp, \
            host.bench.service(idp, settings={"identity_source": "userinfo"}, access=BY_GROUP,
                               stack=STACK.format("recent")) as service:
        account = host._free.pop()
        idp.person = ALICE | {"sub": f"sub-of-{account}", "sAMAccountName": account}
        scene = Scene(host, idp, service, account)
        scene.log_in()
        idp.return_id_token = False
        for _ in range(2):
            scene.last.grow_old()
            assert scene.come_with_a_key() == GRANTED


@crowd.scene()
def somebody_who_left_stays_outside_although_the_key_is_there(host):
    with host.scene() as scene:
        scene.log_in()
        scene.idp.left.add(scene.idp.person["sub"])
        assert scene.come_with_a_key() == GRANTED  # recent_within is what is accepted
        scene.last.grow_old()
        assert scene.come_with_a_key() == ("PAM_PERM_DENIED", "acct.revoked")
        # The token is forgotten: the provider is not asked again.
        assert scene.come_with_a_key() == ("PAM_PERM_DENIED", "acct.not_recent")
        assert scene.renewals() == 1
        assert not scene.last.has_token()


@crowd.scene("I11")
def a_group_that_was_taken_away_counts_with_the_next_renewal(host):
    with host.scene() as scene:
        scene.log_in()
        groups = scene.idp.person["groups"]
        scene.idp.person = scene.idp.person | {"groups": ["strangers"]}
        scene.last.grow_old()
        assert scene.come_with_a_key() == ("PAM_PERM_DENIED", "group.nomatch")
        scene.idp.person = scene.idp.person | {"groups": groups}
        assert scene.come_with_a_key() == GRANTED


@crowd.scene()
def without_a_refresh_token_the_person_has_to_come_through_us(host):
    with host.scene(return_refresh_token=False) as scene:
        scene.log_in()
        scene.last.grow_old()
        assert scene.come_with_a_key() == ("PAM_PERM_DENIED", "acct.not_recent")
        scene.log_in()
        assert scene.come_with_a_key() == GRANTED


@crowd.scene()
def a_provider_that_is_away_renews_nothing_and_ends_nothing(host):
    with host.scene() as scene:
        scene.log_in()
        scene.last.grow_old()
        scene.idp.behave("token", "http.502-html")
        assert scene.come_with_a_key() == ("PAM_PERM_DENIED", "idp.status")
        scene.idp.behave("token", "default")
        assert scene.come_with_a_key() == GRANTED


@crowd.scene("H08")
def a_renewal_about_somebody_else_is_nobodys(host):
    with host.scene() as scene:
        scene.log_in()
        scene.last.grow_old()
        scene.idp.id_token_claims = {"sub": "somebody-else"}
        assert scene.come_with_a_key() == ("PAM_PERM_DENIED", "map.sub_changed")


@crowd.scene()
def of_several_at_once_one_asks_the_provider(host):
    with host.scene() as scene:
        scene.log_in()
        scene.last.grow_old()
        apps = [scene.start() for _ in range(4)]
        with contextlib.ExitStack() as stop:
            for app in apps:
                stop.enter_context(app)
            codes = [app.finish(60).code("acct_mgmt") for app in apps]
        assert codes == ["PAM_SUCCESS"] * 4
        assert scene.renewals() == 1 and not scene.idp.violations, scene.idp.violations


@crowd.scene("M06")
def a_last_login_that_anybody_could_have_written_is_none(host):
    with host.scene() as scene:
        scene.log_in()
        scene.last.path.chmod(0o666)
        assert scene.come_with_a_key() == ("PAM_PERM_DENIED", "acct.not_recent")


@crowd.scene()
def an_administrator_ends_it_and_no_token_is_ever_printed(host):
    with host.scene() as scene:
        scene.log_in()
        command = [str(CLI), "sessions"]
        tokens = list(scene.idp.refresh_tokens)
        listing = host.machine.run([*command, "list"], check=False)
        listed = listing.stdout
        mine = [line for line in listed.splitlines() if f" {scene.account} " in line]
        assert {line.split()[1] for line in mine} >= {"last"}, listing
        shown = host.machine.run([*command, "show", mine[0].split()[0]]).stdout
        assert f"sub-of-{scene.account}" in shown and "kept, sealed" in shown
        sealed = scene.last.record()["refresh_token"]
        for secret in (*tokens, sealed):
            assert secret not in listed + shown
        ended = host.machine.run([*command, "end", "--user", scene.account]).stdout
        assert "revocation: done" in ended, ended
        assert scene.idp.revoked == tokens
        assert scene.come_with_a_key() == ("PAM_PERM_DENIED", "acct.not_recent")
        again = host.machine.run([*command, "end", "--user", scene.account], check=False)
        assert again.returncode == 1 and "ended" not in again.stdout
        for words in (("list",), ("end", "--user", "alice")):
            refused = host.machine.run([*command, *words], user="alice", check=False)
            assert (refused.returncode, refused.stderr) == (1, "only root can do this\n")


@pytest.fixture(scope="module")
def host(machine, syslog_collector):
    with leavers.keeping_tokens(Host, machine, syslog_collector) as made:
        yield made


@pytest.fixture(scope="module")
def performed(request, host):
    yield from crowd.perform(request, "test_scene", host)


@pytest.mark.parametrize("name", crowd.names())
def test_scene(name, performed):
    performed.of(name)


def test_J04_a_leavers_ssh_key_stops_working(host):
    """With the real sshd: a public key alone, after a login through us."""
    with host.scene(service="sshd") as scene, Sshd(AuthenticationMethods="publickey") as sshd:
        key = leavers.give_key(host.machine, scene.account)
        assert leavers.come(sshd, scene.account, key) == 255
        scene.log_in()
        assert leavers.come(sshd, scene.account, key) == 0
        scene.last.grow_old()
        assert leavers.come(sshd, scene.account, key) == 0  # renewed, and nobody was asked
        assert scene.renewals() == 1
        scene.idp.left.add(scene.idp.person["sub"])
        scene.last.grow_old()
        assert leavers.come(sshd, scene.account, key) == 255
        assert leavers.verdicts(host.log, scene.account) == [
            "acct.not_recent", "ok", "ok", "acct.revoked"]
