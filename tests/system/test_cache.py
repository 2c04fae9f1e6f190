# SPDX-License-Identifier: Apache-2.0
"""Catalogue D03, D10-D17: key rotation, what outlives an outage, and files that are not ours."""

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import time

import pytest

import support
from crowd import Crowd
from fault import faults, jose
from harness.machine import CACHE_DIR, PRODUCT_USER

pytestmark = pytest.mark.timeout(240)
crowd = Crowd(workers=48)


def cache_file(idp, kind: str) -> pathlib.Path:
    """Where a document of this provider is kept (src/oidc/cache.h)."""
    text = f"{kind}\0{idp.issuer}\0{idp.client_id}"
    return CACHE_DIR / f"{kind}-{hashlib.sha256(text.encode()).hexdigest()}"


def sealed(entry: dict) -> bytes:
    """An entry with the checksum that makes it believable."""
    parts = (str(entry["format"]), entry["name"], entry["url"], str(entry["fetched_at"]), str(entry["ttl"]))
    text = "\0".join(parts) + "\0" + entry["document"]
    return json.dumps({**entry, "sha256": hashlib.sha256(text.encode()).hexdigest()}).encode()


def change(idp, kind: str, **members) -> None:
    """Changes a cached document in place, as if it had been written so."""
    path = cache_file(idp, kind)
    entry = json.loads(path.read_text())
    path.write_bytes(sealed({**entry, **{
        name: value(entry[name]) if callable(value) else value for name, value in members.items()}}))


def age(idp, kind: str, seconds: int) -> None:
    change(idp, kind, fetched_at=lambda before: before - seconds)


@contextlib.contextmanager
def warm(bench, **knobs):
    """A provider at which one login has gone well, and for which the cache is full."""
    with bench.provider(**knobs) as idp:
        bench.login(idp).assert_granted()
        assert len(idp.hits["jwks"]) == len(idp.hits["discovery"]) == 1
        yield idp


def finish(idp, *attempts) -> None:
    for attempt in attempts:
        support.assert_nothing_secret(idp, *attempt.lines)
    support.assert_correct_client(idp)


# -- D03 ----------------------------------------------------------------------------------------


def mixed_up(bench, share_keys: bool) -> support.Attempt:
    with bench.provider() as ours, bench.provider() as other:
        if share_keys:
            ours.keys.use(other.keys.current)
        token = other.id_token(aud=ours.client_id)
        ours.behave("token", faults.idtoken.made_by(lambda right, ex: token))
        attempt = bench.login(ours)
        finish(ours, attempt)
        return attempt


@crowd.scene("D03")
def a_token_of_another_issuer_with_the_same_keys_is_refused(bench):
    mixed_up(bench, share_keys=True).assert_denied("PAM_AUTH_ERR", "token.iss")


@crowd.scene("D03")
def a_token_of_another_issuer_with_its_own_keys_is_refused(bench):
    mixed_up(bench, share_keys=False).assert_denied("PAM_AUTH_ERR", "key.kid_unknown", "token.iss")


# -- D10-D14 ------------------------------------------------------------------------------------


@crowd.scene("D10")
def a_rotation_costs_one_more_request(bench):
    with warm(bench) as idp:
        idp.behave("jwks", "jwks.rotated-late")
        attempts = [bench.login(idp) for _ in range(2)]
        for attempt in attempts:
            attempt.assert_granted()
        assert len(idp.hits["jwks"]) == 2 and len(idp.hits["discovery"]) == 1
        finish(idp, *attempts)


@crowd.scene("D11")
def a_stream_of_unknown_key_ids_asks_once_a_minute(bench):
    with warm(bench) as idp:
        idp.behave("token", "idtoken.kid-unknown")
        names = [str(number) for number in range(12)]
        with support.Background(names, lambda _: bench.login(idp), len(names)) as stream:
            attempts = [stream.of(name) for name in names]
        for attempt in attempts:
            attempt.assert_denied("PAM_AUTH_ERR", "key.kid_unknown", "jwks.throttled")
        assert len(idp.hits["jwks"]) == 2
        # The one that asked knows that there is no such key; the others could not ask.
        reasons = [attempt.reason for attempt in attempts]
        assert reasons.count("key.kid_unknown") == 1, reasons
        idp.behave("token", "token.success")
        bench.login(idp).assert_granted()
        finish(idp, *attempts)


