# SPDX-License-Identifier: Apache-2.0
"""Configuration, secrets and cached documents as files: broken, half-written, in the wrong hands, on a
full disk (catalogue group M)."""

import os
import pathlib
import pwd
import random
import signal
import socket
import threading

import pytest

from apps import broker_below, has_ended, play, signal_or_miss, steps
from harness import conv
from harness.machine import CACHE_DIR, CONFIG_DIR, CONFIG_FILE, PRODUCT_USER, wait_until
from support import CLIENT_SECRET, SECRET_FILE, Attempt, Bench

#: A login with a configuration that works: the provider is asked, and refuses the client at once.
WORKS = ("PAM_AUTHINFO_UNAVAIL", "idp.client_rejected")


class Stage:
    """A service whose logins end as soon as the configuration, the secret and the cache were used."""

    def __init__(self, bench: Bench, idp, service: str):
        self.bench, self.machine, self.log = bench, bench.machine, bench.log
        self.idp, self.service = idp, service
        self.configuration = CONFIG_FILE.read_text()

    def login(self) -> Attempt:
        self.log.clear()
        return play(self.bench, self.service)

    def assert_works(self) -> Attempt:
        attempt = self.login()
        attempt.assert_denied(*WORKS)
        return attempt


def _refuses(bench: Bench):
    """A provider that answers discovery truly and refuses the client at the device endpoint."""
    return bench.provider(client_auth=set())


@pytest.fixture(scope="module")
def stage(bench, machine):
    conv.build()
    with machine.changes(), _refuses(bench) as idp, bench.service(idp) as service:
        yield Stage(bench, idp, service)


@pytest.fixture
def changed(stage):
    """Files that a test changes are as before afterwards."""
    with stage.machine.changes():
        stage.machine.config(stage.configuration)
        yield stage
        stage.machine.directory(CONFIG_DIR, 0o755)


def _config_is_not_used(stage: Stage, *reasons: str, detail: str | None = None) -> Attempt:
    asked = len(stage.idp.all_hits)
    attempt = stage.login()
    attempt.assert_denied("PAM_AUTHINFO_UNAVAIL", *reasons)
    assert detail is None or detail in attempt.fields["detail"], str(attempt)
    assert len(stage.idp.all_hits) == asked, "the provider was asked"
    assert "Sign-in is not possible right now" in attempt.report.text("error_msg")
    return attempt


# --- M01: not a file, not a text ---

def _replace(path: pathlib.Path, make) -> None:
    path.unlink(missing_ok=True)
    make(path)


