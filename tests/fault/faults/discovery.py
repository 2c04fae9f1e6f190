# SPDX-License-Identifier: Apache-2.0
"""The metadata document (catalogue D01, D02). Endpoints that lie point at canaries."""

from ..provider import PATHS
from .registry import add as add_row
from .registry import drop, edit, put


def add(name, catalogue, does, run):
    add_row(f"discovery.{name}", catalogue, does, run, endpoints=("discovery",))


def issuer(change):
    return edit(lambda doc, ex: doc.update(issuer=change(doc["issuer"])))


# The issuer as every near miss of itself.
for _name, _change in {
    "trailing-slash": lambda i: i + "/", "upper-case": lambda i: i.upper(), "scheme-case": lambda i: i.replace("https", "HTTPS"),
    "http": lambda i: i.replace("https:", "http:"), "other-host": lambda i: "https://attacker.example",
    "other-port": lambda i: i + "0", "userinfo": lambda i: i.replace("://", "://user@"), "path": lambda i: i + "/corp",
    "prefix": lambda i: i[:-1], "suffix": lambda i: i + ".attacker.example", "query": lambda i: i + "?x=1",
    "fragment": lambda i: i + "#x", "blank": lambda i: i + " ", "nul": lambda i: i + "\0x", "newline": lambda i: i + "\n",
    "percent": lambda i: i.replace("l", "%6c"), "list": lambda i: [i], "object": lambda i: {"value": i}, "number": lambda i: 1,
    "null": lambda i: None, "empty": lambda i: "", "template": lambda i: i.replace("localhost", "{tenantid}"),
    "unicode": lambda i: i.replace("o", "\u043e"), "1MiB": lambda i: i + "/" * (1 << 20),
}.items():
    add(f"issuer-{_name}", "D01", f"issuer differs: {_name}", issuer(_change))
add("issuer-missing", "D01", "no issuer", drop("issuer"))

MEMBERS = {
    "jwks_uri": "jwks", "device_authorization_endpoint": "device_authorization", "token_endpoint": "token",
    "userinfo_endpoint": "userinfo", "introspection_endpoint": "introspection",
}
WRONG_URLS = {
    "http": lambda ex, e: ex.provider.canary("plain").url + PATHS[e],
    "file": lambda ex, e: "file://" + ex.provider.success_file(e),
    "ftp": lambda ex, e: ex.provider.canary("plain").url.replace("http:", "ftp:") + PATHS[e],
    "other-host": lambda ex, e: ex.provider.canary("tls").url + PATHS[e],
    "userinfo": lambda ex, e: ex.provider.canary("tls").url.replace("://", "://localhost@") + PATHS[e],
    "scheme-relative": lambda ex, e: ex.provider.canary("tls").url.removeprefix("https:") + PATHS[e],
    "upper-http": lambda ex, e: ex.provider.canary("plain").url.replace("http:", "HTTP:") + PATHS[e],
    "gopher": lambda ex, e: ex.provider.canary("plain").url.replace("http:", "gopher:") + "/_x",
    "dict": lambda ex, e: ex.provider.canary("plain").url.replace("http:", "dict:") + "/x",
    "data": lambda ex, e: "data:application/json,{}",
    "unix": lambda ex, e: "unix:///run/x.sock",
    "relative": lambda ex, e: PATHS[e],
    "host-only": lambda ex, e: "localhost",
    "fragment": lambda ex, e: ex.provider.url(e) + "#x",
    "blank-inside": lambda ex, e: ex.provider.url(e) + " x",
    "newline": lambda ex, e: ex.provider.url(e) + "\r\nX-Injected: 1",
    "nul": lambda ex, e: ex.provider.url(e) + "\0.attacker.example",
    "backslash": lambda ex, e: ex.provider.url(e).replace("/", "\\"),
    "port-0": lambda ex, e: "https://localhost:0" + PATHS[e],
    "port-70000": lambda ex, e: "https://localhost:70000" + PATHS[e],
    "empty": lambda ex, e: "", "null": lambda ex, e: None, "number": lambda ex, e: 443,
    "list": lambda ex, e: [ex.provider.url(e)],
    "1MiB": lambda ex, e: ex.provider.url(e) + "?" + "x" * (1 << 20),
}


def url(member, endpoint, make):
    return edit(lambda doc, ex: doc.update({member: make(ex, endpoint)}))


for _member, _endpoint in MEMBERS.items():
    for _name, _make in WRONG_URLS.items():
        add(f"{_member}-{_name}", "D02", f"{_member}: {_name}", url(_member, _endpoint, _make))
    add(f"{_member}-missing", "D02", f"no {_member}", drop(_member))

add("all-missing", "D02", "the issuer and nothing else", edit(lambda doc, ex: {"issuer": doc["issuer"]}))
add("unknown-members", "D01", "members nobody knows, which change nothing", put(x_vendor={"a": [1, 2]}, message="\x1b[31m"))
add("algs-none-and-hs", "D01", "advertises none and HS256 only; what is allowed is not for the provider to say",
    put(id_token_signing_alg_values_supported=["none", "HS256"]))
add("types-wrong", "D01", "known members with wrong types",
    put(grant_types_supported="device_code", scopes_supported=7, token_endpoint_auth_methods_supported={"a": 1}))
add("no-auth-methods", "D01", "no token_endpoint_auth_methods_supported: client_secret_basic is the default",
    drop("token_endpoint_auth_methods_supported"))
add("no-device-grant", "D02", "grant_types_supported without the device grant",
    put(grant_types_supported=["authorization_code"]))
