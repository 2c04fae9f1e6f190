# SPDX-License-Identifier: Apache-2.0
"""What the system tests share: the machine, its daemons, its terminals and its log.

Everything here runs inside `tests/sandbox` and changes files of the machine it finds itself on.
"""

import os
import pathlib

TESTS = pathlib.Path(__file__).resolve().parent.parent

#: Environment of the programs we start as people and daemons would: nothing of the caller's.
CLEAN_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def in_sandbox() -> bool:
    """Whether this process may change the machine's files."""
    return os.environ.get("PAM_OIDC_SANDBOX") == "1"


def require_sandbox() -> None:
    """Refuses to go on where the files we would change are somebody's."""
    if not in_sandbox():
        raise RuntimeError("not inside the sandbox: run this by tests/sandbox")
