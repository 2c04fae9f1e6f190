# SPDX-License-Identifier: Apache-2.0
"""Introspection (catalogue G01-G05, G08, G10)."""

from dataclasses import replace

from .. import jose
from .registry import add as add_row
from .registry import drop, error, put, reply, success


def add(name, catalogue, does, run):
    add_row(f"introspection.{name}", catalogue, does, run, endpoints=("introspection",))


for _name, _value in {"text": "true", "one": 1, "yes": "yes", "null": None, "list": [], "object": {}, "capital": "True", "float": 1.0,
                      "true-in-list": [True], "false": False}.items():
    add(f"active-{_name}", "G01", f"active is {_value!r}", put(active=_value))
add("active-missing", "G01", "no active", drop("active"))
add("active-alone", "G02", "active and nothing else, as PingFederate says of a refresh token", reply(200, {"active": True}))
add("inactive-with-claims", "G01", "active false beside every claim", put(active=False))
for _member in ("exp", "aud", "iss", "sub", "client_id", "scope"):
    add(f"no-{_member}", "G02", f"no {_member}", drop(_member))
for _name, _change in {
    "aud-other": {"aud": "urn:other"}, "aud-list-other": {"aud": ["urn:other"]}, "iss-other": {"iss": "https://attacker.example"},
    "client-other": {"client_id": "another-client"}, "sub-other": {"sub": "root"}, "exp-past": {"exp": 1}, "exp-text": {"exp": "9999999999"},
    "exp-1e300": {"exp": 1e300}, "nbf-future": {"nbf": 9999999999}, "cnf": {"cnf": {"jkt": "x"}}, "type-refresh": {"token_type": "refresh_token"},
    "type-dpop": {"token_type": "DPoP"}, "error-too": {"error": "invalid_token"},
}.items():
    add(_name, "G03" if _name.endswith("other") else "G02", f"active, but {_change}", put(**_change))
for _code, _status in {"invalid_client": 401, "unauthorized_client": 403, "invalid_request": 400, "server_error": 500}.items():
    add(f"error-{_code}", "G05", f"{_status} {_code}", error(_code, _status))


def signed(header=None, key=None, nest=True, **claims):
    """An RFC 9701 answer: header, key and claims as told; NEST=False puts the response at the top level."""
    def run(ex):
        answer = ex.success()
        envelope = ex.provider.introspection_envelope(answer.doc)
        body = {**envelope, **claims} if nest else {**answer.doc, "iss": envelope["iss"], "aud": envelope["aud"]}
        text = jose.token({k: v for k, v in body.items() if v is not ...}, key or ex.provider.keys.current,
                          {"typ": "token-introspection+jwt", **(header or {})})
        ex.send(replace(answer, body=text.encode(), type="application/token-introspection+jwt"))
    return run


add("jwt-good", "G10", "a right RFC 9701 answer", signed())
add("jwt-typ-jwt", "G10", "typ JWT", signed({"typ": "JWT"}))
add("jwt-typ-at", "G10", "typ at+jwt", signed({"typ": "at+jwt"}))
add("jwt-no-typ", "G10", "no typ", signed({"typ": None}))
add("jwt-aud-other", "G10", "aud of another resource server", signed(aud="another-client"))
add("jwt-no-aud", "G10", "no aud", signed(aud=...))
add("jwt-iss-other", "G10", "iss of another server", signed(iss="https://attacker.example"))
add("jwt-no-iss", "G10", "no iss", signed(iss=...))
add("jwt-old", "G10", "issued a day ago", signed(iat=jose.now() - 86400))
add("jwt-top-level", "G10", "claims at the top level", signed(nest=False))
add("jwt-not-object", "G10", "token_introspection is a list", signed(token_introspection=[]))
add("jwt-other-key", "G10", "signed by a stranger", lambda ex: signed(key=jose.Key("RS256", kid=ex.provider.keys.current.kid))(ex))
add("jwt-none", "G10", "not signed", signed(key=jose.Key("none")))
add("jwt-called-json", "G10", "plain JSON called a JWT", success(type="application/token-introspection+jwt"))
