# SPDX-License-Identifier: Apache-2.0
"""HTTP itself: framing, headers, statuses, sizes, speed (catalogue E10, E12, E14-E16, E20, C12)."""

import email.utils
from dataclasses import replace

from .registry import HTML, add, body, edit, error, flood, reply, success, wire

PIECE = b" " * 65536
CHUNK = b"10000\r\n" + PIECE + b"\r\n"


def head(answer, *extra, length=None):
    """The right head without Content-Length, with EXTRA header lines before its end."""
    return answer.head(length)[:-2] + b"".join(line + b"\r\n" for line in extra) + b"\r\n"


def framed(*lines, tail=b""):
    """The right answer under these framing headers, then the connection is closed."""
    return wire(lambda a: head(a, *(line.replace(b"LEN", b"%d" % len(a.body)) for line in lines)) + a.body + tail)


def chunked(function):
    """The right answer as `Transfer-Encoding: chunked`, body as FUNCTION(bytes) makes it."""
    return wire(lambda a: head(a, b"Transfer-Encoding: chunked") + function(a.body))


def chunk(data):
    return b"%x\r\n" % len(data) + data + b"\r\n"


def start_line(line):
    """The right answer under another status line."""
    return wire(lambda a: line + b"\r\n" + a.bytes().partition(b"\r\n")[2])


# -- speed and length -----------------------------------------------------------------------------------------


def _drip_head(ex):
    for byte in ex.success().bytes():
        ex.raw(bytes([byte]))
        if not ex.pause(1):
            break
    ex.close()


def _drip_body(ex):
    answer = ex.success()
    ex.raw(answer.head())
    for byte in answer.body:
        ex.raw(bytes([byte]))
        if not ex.pause(1):
            break
    ex.close()


def _then_flood(make_head, piece, before=True):
    def run(ex):
        answer = ex.success()
        ex.raw(make_head(answer) + (answer.body if before else b""))
        flood(ex, piece)
        ex.close()
    return run


def _hold_after(make):
    def run(ex):
        ex.raw(make(ex.success()))
        ex.hold()
    return run


def _endless_headers(ex):
    ex.raw(b"HTTP/1.1 200 OK\r\n")
    count = 0
    while ex.pause(0.004):
        ex.raw(b"".join(b"X-Filler-%d: %s\r\n" % (count + n, b"y" * 100) for n in range(500)))
        count += 500
    ex.close()