def _bind_socket(path: pathlib.Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


NO_CONFIGURATION = {
    "missing": (lambda path: None, "cfg.missing"),
    "empty": (lambda path: path.write_text(""), "cfg.syntax"),
    "directory": (lambda path: path.mkdir(), "cfg.perm"),
    "fifo": (lambda path: os.mkfifo(path, 0o644), "cfg.perm"),
    "socket": (_bind_socket, "cfg.perm"),
    "device": (lambda path: os.mknod(path, 0o20644, os.makedev(1, 5)), "cfg.perm"),
    "link-to-zero": (lambda path: path.symlink_to("/dev/zero"), "cfg.perm"),
    "2-MiB": (lambda path: path.write_text("# \n" * 700_000), "cfg.perm"),
    "binary": (lambda path: path.write_bytes(bytes(range(256)) * 8), "cfg.syntax"),
    "nuls": (lambda path: path.write_bytes(b"[identity]\0\n"), "cfg.syntax"),
    "utf-16": (lambda path: path.write_bytes("[identity]\n".encode("utf-16")), "cfg.syntax"),
    "not-utf-8": (lambda path: path.write_bytes(b'[identity]\nusername_claim = "\xff"\n'),
                  "cfg.syntax"),
}


@pytest.mark.parametrize("name", NO_CONFIGURATION)
def test_M01_no_configuration(name, changed):
    make, reason = NO_CONFIGURATION[name]
    try:
        _replace(CONFIG_FILE, make)
        _config_is_not_used(changed, reason, detail=str(CONFIG_FILE))
    finally:
        if CONFIG_FILE.is_dir() and not CONFIG_FILE.is_symlink():
            CONFIG_FILE.rmdir()


# --- M02: in the wrong hands ---

@pytest.mark.parametrize("mode", [0o646, 0o664, 0o666, 0o622, 0o602, 0o620, 0o777, 0o4646])
def test_M02_others_may_write_it(mode, changed):
    changed.machine.config(changed.configuration, mode)
    _config_is_not_used(changed, "cfg.perm", detail=f"{CONFIG_FILE} is writable by")


@pytest.mark.parametrize("owner", ["alice", PRODUCT_USER])
def test_M02_it_is_somebody_elses(owner, changed):
    """Not even the broker's own: a broker that was taken over must not change its rules."""
    changed.machine.write(CONFIG_FILE, changed.configuration, owner=owner)
    _config_is_not_used(changed, "cfg.perm", detail=f"{CONFIG_FILE} is owned by another user")


def test_M02_it_is_a_link(changed):
    target = changed.machine.write("/etc/pam-oidc/elsewhere.toml", changed.configuration)
    changed.machine.remove(CONFIG_FILE)
    CONFIG_FILE.symlink_to(target)
    _config_is_not_used(changed, "cfg.perm", detail="symbolic link")


@pytest.mark.parametrize("mode,owner", [(0o777, "root"), (0o775, "root"), (0o1777, "root"),
                                        (0o755, "alice")])
def test_M02_others_may_replace_it(mode, owner, changed):
    changed.machine.directory(CONFIG_DIR, mode, owner)
    _config_is_not_used(changed, "cfg.perm", detail=f"directory {CONFIG_DIR} is")


def test_M02_readable_by_root_alone_is_fine(changed):
    changed.machine.config(changed.configuration, 0o600)
    changed.assert_works()


# --- M03: not what we understand; V has two hundred, the log line is what counts here ---

#: a line that is appended, and what the line in the log says of it
MISTAKES = {
    "unknown-key": ("[prompt]\nqrcode = true", "qrcode"),
    "unknown-section": ("[promt]", "promt"),
    "duplicate-key": ("[prompt]\nplain = true\nplain = false", "plain"),
    "duplicate-section": ("[identity]\nmin_uid = 1", "identity"),
    "wrong-type": ('[prompt]\nplain = "yes"', "plain"),
    "not-a-list": ('[local]\nusers = "root"', "users"),
    "overflow": ("[limits]\nlogin_timeout = 99999999999999999999", None),
    "no-value": ("[prompt]\nplain =", None),
    "junk": ("]]]", None),
    "open-string": ('[local]\nusers = ["ro', None),
    "git-conflict": ("<<<<<<< HEAD", None),
    "windows-quotes": ("[local]\nusers = [\u201croot\u201d]", None),
    "yaml": ("prompt:\n  plain: true", None),
    "json": ('{"prompt": {"plain": true}}', None),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_M03_a_mistake_denies_and_is_named_with_its_line(name, changed):
    text, word = MISTAKES[name]
    changed.machine.config(f"{changed.configuration}\n{text}\n")
    attempt = _config_is_not_used(changed, "cfg.syntax", detail=f"{CONFIG_FILE}:")
    place = attempt.fields["detail"].partition(f"{CONFIG_FILE}:")[2]
    line = int(place.partition(":")[0])
    before = changed.configuration.count("\n") + 1
    assert before < line <= before + text.count("\n") + 2, attempt.fields["detail"]
    assert word is None or word in attempt.fields["detail"]


# --- M04: half a file ---

def test_M04_half_a_configuration_never_grants_more(changed):
    """Whatever of it is already there: no login, or the decision of the whole."""
    text = changed.configuration
    cuts = sorted({len(text) * part // 14 for part in range(14)})
    for cut in cuts:
        changed.machine.config(text[:cut])
        attempt = changed.login()
        assert attempt.code in ("PAM_AUTHINFO_UNAVAIL", "PAM_PERM_DENIED"), str(attempt)
        assert attempt.reason in ("cfg.syntax", "cfg.secret_perm", "cfg.ca", "cfg.arg",
                                  "pam.service", WORKS[1], "tls.verify"), str(attempt)
    changed.machine.config(text)
    changed.assert_works()


# --- M05: secrets ---

@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o660, 0o606, 0o602, 0o620, 0o666])
def test_M05_a_secret_that_others_can_read_or_write_is_not_used(mode, changed):
    changed.machine.secret(SECRET_FILE.name, CLIENT_SECRET + "\n", mode)
    attempt = _config_is_not_used(changed, "cfg.secret_perm", detail=str(SECRET_FILE))
    assert CLIENT_SECRET not in attempt.decisions[0].text


@pytest.mark.parametrize("name", ["missing", "directory", "fifo", "link-to-zero"])
def test_M05_a_secret_that_is_no_file_is_not_used(name, changed):
    changed.machine.remove(SECRET_FILE)
    try:
        NO_CONFIGURATION[name][0](SECRET_FILE)
        _config_is_not_used(changed, "cfg.secret_perm", detail=str(SECRET_FILE))
    finally:
        if SECRET_FILE.is_dir() and not SECRET_FILE.is_symlink():
            SECRET_FILE.rmdir()


@pytest.mark.parametrize("text", ["", "\n", "two\nlines\n", "windows\r\n", "\x00zero", "x" * 5000])
def test_M05_a_secret_that_cannot_be_one_is_not_used(text, changed):
    changed.machine.secret(SECRET_FILE.name, text)
    _config_is_not_used(changed, "cfg.syntax", "cfg.secret_perm", detail=str(SECRET_FILE))


def test_M05_the_brokers_group_may_read_a_secret(changed):
    changed.machine.write(SECRET_FILE, CLIENT_SECRET + "\n", 0o640, "root", PRODUCT_USER)
    changed.assert_works()


def test_M05_another_providers_secret_does_not_matter(changed):
    path = changed.machine.secret("other.secret", "x\n", mode=0o644)
    changed.machine.config(f"""{changed.configuration}
[provider.other]
issuer = "https://other.example"
client_id = "other"
client_secret_file = "{path}"
""")
    changed.assert_works()


# --- M06, M07, M11, M12: the cache (D17 has what else can stand in a file's place) ---

def _cached(stage: Stage) -> list[pathlib.Path]:
    return [path for path in CACHE_DIR.iterdir() if path.suffix not in (".lock", ".new")]


def _empty_cache() -> None:
    for path in CACHE_DIR.iterdir():
        path.unlink()


def test_M06_a_file_that_is_exchanged_all_the_time_leads_nowhere_else(changed):
    """Somebody with the broker's identity swaps cache files for links of both kinds."""
    shadow = pathlib.Path("/etc/shadow")
    beside = changed.machine.write("/var/cache/roots-own", "root's own\n", 0o600)
    before = [(path.read_bytes(), path.stat().st_mode) for path in (shadow, beside)]
    changed.assert_works()
    names = [path.name for path in _cached(changed)]
    assert names
    stop = threading.Event()

    def swap():
        while not stop.is_set():
            for name in [*names, *(f"{name}.new" for name in names)]:
                trap = CACHE_DIR / f"trap-{name}"
                try:
                    trap.symlink_to(shadow)
                    trap.rename(CACHE_DIR / name)
                    os.link(beside, trap)
                    trap.rename(CACHE_DIR / name)
                except FileExistsError:
                    trap.unlink()
                except FileNotFoundError:
                    pass
    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        for _ in range(25):
            changed.assert_works()
    finally:
        stop.set()
        swapping.join()
        _empty_cache()
    assert [(path.read_bytes(), path.stat().st_mode) for path in (shadow, beside)] == before


@pytest.mark.parametrize("options", ["size=4k", "ro", "nr_inodes=1", "noexec,nosuid,size=8k"])
def test_M07_a_disk_that_takes_nothing_decides_all_the_same(options, changed):
    user = pwd.getpwnam(PRODUCT_USER)
    changed.machine.run(["mount", "-t", "tmpfs", "-o",
                         f"{options},mode=0700,uid={user.pw_uid},gid={user.pw_gid}", "none",
                         str(CACHE_DIR)])
    try:
        if options.startswith("size=4k"):
            (CACHE_DIR / "filler").write_bytes(b"x" * 4096)
        attempt = changed.assert_works()
        assert options.startswith("noexec") or "cache." in attempt.notes, str(attempt)
    finally:
        changed.machine.run(["umount", str(CACHE_DIR)])


def test_M08_what_is_cached_is_the_brokers_alone_and_no_secret(changed):
    changed.assert_works()
    user = pwd.getpwnam(PRODUCT_USER)
    assert CACHE_DIR.stat().st_mode & 0o777 == 0o700
    for path in CACHE_DIR.iterdir():
        state = path.stat()
        assert (state.st_mode & 0o777, state.st_uid) == (0o600, user.pw_uid), path
        content = path.read_text()
        assert CLIENT_SECRET not in content and "alice" not in content
        assert "alice" not in path.name and changed.idp.client_id not in path.name


def test_M09_M10_no_file_has_the_users_name_and_no_home_is_touched(stage):
    trace = pathlib.Path("/run/m10.trace")
    with stage.bench.provider() as idp, stage.bench.service(idp) as service:
        attempt = play(stage.bench, service, run={"prefix": (
            "strace", "-f", "-qq", "-s", "300", "-o", str(trace), "-e", "trace=%file")})
    attempt.assert_granted()
    calls = [line for line in trace.read_text().splitlines() if '"' in line]
    assert len(calls) > 50
    assert not [line for line in calls if "alice" in line or '"/home' in line or '"/root' in line]


def test_M11_a_broker_killed_while_it_writes_leaves_the_cache_usable(changed):
    moments = random.Random(11)
    killed = 0
    for number in range(24):
        if number % 4 == 0:
            _empty_cache()
        with conv.PamApp(steps(changed.service, host=(["subreaper"],))) as app:
            try:
                broker = broker_below(app.pid, timeout=3)
            except AssertionError:  # over before it was seen: it lives for some milliseconds
                app.finish(30)
                continue
            killed += 1
            # Not a wait for something: the moment is what varies.
            threading.Event().wait(moments.uniform(0, 0.06))
            signal_or_miss(broker, signal.SIGKILL)
            app.finish(30)
            wait_until(lambda: has_ended(broker), what="the broker to end")
    assert killed >= 8
    attempt = changed.assert_works()
    assert "cache.format" not in attempt.notes, attempt.notes
    assert "cache.format" not in changed.assert_works().notes


def test_M12_a_damaged_entry_is_fetched_again(changed):
    changed.assert_works()
    discovery = next(path for path in _cached(changed) if path.name.startswith("discovery-")
                     and "failure" not in path.name)
    good = discovery.read_bytes()
    where = random.Random(12)
    for number in range(20):
        data = bytearray(good)
        if number % 4 == 3:
            data = data[:where.randrange(len(data))]
        else:
            data[where.randrange(len(data))] ^= 1 << where.randrange(8)
        discovery.write_bytes(data)
        asked = len(changed.idp.hits["discovery"])
        attempt = changed.assert_works()
        assert "cache.format" in attempt.notes, str(attempt)
        assert len(changed.idp.hits["discovery"]) == asked + 1
