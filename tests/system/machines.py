# SPDX-License-Identifier: Apache-2.0
"""Programs that log in with an access token: the tokens, their parts, and the sections they need."""

import contextlib
import secrets

from fault import jose
from support import Bench, toml

#: The account of the tests' programs, and the client that may become it.
ACCOUNT, CLIENT = "deploy", "ci-runner"
RESOURCE = "urn:corp:ssh"
PART, SUDO_PART = 1000, 500


def parts(token: str, size: int = PART) -> list[str]:
    """What answers the prompts for parts: the last one is shorter than `size`, perhaps empty."""
    return [token[at:at + size] for at in range(0, len(token) + 1, size)]


def claims(idp, **changes) -> dict:
    """The claims of a good token (RFC 9068 section 2.2); callables get the right value, ... takes a
    claim out."""
    now = jose.now()
    right = {"iss": idp.issuer, "aud": RESOURCE, "sub": CLIENT, "client_id": CLIENT, "iat": now,
             "exp": now + 3600, "jti": secrets.token_hex(8), "scope": "ssh sudo"}
    for name, value in changes.items():
        right[name] = value(right.get(name)) if callable(value) else value
    return {name: value for name, value in right.items() if value is not ...}


def token(idp, header: dict | None = None, key=None, **changes) -> str:
    return jose.token(claims(idp, **changes), key or idp.keys.current,
                      {"typ": "at+jwt", **(header or {})})


def sized(idp, size: int, **changes) -> str:
    """A good token of exactly `size` bytes."""
    for header in ("", "x", "xx"):  # base64 has no text of some lengths
        def padded(length):
            return token(idp, {"pad": header}, jti="fixed", pad="x" * length, **changes)
        length = (size - len(padded(0))) * 3 // 4 - 2
        while len(padded(length)) < size:
            length += 1
        if len(padded(length)) == size:
            return padded(length)
    raise AssertionError(f"no token of {size} bytes")


@contextlib.contextmanager
def service(bench: Bench, idp, machines: dict | None = None, settings: dict | None = None,
            access: dict | None = None, name: str | None = None, **more):
    """bench.service() for programs: with [provider.X.machines], for the account that is to be there
    already.  Yields the service's name."""
    name = name or f"m{secrets.token_hex(4)}"
    keys = {"audience": RESOURCE, **(machines or {})}
    text = "\n".join([f"[provider.p-{name}.machines]", *(f"{key} = {toml(value)}"
                                                         for key, value in keys.items())])
    access = {"allow_users": [ACCOUNT], **(access or {})}
    with bench.service(idp, settings, access, service=name, **more), \
            bench.section(f"{name}-machines", text):
        yield name


def account(bench: Bench, name: str = ACCOUNT, **keys):
    """[accounts.NAME] for as long as the context lasts."""
    keys = {"clients": [CLIENT], **keys}
    return bench.section(f"account-{name}", "\n".join(
        [f"[accounts.{name}]", *(f"{key} = {toml(value)}" for key, value in keys.items())]))