FAILURES = ("http.500", "http.502-html", "http.200-html", "http.304-without-cache", "http.503-retry-after-1e9",
            "http.reset", "http.refuse", "http.200-empty", "http.200-json-truncated", "http.200-json-10MiB",
            "http.200-error-and-success")
KEY_FAILURES = (*FAILURES, "jwks.keys-empty", "jwks.keys-missing", "jwks.oct", "tls.expired")


def outlived(bench, endpoint: str, failure: str) -> None:
    with warm(bench, split=True) as idp:
        idp.behave(endpoint, failure)
        age(idp, endpoint, 601)
        attempt = bench.login(idp)
        attempt.assert_granted()
        assert f"{endpoint}.stale" in attempt.notes, attempt.notes
        # A key id that nobody publishes is a reason to ask again, and that fails, too.
        if endpoint == "jwks":
            idp.behave("token", "idtoken.kid-unknown")
            assert bench.login(idp).code in ("PAM_AUTH_ERR", "PAM_AUTHINFO_UNAVAIL")
            idp.behave("token", "token.success")
            bench.login(idp).assert_granted()
        age(idp, endpoint, 3601)
        assert bench.login(idp).code == "PAM_AUTHINFO_UNAVAIL"
        support.assert_correct_client(idp)


for _failure in KEY_FAILURES:
    def _scene(bench, failure=_failure):
        outlived(bench, "jwks", failure)
    _scene.__name__ = f"old_keys_outlive_{_failure}"
    crowd.scene("D12")(_scene)
for _failure in FAILURES:
    def _scene(bench, failure=_failure):
        outlived(bench, "discovery", failure)
    _scene.__name__ = f"an_old_document_outlives_{_failure}"
    crowd.scene("D12", "D15")(_scene)


@crowd.scene("D12")
def an_old_document_does_not_outlive_one_that_says_something_else(bench):
    with warm(bench) as idp:
        idp.behave("discovery", "discovery.issuer-other-host")
        age(idp, "discovery", 601)
        bench.login(idp).assert_denied("PAM_AUTHINFO_UNAVAIL", "idp.issuer")
        finish(idp)


@crowd.scene("D12")
def an_old_document_does_not_outlive_a_stranger_in_the_providers_place(bench):
    with warm(bench) as idp:
        idp.behave("discovery", "tls.untrusted-root")
        age(idp, "discovery", 601)
        bench.login(idp).assert_denied("PAM_AUTHINFO_UNAVAIL", "tls.verify")
        finish(idp)


@crowd.scene("D13")
def a_retired_key_is_refused_once_the_cache_is_stale(bench):
    with warm(bench) as idp:
        retired = idp.keys.current
        idp.keys.published[:] = [jose.Key("RS256")]
        assert idp.keys.current is retired
        bench.login(idp).assert_granted()
        age(idp, "jwks", 601)
        attempt = bench.login(idp)
        attempt.assert_denied("PAM_AUTH_ERR", "key.kid_unknown")
        assert len(idp.hits["jwks"]) == 2
        finish(idp, attempt)


TTL = {"jwks.cache-1e12": 3600, "jwks.cache-overflow": 3600, "jwks.cache-0": 60, "jwks.cache-60": 60,
       "jwks.cache-two": None, "jwks.cache-quoted": None, "jwks.cache-no-store": 60, "jwks.cache-no-cache": 60,
       "jwks.cache-negative": 600, "jwks.cache-garbage": 600, "jwks.cache-empty": 600, "jwks.expires-past": None}


CLAMPED = ("jwks.cache-1e12", "jwks.cache-overflow", "jwks.cache-0", "jwks.cache-no-store", "jwks.cache-no-cache")


def kept_for(bench, behaviour: str) -> None:
    with bench.provider() as idp:
        idp.behave("jwks", behaviour)
        attempts = [bench.login(idp)]
        ttl = json.loads(cache_file(idp, "jwks").read_text())["ttl"]
        assert ttl == TTL[behaviour] if TTL[behaviour] else 60 <= ttl <= 3600
        assert ("jwks.ttl: " in attempts[0].notes) == (behaviour in CLAMPED)
        attempts.append(bench.login(idp))
        assert len(idp.hits["jwks"]) == 1
        age(idp, "jwks", ttl + 1)
        attempts.append(bench.login(idp))
        assert len(idp.hits["jwks"]) == 2
        for attempt in attempts:
            attempt.assert_granted()
        finish(idp, *attempts)


