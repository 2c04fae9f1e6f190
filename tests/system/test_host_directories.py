# SPDX-License-Identifier: Apache-2.0
"""The user and the directories of a host, as tmpfiles.d and sysusers.d make them: what the broker makes
itself is the same, and what it needs is there."""

import os
import pathlib
import shutil
import stat

import pytest

from apps import play
from harness.machine import CACHE_DIR, PINS_DIR, PRODUCT_USER

TMPFILES = pathlib.Path("/usr/lib/tmpfiles.d/pam-oidc.conf")
SYSUSERS = pathlib.Path("/usr/lib/sysusers.d/pam-oidc.conf")
RUN = pathlib.Path("/run/pam-oidc")
SESSIONS = RUN / "sessions"


def lines(file: pathlib.Path) -> list[list[str]]:
    return [line.split(maxsplit=5) for line in file.read_text(encoding="utf-8").splitlines()
            if line and not line.startswith("#")]


def wanted() -> dict[pathlib.Path, tuple[int, str, str]]:
    """Each directory with its mode, owner and group."""
    found = {}
    for kind, path, mode, user, group, age in lines(TMPFILES):
        assert (kind, age) == ("d", "-"), "nothing is removed, and nothing but directories is made"
        found[pathlib.Path(path)] = (int(mode, 8), user, group)
    return found


def facts(path: pathlib.Path) -> tuple[int, str, str]:
    assert stat.S_ISDIR(path.lstat().st_mode), path
    return stat.S_IMODE(path.stat().st_mode), path.owner(), path.group()


def owned(root: pathlib.Path, path: pathlib.Path) -> tuple[int, int, int]:
    seen = (root / path.relative_to("/")).lstat()
    return stat.S_IMODE(seen.st_mode), seen.st_uid, seen.st_gid


def needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program}")


def test_the_files_name_what_the_product_uses(machine):
    mine = (PRODUCT_USER, PRODUCT_USER)
    assert wanted() == {CACHE_DIR: (0o700, *mine), PINS_DIR: (0o700, *mine),
                        RUN: (0o755, "root", "root"), SESSIONS: (0o700, *mine)}
    (kind, name, number, *_), = lines(SYSUSERS)
    assert (kind, name, number) == ("u", PRODUCT_USER, "-")


def test_what_a_login_makes_is_what_the_file_says(machine, bench):
    """Whichever login is the first after a start of the machine."""
    shutil.rmtree(RUN, ignore_errors=True)
    with machine.changes(), bench.provider() as idp, bench.service(idp) as service:
        play(bench, service).assert_granted()
    for path in (RUN, SESSIONS):
        assert facts(path) == wanted()[path], path


def test_systemd_makes_them_and_logins_work_in_them(machine, bench):
    needs("systemd-tmpfiles")
    for path in (RUN, CACHE_DIR, PINS_DIR):
        shutil.rmtree(path, ignore_errors=True)
    machine.run(["systemd-tmpfiles", "--create", TMPFILES.name])
    for path, how in wanted().items():
        assert facts(path) == how, path
    bench.identity |= {"pin_subjects": True}
    try:
        with machine.changes(), bench.provider() as idp, bench.service(idp) as service:
            play(bench, service).assert_granted()
            assert list(CACHE_DIR.iterdir()) and list(PINS_DIR.iterdir())
        machine.run(["systemd-tmpfiles", "--create", "--clean", TMPFILES.name])
        assert list(CACHE_DIR.iterdir()) and list(PINS_DIR.iterdir())
    finally:
        bench.identity |= {"pin_subjects": False}
        for pin in PINS_DIR.iterdir():
            pin.unlink()


def test_an_image_gets_them_before_it_ever_ran(machine, tmp_path):
    needs("systemd-tmpfiles")
    needs("systemd-sysusers")
    for file in (TMPFILES, SYSUSERS):
        (tmp_path / file.parent.relative_to("/")).mkdir(parents=True)
        shutil.copy(file, tmp_path / file.relative_to("/"))
    (tmp_path / "etc").mkdir()
    machine.run(["systemd-sysusers", f"--root={tmp_path}", SYSUSERS.name])
    user, = [line.split(":") for line in (tmp_path / "etc/passwd").read_text().splitlines()
             if line.startswith(f"{PRODUCT_USER}:")]
    assert 0 < int(user[2]) < 1000 and user[5:] == ["/nonexistent", "/usr/sbin/nologin"]
    assert os.path.exists(tmp_path / "etc/group")
    machine.run(["systemd-tmpfiles", "--create", f"--root={tmp_path}", TMPFILES.name])
    numbers = {"root": (0, 0), PRODUCT_USER: (int(user[2]), int(user[3]))}
    for path, (mode, owner, _group) in wanted().items():
        assert owned(tmp_path, path) == (mode, *numbers[owner]), path
