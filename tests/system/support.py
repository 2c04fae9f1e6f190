# SPDX-License-Identifier: Apache-2.0
"""Many logins at once: a bench on which each login has a provider and a service of its own, and a pool
that plays a table of rows in the background while the tests look at one result each.

    with bench.provider(approve_after=0) as idp:
        idp.behave("jwks", "http.502-html")
        attempt = bench.login(idp, settings={"identity_source": "userinfo"})
    attempt.assert_denied("PAM_AUTHINFO_UNAVAIL", "idp.status")
"""

import concurrent.futures
import contextlib
import dataclasses
import itertools
import json
import threading

import pytest

from fault import FaultProvider
from fault import pki as pki_module
from harness import conv
from harness.machine import CONFIG_DIR, Machine, wait_until
from harness.syslog import Line, SyslogCollector

CA_FILE = CONFIG_DIR / "fault-ca.crt"
SECRET_FILE = CONFIG_DIR / "fault.secret"
CLIENT_SECRET = "canary-client-secret-7Qx"
#: Text appears at once, as in sudo, so that nobody has to press Enter.
DIRECT = "auth required pam_oidc.so text=direct\naccount required pam_permit.so\n"
#: The question waits for Enter, as in sshd.
PROMPT = "auth required pam_oidc.so text=prompt\naccount required pam_permit.so\n"
TERMINAL = {"tty": "pts/7", "rhost": "192.0.2.1"}
#: What a reason's class means to PAM (DESIGN section 7).
CODES = {"granted": "PAM_SUCCESS", "refused": "PAM_AUTH_ERR", "forbidden": "PAM_PERM_DENIED",
         "unavailable": "PAM_AUTHINFO_UNAVAIL", "unknown_user": "PAM_USER_UNKNOWN",
         "max_tries": "PAM_MAXTRIES", "conversation": "PAM_CONV_ERR"}


def toml(value) -> str:
    """A value as TOML; JSON's strings, numbers, booleans and lists are TOML's, too."""
    return json.dumps(value)


@dataclasses.dataclass(frozen=True)
class Attempt:
    """What one login came to."""
    code: str
    seconds: float
    report: conv.Report
    decisions: list[Line]  # its event=login lines
    lines: list[Line]      # all of its lines, notes included

    @property
    def fields(self) -> dict[str, str]:
        assert len(self.decisions) == 1, f"not one decision but {self}"
        return self.decisions[0].fields

    @property
    def reason(self) -> str:
        return self.fields.get("reason", "")

    def is_about(self, reason: str) -> bool:
        return [line.fields.get("reason") for line in self.decisions] == [reason]

    @property
    def notes(self) -> str:
        return "\n".join(line.fields.get("detail", "") for line in self.lines
                         if line.fields.get("event") == "note")

    def assert_granted(self) -> None:
        assert (self.code, self.reason) == ("PAM_SUCCESS", "ok"), str(self)
        assert self.fields["outcome"] == "granted"

    def assert_denied(self, code: str, *reasons: str) -> None:
        """Denied with this code and one of these reasons, and nothing contradicts it in the line."""
        assert self.code == code and self.reason in reasons, f"not {code} {reasons} but {self}"
        assert self.fields["outcome"] == "denied"
        if "class" in self.fields:  # the module's own lines have none
            assert CODES[self.fields["class"]] == code, str(self)

    def __str__(self) -> str:
        return "\n".join([f"{self.code} after {self.seconds:.1f} s", *map(str, self.lines),
                          str(self.report)])


