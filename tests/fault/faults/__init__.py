# SPDX-License-Identifier: Apache-2.0
"""Named wrong answers, a table per subject. `names()` lists them, `find(name)` gets one."""

from . import bodies, device, discovery, encoding, http, idtoken, introspection, jwks, redirects, token, transport, userinfo
from .expect import expected
from .registry import DEFAULT, ROWS, Behaviour, add, find, names

__all__ = ["DEFAULT", "ROWS", "Behaviour", "add", "expected", "find", "names", "bodies", "device", "discovery", "encoding", "http",
           "idtoken", "introspection", "jwks", "redirects", "token", "transport", "userinfo"]