assert set(TTL) == set(faults.names(catalogue="D14"))
for _name in TTL:
    def _scene(bench, behaviour=_name):
        kept_for(bench, behaviour)
    _scene.__name__ = f"keys_are_kept_for_a_clamped_time_after_{_name}"
    crowd.scene("D14")(_scene)


# -- D15, D16 -----------------------------------------------------------------------------------


@crowd.scene("D15")
def a_provider_that_is_down_denies_many_cold_logins_at_once(bench):
    """They do not wait for each other's time-outs one after the other."""
    with bench.provider() as idp:
        idp.behave("discovery", "http.accept-silent")
        names = [str(number) for number in range(8)]
        with support.Background(names, lambda _: bench.login(idp), len(names)) as herd:
            attempts = [herd.of(name) for name in names]
        for attempt in attempts:
            attempt.assert_denied("PAM_AUTHINFO_UNAVAIL", "idp.timeout", "idp.down")
            assert attempt.seconds <= 15 + 5
        finish(idp, *attempts)


@crowd.scene("D15")
def a_warm_cache_needs_neither_document_nor_keys(bench):
    with warm(bench, split=True) as idp:
        idp.behave("discovery", "http.refuse")
        idp.behave("jwks", "http.refuse")
        attempt = bench.login(idp)
        attempt.assert_granted()
        assert len(idp.hits["jwks"]) == len(idp.hits["discovery"]) == 1
        finish(idp, attempt)


@crowd.scene("D15")
def nobody_is_let_in_by_a_warm_cache_alone(bench):
    with warm(bench) as idp:
        idp.behave("discovery", "http.refuse")  # the one port of all endpoints
        attempt = bench.login(idp)
        attempt.assert_denied("PAM_AUTHINFO_UNAVAIL", "idp.connect")
        assert attempt.seconds <= 3 + 5
        finish(idp, attempt)


@crowd.scene("D16")
def a_herd_with_an_empty_cache_fetches_each_document_once(bench):
    with bench.provider() as idp:
        idp.behave("jwks", lambda ex: (ex.pause(0.5), ex.send(ex.answer())))
        names = [str(number) for number in range(60)]
        with support.Background(names, lambda _: bench.login(idp), len(names)) as herd:
            attempts = [herd.of(name) for name in names]
        for attempt in attempts:
            attempt.assert_granted()
        assert len(idp.hits["jwks"]) <= 2 and len(idp.hits["discovery"]) <= 2
        finish(idp, *attempts)


# -- D17 ----------------------------------------------------------------------------------------


def poisoned(idp, path: pathlib.Path) -> bytes:
    """What an attacker would put there: whole, sealed, and with a key set of her own."""
    entry = json.loads(path.read_text())
    return sealed({**entry, "document": json.dumps({"keys": [jose.Key("RS256").jwk()]})})


def replace(path: pathlib.Path, content: bytes, owner=PRODUCT_USER, mode=0o600) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    shutil.chown(path, owner, owner)
    path.chmod(mode)


def _symlink(idp, path):
    target = path.with_name(path.name + ".target")
    replace(target, poisoned(idp, path))
    path.unlink()
    path.symlink_to(target)


def _hard_link(idp, path):
    replace(path, poisoned(idp, path))
    os.link(path, path.with_name(path.name + ".second"))


def _fifo(idp, path):
    path.unlink()
    os.mkfifo(path, 0o600)
    shutil.chown(path, PRODUCT_USER, PRODUCT_USER)


def _directory(idp, path):
    path.unlink()
    path.mkdir(mode=0o700)
    shutil.chown(path, PRODUCT_USER, PRODUCT_USER)


def _other_member(**members):
    def tamper(idp, path):
        entry = json.loads(path.read_text())
        replace(path, sealed({**json.loads(poisoned(idp, path)), **{
            name: value(entry[name]) if callable(value) else value for name, value in members.items()}}))
    return tamper