class Bench:
    """Services, providers and their sections in one configuration that changes while logins run:
    each login reads it once, at its start."""

    def __init__(self, machine: Machine, log: SyslogCollector):
        self.machine, self.log = machine, log
        self._lock = threading.Lock()
        # Beginning a login is work, waiting is none: forty at once would take each other's 3 s for
        # connecting away on a small machine.
        self._beginning = threading.Semaphore(6)
        self._numbers = itertools.count(1)
        self._sections: dict[str, str] = {}
        # alice is somebody else at each of the providers.
        self.identity = {"username_claim": "sAMAccountName", "one_namespace": True,
                         "pin_subjects": False}
        self.pki = pki_module.shared()
        with open(self.pki.ca_file, "rb") as pem:
            machine.secret(CA_FILE.name, pem.read(), mode=0o644)
        machine.secret(SECRET_FILE.name, CLIENT_SECRET + "\n")

    @contextlib.contextmanager
    def provider(self, host="localhost", address="127.0.0.1", issuer_path="", split=False, **knobs):
        """A fault provider with a client_id nobody else has, so that no cache is shared.  Knobs are
        its attributes; by default it approves at the first poll."""
        client_id = f"client-{next(self._numbers)}"
        idp = FaultProvider(host, address, issuer_path, split, client_id=client_id,
                            client_secret=CLIENT_SECRET)
        idp.approve_after = 0
        for name, value in knobs.items():
            assert hasattr(idp, name), name
            setattr(idp, name, value)
        with idp:
            yield idp

    @contextlib.contextmanager
    def service(self, idp, settings: dict | None = None, access: dict | None = None,
                stack: str = DIRECT, service: str | None = None):
        """A PAM service that logs in at the provider; yields its name.  SETTINGS and ACCESS are laid
        over the right keys of [provider.X] and [access.X]; None takes a key away."""
        name = service or f"s{next(self._numbers)}"
        provider = {"issuer": idp.issuer, "client_id": idp.client_id, "scopes": ["openid"],
                    "client_secret_file": str(SECRET_FILE), "ca_file": str(CA_FILE),
                    **(settings or {})}
        rules = {"provider": f"p-{name}", "allow_users": ["alice"], **(access or {})}
        lines = [f"[provider.p-{name}]", *(f"{k} = {toml(v)}" for k, v in provider.items()
                                           if v is not None),
                 f"[access.{name}]", *(f"{k} = {toml(v)}" for k, v in rules.items() if v is not None)]
        with self._lock:
            self.machine.pam(name, stack)
            self._sections[name] = "\n".join(lines)
            self._write()
        try:
            yield name
        finally:
            with self._lock:
                self._sections.pop(name)
                self._write()
                self.machine.remove(f"/etc/pam.d/{name}")

    @contextlib.contextmanager
    def section(self, name: str, text: str):
        """One more section of the configuration, as it is."""
        with self._lock:
            self._sections[name] = text
            self._write()
        try:
            yield
        finally:
            with self._lock:
                self._sections.pop(name)
                self._write()

    def _write(self) -> None:
        head = ["[identity]", *(f"{key} = {toml(value)}" for key, value in self.identity.items())]
        self.machine.config("\n\n".join(["\n".join(head), *self._sections.values()]) + "\n")

    def start(self, service: str, *answers, user="alice", items: dict | None = None, **options):
        """A login that runs; give it to finish().  Options are PamApp's."""
        steps = conv.login(service, user, *answers, calls=("authenticate",),
                           items=TERMINAL if items is None else items)
        # libpam's pause after a failure is its own.
        steps.insert(steps.index(["start"]) + 1, ["record-delay"])
        return conv.PamApp(steps, **options)

    def finish(self, app: conv.PamApp, service: str, timeout: float = 60, before: int = 0) -> Attempt:
        """BEFORE decisions about the service are earlier logins'."""
        report = app.finish(timeout)
        decisions = wait_until(lambda: self.decisions(service)[before:], what=f"a decision about {service}")
        attempts = {line.fields.get("attempt") for line in decisions}
        lines = [line for line in self.log.lines() if line.fields.get("attempt") in attempts]
        return Attempt(report.code("authenticate"), report.took_ms("authenticate") / 1000, report,
                       decisions, lines)

    def decisions(self, service: str) -> list[Line]:
        return [line for line in self.log.lines(matching=r"^(?:\S+ )?event=login ")
                if line.fields.get("service") == service]

    def login(self, idp, *answers, settings: dict | None = None, access: dict | None = None,
              stack: str = DIRECT, user="alice", timeout: float = 60, **options) -> Attempt:
        """One whole login at the provider, through a service made for it.  A machine so busy that the
        provider's thread did not get to shake hands in the product's three seconds says nothing about
        either: then it is played anew."""
        with self.service(idp, settings, access, stack) as service:
            for _ in range(3):
                before = len(self.decisions(service))
                attempt = self._login(service, *answers, user=user, timeout=timeout, before=before, **options)
                if not (idp.is_unmet and attempt.is_about("idp.timeout")):
                    break
            return attempt

    def _login(self, service: str, *answers, timeout: float, before: int, **options) -> Attempt:
        with contextlib.ExitStack() as stop:
            with self._beginning:
                app = stop.enter_context(self.start(service, *answers, **options))
                with contextlib.suppress(AssertionError):  # its end, or a provider that is slow
                    app.wait_event("message", timeout=1.5)
            return self.finish(app, service, timeout, before)


def secrets_of(idp) -> set[str]:
    """What must not be in any log: the client's secret, codes and tokens that this provider made."""
    found = {CLIENT_SECRET, idp.client_secret, *idp.tokens}
    for transaction in list(idp.transactions):
        found |= {transaction.device_code, transaction.user_code}
    return found


def assert_nothing_secret(idp, *lines: Line) -> None:
    for secret in secrets_of(idp):
        for line in lines:
            assert secret not in line.text, f"a secret of {idp.client_id} is in the log: {line}"


def assert_correct_client(idp, violations: bool = False) -> None:
    """The provider made no mistake itself, saw none of the client's, and its canaries saw nobody."""
    assert not idp.errors, "the fault provider failed:\n" + "\n".join(idp.errors)
    assert violations or not idp.violations, idp.violations
    idp.assert_canaries_untouched()


class Background:
    """Plays rows in threads, in the order given; a test asks for its row's result."""

    def __init__(self, names, play, workers: int = 48):
        self._pool = concurrent.futures.ThreadPoolExecutor(workers)
        self._results = {name: self._pool.submit(play, name) for name in names}

    def __enter__(self) -> "Background":
        return self

    def __exit__(self, *_) -> None:
        self._pool.shutdown(cancel_futures=True)

    def future(self, name) -> concurrent.futures.Future:
        return self._results[name]

    def of(self, name):
        """Waits for the row; what went wrong in its thread is raised here."""
        return self._results[name].result()


def selected(request, function: str) -> list[str]:
    """The parameters called "name" with which a test of this module is going to run."""
    return [item.callspec.params["name"] for item in request.session.items
            if isinstance(item, pytest.Function) and item.module is request.module
            and item.originalname == function]
