# SPDX-License-Identifier: Apache-2.0
"""PAM applications of every kind on the bench: hosts with habits, unusual items, stacks and calls."""

import contextlib
import os
import pathlib

from harness import conv
from harness.machine import wait_until
from harness.sshd import children_of
from support import TERMINAL, Attempt, Bench

BROKER_NAME = "pam-oidc-broker"[:15]  # as the kernel cuts it


def steps(service: str, *answers, user="alice", host=(), items=None, calls=("authenticate",),
          before=(), after=()) -> conv.Steps:
    """conv.login() on our usual terminal, with steps before and after the calls, and without
    libpam's pause after a failure."""
    made = conv.login(service, user, *answers, calls=calls, host=host,
                      items=TERMINAL if items is None else items)
    made.insert(made.index(["start"]) + 1, ["record-delay"])
    first_call = next(i for i, step in enumerate(made) if step[0] == "call")
    made[first_call:first_call] = before
    made[-1:-1] = after
    return made


def play(bench: Bench, service: str, *answers, timeout: float = 60, run: dict | None = None,
         **options) -> Attempt:
    """One login to its end.  `run` goes to PamApp (env, user, prefix), the rest to steps()."""
    with conv.PamApp(steps(service, *answers, **options), **(run or {})) as app:
        return bench.finish(app, service, timeout)


def name_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def has_ended(pid: int) -> bool:
    """Gone, or a zombie that nobody has waited for."""
    with contextlib.suppress(OSError, IndexError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    return True


def broker_below(pid: int, timeout: float = 10) -> int:
    """The broker of an application that has made itself the reaper of what it starts ("host
    subreaper"): so it is found whatever else runs."""
    def found():
        return [child for child in children_of(pid)
                if name_of(child) == BROKER_NAME and not has_ended(child)]
    return wait_until(found, timeout=timeout, what="a broker to be started")[0]


def status_of(pid: int) -> dict[str, str]:
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {key: value.strip() for key, _, value in
            (line.partition(":") for line in text.splitlines())}


def signal_or_miss(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
