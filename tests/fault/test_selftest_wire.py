# SPDX-License-Identifier: Apache-2.0
"""Each connection and HTTP row is on the wire as it is called."""

import json
import os
import re
import socket
import ssl
import subprocess
import time

import pytest

from . import client as clients
from . import faults
from .canary import Canary, ProxyCanary
from .client import Client
from .dns import StubResolver
from .netns import NetNs, available
from .provider import DEVICE_GRANT
from .server import FaultProvider


# -- connections ----------------------------------------------------------------------------------------------


def test_refuse_and_blackhole_and_back_again(provider, client):
    provider.behave("token", "http.refuse")
    with pytest.raises(ConnectionRefusedError):
        client.any_request("token")
    provider.behave("token", "http.syn-blackhole")
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        clients.connect(provider.url("token"), client.ctx, timeout=0.7)
    assert time.monotonic() - start >= 0.7
    provider.behave("token", "default")
    assert client.poll("x")[0] == 400
    assert client.json("jwks")[0] == 200, "other endpoints are not concerned"


def outcome_of(client, endpoint="token", patience=0.4):
    try:
        return client.any_request(endpoint, patience=patience)[1]
    except ConnectionResetError:
        return "reset"
    except ssl.SSLError as error:
        return "tls " + error.reason.lower() if error.reason else "closed"
    except (TimeoutError, ssl.SSLWantReadError):
        return "silent"
    except (ConnectionError, OSError):
        return "closed"


@pytest.mark.parametrize("name, want", [
    ("http.rst-after-accept", "reset"), ("http.accept-silent", "silent"), ("http.tls-hello-then-silent", "silent"),
    ("tcp.close", "closed"), ("tcp.half-close", "closed"), ("tcp.plain-http", "tls wrong_version_number"), ("tcp.ssh", "tls wrong_version_number"),
    ("tcp.tls-alert", "tls sslv3_alert_handshake_failure"), ("tcp.tls-drip", "silent"), ("http.close", "closed"),
    ("stream.close", "closed"), ("http.silent-after-request", "silent"),
    ("http.silent-after-head", "silent"), ("http.long-content-length", "silent"),
])
def test_how_a_connection_ends(provider, name, want):
    provider.behave("token", name)
    ctx = clients.strict(provider)
    original = clients.connect
    try:
        clients.connect = lambda url, context, timeout=0.4, alpn=None: original(url, context, timeout, alpn)
        got = outcome_of(Client(provider, ctx))
    finally:
        clients.connect = original
    assert got == want or (want, got) == ("closed", "reset"), got


@pytest.mark.parametrize("name", ["http.reset", "http.reset-mid-body", "stream.reset-after-request"])
def test_a_reset_after_tls_is_a_tcp_reset(provider, client, name):
    provider.behave("jwks", name)
    with clients.connect(provider.url("jwks"), client.ctx) as sock:
        sock.sendall(clients.request_bytes(provider.url("jwks")))
        # Read beside the TLS layer, which calls a reset an end of file.
        with socket.socket(fileno=os.dup(sock.fileno())) as plain, pytest.raises(ConnectionResetError):
            plain.settimeout(5)
            while plain.recv(65536):
                pass


def test_times_and_scripts_end_in_the_truth(provider, client):
    provider.enforce_interval, provider.approve_after = False, 0
    provider.behave("jwks", "http.500", times=2)
    assert [client.json("jwks")[0] for _ in range(3)] == [500, 500, 200]
    code = client.authorize()[1]["device_code"]
    provider.script("token", [("token.pending", 2), "token.slow_down", "http.502-html", "http.close"])
    seen = [client.raw("token", {"grant_type": DEVICE_GRANT, "device_code": code}, client.basic())[0] for _ in range(6)]
    assert [s.split(b" ")[1] if s else b"" for s in seen] == [b"400", b"400", b"400", b"502", b"", b"200"]
    provider.script("jwks", [("http.rst-after-accept", 1), ("default", 1)])
    assert outcome_of(client, "jwks") == "reset" and client.json("jwks")[0] == 200
    provider.behave_after("device_authorization", "tcp.close")
    assert client.authorize()[0] == 200 and outcome_of(client, "discovery") in ("closed", "reset")
    provider.reset_faults()
    assert client.json("discovery")[0] == 200


