# SPDX-License-Identifier: Apache-2.0
"""Redirects (catalogue E08). Each target holds the answer the client hopes for, so following one would work."""

from .registry import add, reply

TARGETS = {
    "other-host": lambda ex: ex.provider.canary("tls").url + ex.request.target,
    "other-port": lambda ex: ex.provider.canary("port").url + ex.request.target,
    "http": lambda ex: ex.provider.canary("plain").url + ex.request.target,
    "file": lambda ex: "file://" + ex.provider.success_file(ex.endpoint),
    "loop": lambda ex: ex.provider.url(ex.endpoint),
    "relative": lambda ex: ex.request.target,
    "userinfo": lambda ex: ex.provider.canary("tls").url.replace("://", "://user:word@") + ex.request.target,
    "scheme-relative": lambda ex: ex.provider.canary("tls").url.removeprefix("https:") + ex.request.target,
    "empty": lambda ex: "",
}


def redirect(status, target):
    def run(ex):
        reply(status, headers=(("Location", TARGETS[target](ex)),))(ex)
    return run


# The matrix names mean 307, the status that makes a client send the same body on.
for _target in TARGETS:
    add(f"http.redirect-{_target}", "E08", f"307 to {_target}", redirect(307, _target))
    for _status in (301, 302, 303, 308):
        add(f"http.redirect-{_status}-{_target}", "E08", f"{_status} to {_target}", redirect(_status, _target))
add("http.redirect-no-location", "E08", "307 without Location", reply(307))
add("http.refresh-header", "E08", "200 with a Refresh header", lambda ex: reply(
    200, {}, headers=(("Refresh", f"0; url={TARGETS['other-host'](ex)}"),))(ex))
