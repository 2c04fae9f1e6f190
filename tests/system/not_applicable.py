# SPDX-License-Identifier: Apache-2.0
"""Rows of the attack catalogue, groups A to G, J, K and L, that this product cannot be asked about yet,
each with the reason.  A row leaves this table when the thing it speaks of exists.
"""

ROWS = {
    "J15": "the module asks for no delay: a device login has no secret that could be guessed, and every "
           "refusal after the code was shown takes one poll interval at least",
    "K01": "there is no broker socket yet: the module starts the broker itself, over a socketpair",
    "K07": "the protocol has no refresh and no session: one conversation is one login (PROTOCOL.md)",
    "K13": "there is no systemd unit yet: the broker is a child of the module and cages itself",
    "K16": "there is no broker socket yet, so there are no peers whose credentials come late",
}

#: Endpoints of the fault matrix that no login of this product touches.
ENDPOINTS = {
    "introspection": "the matrix is of persons' logins, which never ask it; test_introspection.py plays what it answers",
}