def test_http2_rows_speak_http2(provider, curl):
    for name, kind in {"http.http2-goaway": 7, "http2.reset": 3, "http2.push": 5, "http2.continuation-flood": 1}.items():
        provider.behave("jwks", name)
        with clients.connect(provider.url("jwks"), clients.strict(provider), alpn="h2") as sock:
            assert sock.selected_alpn_protocol() == "h2"
            sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            data = clients.read(sock, limit=4096, patience=1)[0]
        assert data[3] == 4 and data[9 + 3] == kind
    provider.behave("jwks", "http.http2-goaway")
    assert curl("--http1.1", provider.url("jwks")).returncode != 0


# -- HTTP -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, pattern", [
    ("http.http09", rb"^\{"), ("http.status-999", rb"^HTTP/1.1 999 "), ("http.status-000", rb"^HTTP/1.1 000 "),
    ("http.negative-content-length", rb"Content-Length: -1\r\n"), ("http.short-content-length", rb"Content-Length: 20\r\n\r\n.{21}"),
    ("http.two-content-lengths", rb"Content-Length: \d{2,}\r\nContent-Length: 20\r\n"), ("http.1MiB-header", rb"X-Filler: y{60000}"),
    ("http.cl-and-te", rb"Content-Length: 20\r\nTransfer-Encoding: chunked"), ("http.chunk-size-overflow", rb"\r\n\r\nF{17}\r\n"),
    ("http.100000-headers", rb"X-999: y\r\n"), ("http.1xx-storm", rb"(HTTP/1.1 100 Continue\r\n\r\n){900}"),
    ("http.429-retry-after-1e9", rb"^HTTP/1.1 429 .*Retry-After: 1000000000\r\n"), ("http.204", rb"^HTTP/1.1 204 .*\r\n\r\n$"),
    ("http.503-retry-after-date", rb"Retry-After: Thu, 01 Jan 1970"), ("http.304-without-cache", rb"^HTTP/1.1 304 "),
    ("http.400-with-token", rb"^HTTP/1.1 400 .*\"id_token\""), ("http.200-html", rb"text/html.*<!doctype"),
    ("http.200-json-array", rb"\r\n\r\n\[\{"), ("http.set-cookie-alt-svc-hsts", rb"Set-Cookie: .*Alt-Svc: .*Strict-Transport"),
    ("http.body-never-ends", rb"\}\s{60000}"), ("http.chunk-never-ends", rb"\r\n10000\r\n\s{60000}"), ("http.endless-headers", rb"X-Filler-400: "),
    ("http.close-mid-head", rb"^HTTP/1.1 200 OK\r\nContent-Type: applicati$"), ("http.gzip-bomb-1GiB", rb"Content-Encoding: gzip.*\x1f\x8b\x08"),
    ("http.200-error-and-success", rb"id_token.*server_error"), ("http.redirect-file", rb"Location: file:///"),
    ("http.content-length-1GiB", rb"Content-Length: 1073741824"), ("http.gzip-of-gzip-x20", rb"(gzip, ){19}gzip\r\n"),
])
def test_an_http_row_is_on_the_wire_as_described(provider, client, name, pattern):
    provider.behave("token", name)
    data, _ = client.any_request("token", limit=200_000, patience=2)
    assert re.search(pattern, data, re.DOTALL), data[:300]


def test_drips_send_a_byte_a_second(provider, client):
    provider.behave("token", "http.headers-drip-1Bps")
    provider.behave("jwks", "http.body-drip-1Bps")
    head, ended = client.any_request("token", patience=0.5)
    assert head == b"H" and ended == "silent"
    body, ended = client.any_request("jwks", patience=0.5)
    assert body.endswith(b"\r\n\r\n{") and ended == "silent"


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_bomb_unpacks_to_blanks_and_the_right_answer(provider, curl, coding):
    provider.behave("jwks", faults.encoding.bomb(coding, 8))
    result = curl("--compressed", provider.url("jwks"))
    assert result.returncode == 0, result.stderr
    assert len(result.stdout) > 8 << 20 and json.loads(result.stdout)["keys"]
    whole = faults.encoding.PACKERS[coding](1024, b"{}")
    assert len(whole) < 1_200_000


