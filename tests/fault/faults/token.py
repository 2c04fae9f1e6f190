# SPDX-License-Identifier: Apache-2.0
"""The token endpoint (catalogue F03-F08, F22, E15): poll errors and success answers that are none."""

from .device import TERMINAL
from .registry import HTML, drop, edit, error, put, reply, success
from .registry import add as add_row


def add(name, catalogue, does, run):
    add_row(f"token.{name}", catalogue, does, run, endpoints=("token",))


# Poll errors. `behave("token", "token.pending")` is for ever, with times=N for N polls.
for _code, _row in {
    "pending": "F04", "slow_down": "F05", "access_denied": "F03", "expired_token": "F03", "invalid_grant": "F03 F22",
    "invalid_client": "F03", "unauthorized_client": "F03", "unsupported_grant_type": "F03", "invalid_scope": "F03",
    "authorization_declined": "F03", "bad_verification_code": "F03", "server_error": "F06", "temporarily_unavailable": "F06",
    "nobody_knows_this": "F03",
}.items():
    _real = "authorization_pending" if _code == "pending" else _code
    add(_code, _row, f"400 {_real}", error(_real))
add("google-pending", "F04", "428 authorization_pending", error("authorization_pending", 428, error_description="Precondition Required"))
add("google-slow_down", "F05", "403 slow_down", error("slow_down", 403, error_description="Forbidden"))
add("google-denied", "F03", "403 access_denied", error("access_denied", 403, error_description="Forbidden"))
add("github-pending", "F04", "200 authorization_pending", error("authorization_pending", 200))
add("github-slow_down", "F05", "200 slow_down with a new interval", error("slow_down", 200, interval=10))
add("pending-401", "F04", "401 authorization_pending", error("authorization_pending", 401))
add("pending-500", "F04", "500 authorization_pending", error("authorization_pending", 500))
add("pending-no-type", "F04", "400 authorization_pending without Content-Type",
    reply(400, {"error": "authorization_pending"}, type=None))
add("slow_down-interval-0", "F05", "slow_down that asks for interval 0", error("slow_down", interval=0))
add("slow_down-interval-1e9", "F05", "slow_down that asks for interval 10^9", error("slow_down", interval=10**9))
add("denied-200", "F03", "200 access_denied", error("access_denied", 200))
for _name, _value in {"number": 1, "null": None, "list": ["authorization_pending"], "object": {}, "empty": "", "true": True}.items():
    add(f"error-{_name}", "F03", f"error is {_value!r}", reply(400, {"error": _value}))
add("error-case", "F03", "Authorization_Pending", error("Authorization_Pending"))
add("error-blank", "F03", "authorization_pending with a blank after it", error("authorization_pending "))
add("error-10MiB", "E12", "an error description of 10 MiB", error("access_denied", error_description="x" * (10 << 20)))
for _name, _text in TERMINAL.items():
    add(f"denied-{_name}", "F11", f"access_denied, description has {_name}", error("access_denied", error_description="No " + _text))
for _status in (500, 502, 503, 504):
    add(f"html-{_status}", "F06", f"{_status} and a page", reply(_status, body=HTML, type="text/html"))
add("empty-400", "F03", "400 and nothing", reply(400, type=None))

# Success that must not be one.
add("success", "F07", "success at once, the truth (to compare with)", success())
add("error-and-token", "F07", "an error beside the tokens", put(error="access_denied"))
add("pending-and-token", "F07", "authorization_pending beside the tokens", put(error="authorization_pending"))
add("error-null-and-token", "F07", "error: null beside the tokens", put(error=None))
add("type-mac", "F07", "token_type mac", put(token_type="mac"))
add("type-dpop", "F07", "token_type DPoP", put(token_type="DPoP"))
add("type-n_a", "F07", "token_type N_A", put(token_type="N_A"))
add("type-BEARER", "F07", "token_type BEARER, which is fine", put(token_type="BEARER"))
add("type-bearer", "F07", "token_type bearer, which is fine", put(token_type="bearer"))
add("type-missing", "F07", "no token_type", drop("token_type"))
add("type-null", "F07", "token_type null", put(token_type=None))
add("type-list", "F07", "token_type in a list", put(token_type=["Bearer"]))
add("no-id_token", "F08", "no id_token", drop("id_token"))
add("no-access_token", "F08", "no access_token", drop("access_token"))
add("only-id_token", "F08", "nothing but the id_token", edit(lambda doc, ex: {"id_token": doc["id_token"]}))
add("swapped", "F08", "each token in the other's place",
    edit(lambda doc, ex: doc.update(id_token=doc["access_token"], access_token=doc["id_token"])))
for _member in ("id_token", "access_token"):
    for _name, _value in {"null": None, "empty": "", "number": 1, "list": ["x"], "object": {}, "text": "not a token", "dots": "..",
                          "newline": "a\nb", "nul": "a\0b", "64KiB": "a" * 65536, "1MiB": "a" * (1 << 20)}.items():
        add(f"{_member}-{_name}", "F08", f"{_member}: {_name}", put(**{_member: _value}))
for _name, _value in {"0": 0, "negative": -1, "string": "3600", "word": "long", "null": None, "1e300": 1e300}.items():
    add(f"expires_in-{_name}", "F07", f"expires_in is {_value!r}", put(expires_in=_value))
add("expires_in-missing", "F07", "no expires_in, which is allowed", drop("expires_in"))
add("refresh_token", "F07", "a refresh token nobody asked for", put(refresh_token="r" * 40))
add("scope-less", "F07", "scope without openid", put(scope="profile"))
add("extra-members", "F07", "members nobody knows", put(not_before=0, foo={"bar": [1]}))
