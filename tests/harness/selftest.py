#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Tests the sandbox, seen from without, and starts the tests of the harness inside it (selftest_inside.py).

    /usr/bin/python3 tests/harness/selftest.py [WORD]     as root; WORD selects checks by name

Prints a line per check and "N passed, N failed".
"""

import hashlib
import os
import pathlib
import signal
import stat
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
# The package is found by its name; its directory must not shadow modules of the same names.
sys.path[0] = str(HERE.parent)

from harness import in_sandbox  # noqa: E402
from harness.machine import wait_until  # noqa: E402
from harness.selftest_checks import equal, run, true  # noqa: E402

SANDBOX = str(HERE.parent / "sandbox")


def digest(*directories: str) -> dict[str, str]:
    """Every file with its owner, mode, time of change and content."""
    found = {}
    for directory in directories:
        for path in sorted(pathlib.Path(directory).rglob("*")):
            state = path.lstat()
            content = hashlib.sha256(path.read_bytes()).hexdigest() \
                if stat.S_ISREG(state.st_mode) else ""
            found[str(path)] = f"{state.st_mode:o} {state.st_uid} {state.st_gid} " \
                               f"{state.st_mtime_ns} {content}"
    return found


def sandbox(*command: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([SANDBOX, *command], capture_output=True, text=True, timeout=60,
                          **options)


class Outside:
    """Checks that look at the sandbox from without."""

    def exit_status_is_the_commands(self):
        equal(sandbox("sh", "-c", "exit 37").returncode, 37)
        equal(sandbox("sh", "-c", "kill -9 $$").returncode, 137)
        equal(sandbox("/nonexistent").returncode, 127)

    def wrong_usage_is_told(self):
        equal(sandbox().returncode, 64)
        equal(sandbox("--unknown", "true").returncode, 64)

    def starts_in_well_under_a_second(self):
        began = time.monotonic()
        for _ in range(3):
            sandbox("true")
        true((time.monotonic() - began) / 3 < 0.8, "three starts took too long")

    def streams_and_environment_pass_through(self):
        done = sandbox("sh", "-c", 'cat; echo "$GREETING"; echo err >&2', input="in\n",
                       env=os.environ | {"GREETING": "a b"})
        equal((done.stdout, done.stderr), ("in\na b\n", "err\n"))

    def nothing_outlives_the_command(self):
        name = f"4{os.getpid()}.5"
        sandbox("sh", "-c", f"setsid sleep {name} > /dev/null 2>&1 & exit 0")
        equal(self._running(name), [])

    def killing_the_script_kills_everything(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            name = f"3{os.getpid()}.{int(number)}"
            process = subprocess.Popen([SANDBOX, "sh", "-c", f"setsid sleep {name}; :"])
            wait_until(lambda: self._running(name), what="the sleeper")
            process.send_signal(number)
            process.wait(10)
            wait_until(lambda: not self._running(name), timeout=3, what="the sleeper's end")

    def own_network_has_loopback_only(self):
        done = sandbox("--net", "--hostname", "db02", "sh", "-c", "hostname; ip -brief address")
        lines = done.stdout.splitlines()
        equal((lines[0], len(lines)), ("db02", 2), done.stdout + done.stderr)
        true("127.0.0.1/8" in lines[1], lines[1])

    def source_tree_is_real_and_system_is_not(self):
        probe = HERE / f".selftest-{os.getpid()}"
        private = [f"/{top}/.selftest-{os.getpid()}" for top in
                   ("etc", "usr/bin", "var/tmp", "home", "root", "opt", "run", "tmp", "dev/shm")]
        try:
            done = sandbox("sh", "-ec", 'for f; do echo x > "$f"; done', "sh", str(probe), *private)
            equal(done.returncode, 0, done.stderr)
            true(probe.exists(), "the source tree is a copy")
            equal([path for path in private if os.path.exists(path)], [])
        finally:
            probe.unlink(missing_ok=True)

    def tree_below_tmp_stays_real(self):
        tree = pathlib.Path(f"/tmp/selftest-{os.getpid()}/src/tests")
        try:
            tree.mkdir(parents=True)
            copy = tree / "sandbox"
            copy.write_bytes(pathlib.Path(SANDBOX).read_bytes())
            copy.chmod(0o755)
            subprocess.run([str(copy), "sh", "-c", "echo x > made; echo x > /tmp/not-made"],
                           cwd=tree, check=True)
            true((tree / "made").exists(), "the tree below /tmp is a copy")
            true(not os.path.exists("/tmp/not-made"), "/tmp is not private")
        finally:
            subprocess.run(["rm", "-rf", str(tree.parent.parent)], check=True)

    @staticmethod
    def _running(name: str) -> list[str]:
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if entry.read_bytes() == b"sleep\0" + name.encode() + b"\0":
                    found.append(entry.parent.name)
            except OSError:
                pass
        return found


def main() -> int:
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    if in_sandbox():
        from harness.selftest_inside import Inside  # changes the machine it is on
        checks = Inside()
        try:
            passed, failed = run(checks, word)
        finally:
            checks.close()
        pathlib.Path(os.environ["SELFTEST_RESULT"]).write_text(f"{passed} {failed}")
        return 1 if failed else 0
    if os.getuid() != 0:
        print("selftest: must run as root", file=sys.stderr)
        return 77
    watched = ("/etc", "/home", "/usr/lib/x86_64-linux-gnu/security", "/usr/bin", "/opt")
    before = digest(*filter(os.path.isdir, watched))
    passed, failed = run(Outside(), word)
    # The result comes back through the one tree that both sides see.
    result = HERE / f".selftest-result-{os.getpid()}"
    try:
        subprocess.run([SANDBOX, sys.executable, __file__, word],
                       env=os.environ | {"SELFTEST_RESULT": str(result)}, check=False)
        counts = result.read_text() if result.exists() else "0 1"
        inside = [int(number) for number in counts.split()]
    finally:
        result.unlink(missing_ok=True)
    passed, failed = passed + inside[0], failed + inside[1]
    after = digest(*filter(os.path.isdir, watched))
    different = sorted(path for path in before.keys() | after.keys()
                       if before.get(path) != after.get(path))
    if different:
        failed += 1
        print(f"FAILED machine_is_untouched: {different[:20]}")
    else:
        passed += 1
        print("ok     machine_is_untouched")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
