# SPDX-License-Identifier: Apache-2.0
"""The table of behaviours and the few verbs its rows are written with."""

import json
from dataclasses import dataclass, field, replace

from ..httpwire import Answer
from ..provider import ENDPOINTS

HTML = b"<!doctype html><html><title>Sign in to the guest network</title><form method=post></form></html>"


@dataclass(frozen=True)
class Behaviour:
    """One way to answer. LAYER says at which depth it acts and what `run` is called with:

    http       run(exchange), after a whole request was read
    stream     run(provider, socket), after a good TLS handshake
    tls        no run: the handshake itself is the fault (`tls`)
    tcp        run(provider, socket), right after accept
    listener   no run: the port refuses or swallows connections
    dns        no run: the name does not resolve as it should; dns.StubResolver plays it
    """

    name: str
    catalogue: str  # ids of the attack catalogue, blank separated
    does: str
    run: object = field(default=None, repr=False)
    layer: str = "http"
    endpoints: tuple = ENDPOINTS
    setup: object = field(default=None, repr=False)  # called with the provider when the behaviour is set
    tls: object = field(default=None, repr=False)


ROWS = {}
DEFAULT = Behaviour("default", "", "tells the truth", lambda ex: ex.send(ex.answer()))


def add(name, catalogue, does, run=None, **rest):
    assert name not in ROWS, f"two behaviours are called {name}"
    ROWS[name] = Behaviour(name, catalogue, does, run, **rest)


def find(what):
    """A behaviour from its name, itself, or a function of an exchange."""
    if isinstance(what, Behaviour):
        return what
    if callable(what):
        return replace(DEFAULT, name=getattr(what, "__name__", "function"), does="made up by a test", run=what)
    if what == "default":
        return DEFAULT
    if what not in ROWS:
        near = [n for n in ROWS if what.rpartition(".")[2] in n][:5]
        raise KeyError(f"no behaviour is called {what!r}; near it: {near}")
    return ROWS[what]


def names(prefix="", endpoint=None, catalogue=None):
    """Names of the behaviours, for parametrised tests."""
    return [b.name for b in ROWS.values() if b.name.startswith(prefix) and (not endpoint or endpoint in b.endpoints)
            and (not catalogue or catalogue in b.catalogue.split())]


# -- verbs: each returns a run(exchange) ----------------------------------------------------------------------


def reply(status=200, doc=None, **rest):
    """Always this answer: a JSON document, or body= and type=."""
    answer = Answer.json(doc, status, **rest) if doc is not None else Answer(status=status, **rest)
    return lambda ex: ex.send(answer)


def error(code, status=400, **more):
    """An OAuth error answer."""
    return reply(status, {"error_description": f"{code} (test)", "error": code, **more})


def success(**changes):
    """The answer of a login that went well, with other status, type, headers."""
    return lambda ex: ex.send(replace(ex.success(), **changes))


def edit(function):
    """The JSON of a login that went well, after FUNCTION(doc, exchange) changed or replaced it."""
    def run(ex):
        answer = ex.success()
        doc = json.loads(json.dumps(answer.doc))
        changed = function(doc, ex)
        ex.send(answer.with_doc(doc if changed is None else changed))
    return run


def put(**members):
    """The JSON of a login that went well with these members set."""
    return edit(lambda doc, ex: doc.update(members))


def drop(*members):
    """The same with these members missing."""
    return edit(lambda doc, ex: {k: v for k, v in doc.items() if k not in members})


def body(function):
    """The body of a login that went well as FUNCTION(bytes) makes it."""
    def run(ex):
        answer = ex.success()
        ex.send(replace(answer, body=function(answer.body)))
    return run


def wire(function):
    """Raw bytes of FUNCTION(answer), then the connection is closed."""
    def run(ex):
        ex.raw(function(ex.success()))
        ex.close()
    return run


def flood(ex, piece, limit=1 << 40, pause=0.004):
    """Sends PIECE over and over, about 16 MiB/s at most, until the client goes away."""
    sent = 0
    while sent < limit and ex.pause(pause):
        ex.raw(piece)
        sent += len(piece)
