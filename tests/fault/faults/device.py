# SPDX-License-Identifier: Apache-2.0
"""The device authorization answer (catalogue F05, F09-F12, F14; provider quirks Q1-Q6)."""

from .registry import ROWS
from .registry import add as add_row
from .registry import drop, edit, error, put


def add(name, catalogue, does, run):
    add_row(f"device.{name}", catalogue, does, run, endpoints=("device_authorization",))


# F09: codes that are none.
for _member in ("device_code", "user_code"):
    add(f"{_member}-missing", "F09", f"no {_member}", drop(_member))
    for _name, _value in {
        "empty": "", "10KiB": "A" * 10240, "1MiB": "A" * (1 << 20), "newline": "ABCD\nEFGH", "crlf": "ABCD\r\nX: y", "nul": "AB\0CD",
        "blank": " ", "number": 12345678, "null": None, "list": ["ABCD"], "object": {"a": 1}, "true": True,
        "non-ascii": "\u00c4BCD", "ampersand": "A&grant_type=password", "percent": "%00%0a", "emoji": "\U0001f511",
    }.items():
        add(f"{_member}-{_name}", "F09", f"{_member}: {_name}", put(**{_member: _value}))

# F10: addresses a person must never be sent to.
LINKS = {
    "javascript": "javascript:alert(1)", "file": "file:///etc/passwd", "http": "http://localhost/device",
    "data": "data:text/html,<script>1</script>", "userinfo": "https://sso.corp.example@attacker.example/device",
    "8KiB": "https://localhost/" + "a" * 8192, "1MiB": "https://localhost/" + "a" * (1 << 20),
    "idn": "https://l\u043ecalhost/device", "punycode": "https://xn--lcalhost-b1g/device", "mailto": "mailto:a@b.example",
    "ssh": "ssh://localhost", "relative": "/device", "scheme-relative": "//attacker.example/device", "no-host": "https:///device",
    "empty": "", "blank": " ", "null": None, "number": 1, "list": ["https://localhost/"], "upper-http": "HTTP://localhost/d",
    "tab-scheme": "ht\ttps://localhost/", "blank-first": " https://localhost/device", "newline": "https://localhost/\nhttps://x.example",
    "nul": "https://localhost/\0x", "backslash": "https:\\\\attacker.example", "quote": "https://localhost/'\"`$(id)",
    "angle": "https://localhost/<b>", "port-0": "https://localhost:0/", "port-70000": "https://localhost:70000/",
    "ipv6-zone": "https://[fe80::1%25lo]/", "at-in-path": "https://localhost/@attacker.example", "double-scheme": "https:https://x.example",
    "long-host": "https://" + "a" * 300 + ".example/", "percent-host": "https://%6cocalhost/", "dot-host": "https://./",
}
for _member in ("verification_uri", "verification_uri_complete"):
    for _name, _value in LINKS.items():
        add(f"{_member}-{_name}", "F10", f"{_member}: {_name}", put(**{_member: _value}))
    # Allowed by several providers and for the client's policy to decide.
    add(f"{_member}-other-host", "F10", f"{_member} on another host", put(**{_member: "https://attacker.example/device"}))
add("verification_uri-missing", "F10", "no verification_uri, only the complete one", drop("verification_uri"))
add("verification_uris-missing", "F10", "no address at all", drop("verification_uri", "verification_uri_complete"))
add("uri_complete-differs", "F12 F14", "the complete address leads to another host than the plain one",
    put(verification_uri_complete="https://attacker.example/device?user_code=AAAA-BBBB"))
add("uri_complete-other-code", "F12 F14", "the complete address carries another code",
    edit(lambda doc, ex: doc.update(verification_uri_complete=doc["verification_uri"] + "?user_code=AAAA-BBBB")))

# F11: what must never reach a terminal raw.
TERMINAL = {
    "esc": "\x1b", "csi": "\x1b[31;1mred\x1b[2J", "osc52": "\x1b]52;c;ZXZpbA==\x07", "osc8": "\x1b]8;;https://attacker.example\x07x\x1b]8;;\x07",
    "title": "\x1b]0;root@host\x07", "c1": "\x9b31m\x9d0;x\x9c", "bel": "\x07\x07", "cr": "\rPassword:", "backspace": "\b\b\b\b",
    "del": "\x7f", "bidi": "\u202egnp.exe\u202c", "isolate": "\u2066x\u2069", "zero-width": "A\u200bB\u200d\ufeff", "tags": "\U000e0041\U000e0042",
    "combining": "a" + "\u0301" * 200, "form-feed": "\f\v", "nul": "\0x", "tab": "\tx", "newline": "\nLogin accepted", "line-separator": "\u2028x",
    "shift-out": "\x0e\x0f", "dcs": "\x1bP1$r0m\x1b\\", "answerback": "\x05", "surrogate-pair": "\ud83d\udd11",
}
for _name, _text in TERMINAL.items():
    for _member in ("user_code", "verification_uri", "verification_uri_complete"):
        if f"device.{_member}-{_name}" not in ROWS:  # NUL and newline are rows of F09 and F10 already
            add(f"{_member}-{_name}", "F11", f"{_member} ends in {_name}", edit(
                lambda doc, ex, text=_text, member=_member: doc.update({member: doc[member] + text})))
    add(f"message-{_name}", "F11", f"an unasked message with {_name}", put(message="To sign in " + _text))
    add(f"error-{_name}", "F11", f"an error whose description has {_name}",
        error("invalid_scope", error_description="No " + _text))

# F05 and lifetimes. "five" and its like are refused or defaulted, never polled in a spin.
NUMBERS = {"0": 0, "negative": -1, "1e9": 10**9, "string": "5", "word": "five", "float": 1.5, "null": None, "list": [5], "true": True,
           "1e300": 1e300, "2^63": 2**63, "2^31": 2**31, "string-5x": "5x", "string-negative": "-5", "empty": "", "blank": " 5"}
for _member, _row in {"interval": "F05", "expires_in": "F04"}.items():
    add(f"{_member}-missing", _row, f"no {_member}", drop(_member))
    for _name, _value in NUMBERS.items():
        add(f"{_member}-{_name}", _row, f"{_member} is {_value!r}", put(**{_member: _value}))
add("interval-1", "F05", "interval 1", put(interval=1))
add("expires_in-1", "F04", "expires after a second", put(expires_in=1))

# Quirks a client must bear.
add("verification_url", "F10", "Google's spelling", edit(lambda doc, ex: {
    **{k: v for k, v in doc.items() if not k.startswith("verification_uri")}, "verification_url": doc["verification_uri"]}))
add("verification_url-both", "F10", "both spellings; verification_uri wins", put(verification_url="https://attacker.example/device"))
add("no-complete", "F10", "no verification_uri_complete", drop("verification_uri_complete"))
add("azure-v1", "F05", "numbers as strings and a message", put(expires_in="900", interval="5", message="To sign in, use a web browser"))

# Errors instead.
for _code, _status in {"invalid_client": 401, "invalid_scope": 400, "unauthorized_client": 400, "invalid_request": 400,
                       "slow_down": 400, "temporarily_unavailable": 503, "unsupported_grant_type": 400}.items():
    add(f"error-{_code}", "F09", f"{_status} {_code}", error(_code, _status))