@pytest.mark.parametrize("target", ["other-host", "other-port", "http"])
def test_a_followed_redirect_ends_at_a_canary_with_the_secret(provider, curl, target):
    provider.behave("token", f"http.redirect-{target}")
    args = ("-d", "client_secret=" + provider.client_secret, provider.url("token"))
    assert curl(*args).returncode == 0
    provider.assert_canaries_untouched()
    followed = curl("-L", *args)
    assert json.loads(followed.stdout)["id_token"]
    canary = provider.canaries[0]
    assert canary.wait() and canary.visits[0].request.form["client_secret"] == provider.client_secret
    with pytest.raises(AssertionError, match="contacted 1 times"):
        provider.assert_canaries_untouched()
    with pytest.raises(AssertionError, match="secret"):
        canary.assert_never_saw(provider.client_secret)


def test_the_file_redirect_holds_the_right_answer_and_the_loop_loops(provider, client, curl):
    provider.behave("jwks", "http.redirect-file")
    location = next(line for line in client.raw("jwks")[0].split(b"\r\n") if line.startswith(b"Location"))
    with open(location.decode().removeprefix("Location: file://"), encoding="utf-8") as answer:
        assert json.load(answer) == provider.keys.jwks()
    provider.behave("jwks", "http.redirect-loop")
    assert curl("-L", "--max-redirs", "7", provider.url("jwks")).returncode == 47
    assert len(provider.hits["jwks"]) == 9


def test_canaries_record_bytes_of_any_protocol_and_proxies_record_connect(provider, curl):
    with Canary(tls=False) as canary:
        with socket.create_connection(("127.0.0.1", canary.port)) as sock:
            sock.sendall(b"USER anonymous\r\n")
        assert canary.wait() and not canary.wait(2, timeout=0.05)
        time.sleep(0.05)
        assert canary.received == b"USER anonymous\r\n"
    with ProxyCanary() as proxy:
        result = curl(provider.url("jwks"), env={**proxy.environment()})
        assert result.returncode != 0 and proxy.visits[0].request.method == "CONNECT"
        assert not provider.all_hits


# -- names ----------------------------------------------------------------------------------------------------


def test_the_stub_resolver_answers_as_told():
    def ask(dns, name="sso.corp.example", kind=1):
        query = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0" + b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) + b"\0"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.4)
            sock.sendto(query + bytes([0, kind, 0, 1]), dns.address)
            try:
                return sock.recv(512)
            except TimeoutError:
                return None
    with StubResolver(bind=("127.0.0.1", 0), addresses=("127.0.0.2", "127.0.0.1")) as dns:
        assert ask(dns).endswith(b"\x7f\0\0\1") and dns.queries[0][1:] == ("sso.corp.example", 1)
        dns.mode = "rebind"
        assert [ask(dns)[-4:] for _ in range(3)] == [b"\x7f\0\0\2", b"\x7f\0\0\1", b"\x7f\0\0\1"]
        for dns.mode, code in (("nxdomain", 3), ("servfail", 2), ("refused", 5), ("empty", 0)):
            assert ask(dns)[3] & 15 == code
        dns.mode = "silent"
        assert ask(dns) is None
        dns.mode = "slow-0.2s"
        assert ask(dns).endswith(b"\x7f\0\0\1")
        dns.mode = "wrong-id"
        assert ask(dns)[:2] == b"\xed\xcb"
        dns.mode = "truncated"
        assert ask(dns)[2] & 2


@pytest.mark.skipif(not available(), reason="needs to make network namespaces")
def test_a_namespace_has_its_own_resolver_and_a_road_to_nowhere():
    with NetNs(options="timeout:1 attempts:1") as ns:
        with ns.enter():
            dns = StubResolver("normal")
            provider = FaultProvider(host="sso.corp.example").start()

        def fetch():
            return subprocess.run(ns.command(["curl", "-sS", "--max-time", "3", "-k", provider.url("jwks")]),
                                  capture_output=True, check=False)
        try:
            assert b'"keys"' in fetch().stdout
            dns.mode = "nxdomain"
            assert fetch().returncode == 6
            nowhere = ns.blackhole()
            result = subprocess.run(ns.command(["curl", "-sS", "--connect-timeout", "1", f"https://{nowhere}/"]),
                                    capture_output=True, check=False)
            assert result.returncode == 28
        finally:
            provider.stop()
            dns.close()
    with FaultProvider() as outside:
        assert Client(outside).json("jwks")[0] == 200, "this thread is back home"
        with pytest.raises(ValueError, match="StubResolver"):
            outside.behave("token", "http.dns-nxdomain")
