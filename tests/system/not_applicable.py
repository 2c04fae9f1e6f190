# SPDX-License-Identifier: Apache-2.0
"""Rows of the attack catalogue, groups A to L, that this product cannot be asked about yet,
each with the reason.  A row leaves this table when the thing it speaks of exists.
"""

ROWS = {
    "H13": "there are no regular expressions: a claim loses its domain, is folded where the file says so, and is "
           "put into a template of one place",
    "H18": "which accounts exist, and which of two sources wins, is nsswitch.conf's to say; accounts that only a "
           "directory knows are what account_template is for, and their uid is above min_uid",
    "H20": "locked and expired accounts and login shells are looked at by pam_unix, pam_nologin and the "
           "application, which the stacks of pam.d/ ask as well",
    "H24": "no display name is read and no passwd entry written; what is shown of a claim is escaped (O03)",
    "J15": "the module asks for no delay: a device login has no secret that could be guessed, and every "
           "refusal after the code was shown takes one poll interval at least",
    "K01": "there is no broker socket yet: the module starts the broker itself, over a socketpair",
    "K13": "there is no systemd unit yet: the broker is a child of the module and cages itself",
    "K16": "there is no broker socket yet, so there are no peers whose credentials come late",
}

#: Endpoints of the fault matrix that no login of this product touches.
ENDPOINTS = {
    "introspection": "the matrix is of persons' logins, which never ask it; test_introspection.py plays what it answers",
}
