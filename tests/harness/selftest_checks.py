# SPDX-License-Identifier: Apache-2.0
"""What the self-tests check with, and how they are run."""

import time
import traceback


def equal(found, wanted, what=""):
    if found != wanted:
        raise AssertionError(f"{what}: {found!r} instead of {wanted!r}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def run(checks, word: str) -> tuple[int, int]:
    passed = failed = 0
    for name in [name for name in vars(type(checks)) if not name.startswith("_")]:
        if name == "close" or word not in name:
            continue
        if hasattr(checks, "log"):
            checks.log.clear()
        began = time.monotonic()
        try:
            getattr(checks, name)()
        except Exception:
            failed += 1
            print(f"FAILED {name}\n{traceback.format_exc()}", flush=True)
        else:
            passed += 1
            print(f"ok     {name} ({time.monotonic() - began:.2f} s)", flush=True)
    return passed, failed
