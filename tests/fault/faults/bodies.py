# SPDX-License-Identifier: Apache-2.0
"""JSON that is none, or not quite (catalogue C01-C09, C13), at any endpoint. `document(bytes)` plays any file."""

from .registry import add, body, reply


def document(data, type="application/json"):
    """run(exchange): DATA as it is."""
    return reply(200, body=data, type=type)


def inject(member):
    """The right object with the bytes MEMBER as its first member."""
    return body(lambda b: b"{" + member + b"," + b[1:])


WHOLE = {  # instead of the right object
    "null": b"null", "true": b"true", "number": b"42", "string": b'"ok"', "array": b"[]", "empty-object": b"{}",
    "blank": b"   \n", "only-nul": b"\0", "open": b"{", "open-string": b'{"a', "open-array": b"[", "just-colon": b":",
    "two-objects": b"{}{}", "xml": b"<?xml version='1.0'?><a/>", "javascript": b"callback({})", "bom": b"\xef\xbb\xbf{}",
    "utf16": '{"a":1}'.encode("utf-16-le"), "form": b"access_token=x&token_type=Bearer", "binary": bytes(range(256)),
    "deep-array": b"[" * 100_000, "deep-object": b'{"a":' * 100_000, "million-items": b"[" + b"0," * 999_999 + b"0]",
}
FIRST = {  # a bad member in the right object
    "trailing-comma-inside": b'"a":[1,]', "single-quotes": b"'a':1", "bare-name": b"a:1", "comment": b'/* c */"a":1',
    "hash-comment": b'# c\n"a":1', "hex-number": b'"a":0x10', "leading-zero": b'"a":01', "plus-number": b'"a":+1',
    "dot-number": b'"a":.5', "number-dot": b'"a":5.', "exponent-cut": b'"a":1e', "huge-exponent": b'"a":1e400',
    "underscore": b'"a":1_000', "infinity": b'"a":Infinity', "nan": b'"a":NaN', "minus": b'"a":-', "undefined":
    b'"a":undefined', "capital-true": b'"a":True', "no-colon": b'"a" 1', "no-value": b'"a":', "two-commas": b'"a":1,',
    "raw-newline": b'"a":"x\ny"', "raw-tab": b'"a":"x\ty"', "raw-nul": b'"a":"x\0y"', "bad-escape": b'"a":"\\x41"',
    "short-escape": b'"a":"\\u12"', "lone-surrogate": b'"a":"\\ud800"', "swapped-surrogates": b'"a":"\\udc00\\ud800"',
    "escaped-nul": b'"a":"\\u0000"', "escaped-nul-name": b'"a\\u0000":1', "bad-utf8": b'"a":"\xff"',
    "overlong-utf8": b'"a":"\xc0\xaf"', "surrogate-utf8": b'"a":"\xed\xa0\x80"', "cut-utf8": b'"a":"\xe2\x82"',
    "above-unicode": b'"a":"\xf4\x90\x80\x80"', "duplicate": b'"a":1,"a":2', "duplicate-escaped": b'"a":1,"\\u0061":2',
    "duplicate-nested": b'"a":{"b":1,"b":2}', "big-integer": b'"a":' + b"9" * 500,
    "deep-member": b'"a":' + b"[" * 100_000 + b"]" * 100_000, "long-name": b'"' + b"a" * (1 << 20) + b'":1',
    "hundred-thousand-names": b",".join(b'"m%d":0' % n for n in range(100_000)),
}
LAST = {  # the right object, and something after or around it
    "trailing-comma": lambda b: b[:-1] + b",}", "trailing-text": lambda b: b + b" and more", "trailing-nul": lambda b: b + b"\0",
    "trailing-brace": lambda b: b + b"}", "twice": lambda b: b + b, "no-brace": lambda b: b[:-1],
    "leading-bom": lambda b: b"\xef\xbb\xbf" + b, "leading-nul": lambda b: b"\0" + b, "xssi": lambda b: b")]}'\n" + b,
    "semicolon": lambda b: b + b";", "quoted": lambda b: b'"' + b.replace(b'"', b'\\"') + b'"',
}

# A few of these are correct JSON that says nothing useful, or that a strict reader may refuse.
for _name, _data in WHOLE.items():
    add(f"body.{_name}", "C01", f"the body is {_data[:20]!r}", document(_data))
for _name, _data in FIRST.items():
    add(f"body.{_name}", "C03" if "duplicate" in _name else "C01", f"the right object with {_data[:24]!r}", inject(_data))
for _name, _change in LAST.items():
    add(f"body.{_name}", "C01", f"the right object, {_name}", body(_change))


def duplicate_member(name):
    """The right object with NAME twice, the right value last: the attack JSON parsers disagree on."""
    return inject(b'"%s":"first"' % name.encode())


for _endpoint, _member in {
    "discovery": "issuer", "discovery ": "token_endpoint", "jwks": "keys", "device_authorization": "device_code",
    "token": "access_token", "token ": "id_token", "userinfo": "sub", "introspection": "active",
}.items():
    add(f"body.duplicate-{_member}", "C03", f"{_member} twice", duplicate_member(_member), endpoints=(_endpoint.strip(),))