TAMPERING = {
    "of_another_user": lambda idp, path: replace(path, poisoned(idp, path), "alice"),
    "of_root": lambda idp, path: replace(path, poisoned(idp, path), "root"),
    "readable_by_others": lambda idp, path: replace(path, poisoned(idp, path), mode=0o644),
    "writable_by_its_group": lambda idp, path: replace(path, poisoned(idp, path), mode=0o660),
    "a_symbolic_link": _symlink, "with_a_second_name": _hard_link, "a_fifo": _fifo, "a_directory": _directory,
    "truncated": lambda idp, path: replace(path, path.read_bytes()[:-30]),
    "empty": lambda idp, path: replace(path, b""),
    "binary": lambda idp, path: replace(path, bytes(range(256)) * 64),
    "huge": lambda idp, path: replace(path, path.read_bytes() + b" " * (8 << 20)),
    "with_one_bit_flipped": lambda idp, path: replace(path, path.read_bytes().replace(b"AQAB", b"AQAC")),
    "of_another_version": _other_member(format=2),
    "of_another_address": _other_member(url=lambda url: url + "x"),
    "of_another_provider": _other_member(name=lambda name: name[:-1] + ("0" if name[-1] != "0" else "1")),
    "from_the_future": _other_member(fetched_at=lambda at: int(time.time()) + 1000),
    "without_end": _other_member(ttl=10**9),
}


def tampered(bench, tamper) -> None:
    with warm(bench) as idp:
        tamper(idp, cache_file(idp, "jwks"))
        attempt = bench.login(idp)
        attempt.assert_granted()
        assert "cache.untrusted" in attempt.notes or "cache.format" in attempt.notes, attempt.notes
        assert len(idp.hits["jwks"]) == 2
        finish(idp, attempt)


for _name, _tamper in TAMPERING.items():
    def _scene(bench, tamper=_tamper):
        tampered(bench, tamper)
    _scene.__name__ = f"a_cached_key_set_{_name}_is_ignored"
    crowd.scene("D17")(_scene)


@pytest.fixture(scope="module")
def performed(request, bench):
    yield from crowd.perform(request, "test_scene", bench)


@pytest.mark.parametrize("name", crowd.names())
def test_scene(name, performed):
    performed.of(name)


# Whatever is wrong with the directory is wrong for everybody, so these come one after the other.

ASIDE = CACHE_DIR.with_name("aside")


def _linked():
    CACHE_DIR.rename(ASIDE)
    CACHE_DIR.symlink_to(ASIDE)


def _unlinked():
    CACHE_DIR.unlink()
    ASIDE.rename(CACHE_DIR)


def _mode(mode):
    return lambda: CACHE_DIR.chmod(mode)


def _owner(name):
    return lambda: shutil.chown(CACHE_DIR, name, name)


#: What is done to the directory, how it is undone, what is said about it.
SPOILING = {
    "group-writable": (_mode(0o770), _mode(0o700), "cache.untrusted"),
    "world-writable": (_mode(0o777), _mode(0o700), "cache.untrusted"),
    "of-another-user": (_owner("alice"), _owner(PRODUCT_USER), "cache.untrusted"),
    "missing": (lambda: CACHE_DIR.rename(ASIDE), lambda: ASIDE.rename(CACHE_DIR), ""),
    "a-symbolic-link": (_linked, _unlinked, ""),
}


@pytest.fixture(scope="module")
def warmed(request, bench):
    """A provider with a full cache for each of them."""
    names = support.selected(request, "test_d17_directory")
    with contextlib.ExitStack() as stack:
        made = {name: stack.enter_context(bench.provider()) for name in names}
        with support.Background(names, lambda name: bench.login(made[name]), len(SPOILING)) as logins:
            for name in names:
                logins.of(name).assert_granted()
        yield made


@pytest.mark.parametrize("name", SPOILING)
def test_d17_directory(bench, warmed, name):
    spoil, restore, said = SPOILING[name]
    idp = warmed[name]
    spoil()
    try:
        attempt = bench.login(idp)
    finally:
        restore()
    attempt.assert_granted()
    assert said in attempt.notes
    assert len(idp.hits["jwks"]) == len(idp.hits["discovery"]) == 2
    finish(idp, attempt)