def _informational(count, line):
    def run(ex):
        for _ in range(count // 1000):
            ex.raw(line * 1000)
            if not ex.pause(0.001):
                break
        ex.send(ex.success())
    return run


GIB = 1 << 30
add("http.headers-drip-1Bps", "E10", "status line and headers, a byte a second", _drip_head)
add("http.body-drip-1Bps", "E10", "body, a byte a second", _drip_body)
add("http.body-never-ends", "E10 E12", "no length, blanks for ever after the JSON", _then_flood(head, PIECE))
add("http.content-length-1GiB", "E12", "promises 1 GiB and delivers",
    _then_flood(lambda a: a.head(length=GIB), PIECE))
add("http.silent-after-request", "E10", "reads the request, never answers", lambda ex: ex.hold())
add("http.silent-after-head", "E10", "headers, then nothing", _hold_after(lambda a: a.head()))
add("http.close-mid-head", "E14", "closes inside the headers", wire(lambda a: a.head()[:40]))
add("http.close-mid-body", "E14", "closes after half the promised body",
    wire(lambda a: a.head() + a.body[:len(a.body) // 2]))
add("http.reset-mid-body", "E09", "resets after half the promised body",
    lambda ex: (ex.raw(ex.success().bytes()[:-20]), ex.pause(0.05), ex.reset()))
add("http.reset", "E09 F06", "resets instead of an answer", lambda ex: ex.reset())
add("http.close", "E09 F06", "closes instead of an answer", lambda ex: ex.close())

# -- framing --------------------------------------------------------------------------------------------------

add("http.short-content-length", "E14", "body longer than promised", framed(b"Content-Length: 20"))
add("http.long-content-length", "E14", "body shorter than promised, then silence",
    _hold_after(lambda a: a.head(length=len(a.body) + 100) + a.body))
add("http.negative-content-length", "E14", "Content-Length: -1", framed(b"Content-Length: -1"))
add("http.two-content-lengths", "E14", "two that differ", framed(b"Content-Length: LEN", b"Content-Length: 20"))
add("http.content-length-list", "E14", "two in one line", framed(b"Content-Length: LEN, 20"))
add("http.content-length-text", "E14", "not a number", framed(b"Content-Length: many"))
add("http.content-length-overflow", "E14", "2^64 + the length", framed(b"Content-Length: 18446744073709551999"))
add("http.cl-and-te", "E14", "Content-Length and chunked",
    wire(lambda a: head(a, b"Content-Length: 20", b"Transfer-Encoding: chunked") + chunk(a.body) + b"0\r\n\r\n"))
add("http.te-unknown", "E14", "Transfer-Encoding: void", framed(b"Transfer-Encoding: void"))
add("http.chunk-size-overflow", "E12", "chunk of 2^68 bytes", chunked(lambda b: b"FFFFFFFFFFFFFFFFF\r\n" + b))
add("http.chunk-size-negative", "E14", "chunk of -1 bytes", chunked(lambda b: b"-1\r\n" + b))
add("http.chunk-size-garbage", "E14", "chunk size is a word", chunked(lambda b: b"zz\r\n" + b))
add("http.chunk-cut", "E14", "the last chunk never comes", chunked(chunk))
add("http.chunk-never-ends", "E12", "chunks of blanks for ever",
    _then_flood(lambda a: head(a, b"Transfer-Encoding: chunked") + chunk(a.body), CHUNK, before=False))
add("http.chunk-extension-endless", "E12", "a chunk extension without end",
    _then_flood(lambda a: head(a, b"Transfer-Encoding: chunked") + b"1;x=", b"y" * 65536, before=False))
add("http.chunk-trailers-endless", "E12", "trailers without end",
    _then_flood(lambda a: head(a, b"Transfer-Encoding: chunked") + chunk(a.body) + b"0\r\n",
                b"X-Trailer: y\r\n" * 4000, before=False))

# -- headers --------------------------------------------------------------------------------------------------

add("http.100000-headers", "E12", "a hundred thousand headers before a good answer", wire(
    lambda a: head(a, *(b"X-%d: y" % n for n in range(100000)), length=len(a.body)) + a.body))
add("http.1MiB-header", "E12", "one header of 1 MiB before a good answer",
    wire(lambda a: head(a, b"X-Filler: " + b"y" * (1 << 20), length=len(a.body)) + a.body))
add("http.endless-headers", "E12", "headers without end", _endless_headers)
add("http.1xx-storm", "E14", "a hundred thousand 100 Continue", _informational(100000, b"HTTP/1.1 100 Continue\r\n\r\n"))
add("http.103-storm", "E14", "a hundred thousand early hints",
    _informational(100000, b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"))
add("http.101", "E14", "switches to another protocol",
    wire(lambda a: b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n" + a.body))
add("http.header-nul", "E14", "NUL in a header", wire(lambda a: head(a, b"X-A: b\0c", length=len(a.body)) + a.body))
add("http.header-no-colon", "E14", "a header line without colon",
    wire(lambda a: head(a, b"what is this", length=len(a.body)) + a.body))
add("http.set-cookie-alt-svc-hsts", "E20", "a good answer that wants to be remembered", success(headers=(
    ("Set-Cookie", "session=tracked; Path=/; Max-Age=99999"), ("Alt-Svc", 'h2="127.0.0.1:1"; ma=99999'),
    ("Strict-Transport-Security", "max-age=99999; includeSubDomains"))))

# -- status lines ---------------------------------------------------------------------------------------------

add("http.http09", "E14", "the body alone, no status line", wire(lambda a: a.body))
for _name, _line in {
    "status-000": b"HTTP/1.1 000 Zero", "status-999": b"HTTP/1.1 999 What", "status-garbage": b"HTTP/1.1 OK 200",
    "status-letters": b"HTTP/1.1 2x0 OK", "status-negative": b"HTTP/1.1 -200 OK", "status-huge": b"HTTP/1.1 200000 OK",
    "version-9": b"HTTP/9.9 200 OK", "icy": b"ICY 200 OK", "status-escape": b"HTTP/1.1 500 \x1b]0;owned\x07",
}.items():
    add(f"http.{_name}", "E14", f"status line {_line!r}", start_line(_line))

# -- statuses with the wrong content, contents with the wrong status --------------------------------------------

_error_codes = {401: "invalid_client", 403: "unauthorized_client", 404: "not_found", 500: "server_error"}
for _status, _code in _error_codes.items():
    add(f"http.{_status}", "E15", f"status {_status}, error {_code}", error(_code, _status))
for _status in (201, 202, 400, 401, 403, 404, 429, 500, 502, 503, 504):
    _name = "400-with-token" if _status == 400 else f"{_status}-with-success"
    add(f"http.{_name}", "E15", f"status {_status} and the JSON of success", success(status=_status))
add("http.200-with-error", "E15", "status 200 and an error", error("server_error", 200))
add("http.200-error-and-success", "E15 F07", "status 200, an error beside the JSON of success",
    edit(lambda doc, ex: doc.update(error="server_error")))
add("http.204", "E15", "no content", reply(204))
add("http.304-without-cache", "D12 E15", "not modified", reply(304))
add("http.502-html", "E15", "a proxy's page", reply(502, body=HTML, type="text/html"))
add("http.200-html", "C12", "a captive portal", reply(200, body=HTML, type="text/html; charset=utf-8"))
add("http.200-empty", "E15", "nothing", reply(200))
add("http.200-json-array", "E15", "the right object inside an array", edit(lambda doc, ex: [doc]))
add("http.200-json-truncated", "E15", "the first half of the JSON, correctly framed", body(lambda b: b[:len(b) // 2]))
add("http.200-json-10MiB", "E12 D09", "the right object and 10 MiB of filler", edit(lambda d, ex: d.update(filler="y" * (10 << 20))))
add("http.200-json-10MiB-blanks", "E12 D09", "the right object after 10 MiB of blanks", body(lambda b: b" " * (10 << 20) + b))
add("http.type-html", "C12", "the right JSON called text/html", success(type="text/html"))
add("http.type-missing", "C12", "the right JSON without Content-Type", success(type=None))
add("http.type-octets", "C12", "the right JSON called application/octet-stream", success(type="application/octet-stream"))
add("http.type-utf16", "C06", "the right JSON in UTF-16", lambda ex: ex.send(replace(
    ex.success(), body=ex.success().body.decode().encode("utf-16"), type="application/json;charset=utf-16")))

# -- Retry-After ----------------------------------------------------------------------------------------------

for _name, _value in {
    "0": "0", "1": "1", "1e9": "1000000000", "date": email.utils.formatdate(0, usegmt=True),
    "date-far": "Fri, 31 Dec 2099 23:59:59 GMT", "garbage": "soon", "negative": "-5", "huge": "9" * 400,
}.items():
    for _status in (429, 503):
        add(f"http.{_status}-retry-after-{_name}", "E16", f"status {_status}, Retry-After: {_value[:30]}",
            reply(_status, {"error": "temporarily_unavailable"}, headers=(("Retry-After", _value),)))
