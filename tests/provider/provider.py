# SPDX-License-Identifier: Apache-2.0
"""The test provider as a Python object; standard library only.

    with Provider(interval=1) as idp:
        ...configure the program under test with idp.issuer and idp.ca_file...
        idp.approve(user_code, "alice")
        assert idp.hits()["/as/token.oauth2"] == 1
"""

import itertools
import json
import os
import pathlib
import select
import shutil
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent

# The same constants as in clients.mjs; the self-test signs in with both.
CLIENT_SECRET = "correct-horse-battery-staple-2718281828"
ODD_CLIENT_SECRET = "p%41ss+w:rd/ &=?@ 3141592653589793"

START_SECONDS = 120  # on a machine that has other things to do, too
STOP_SECONDS = 5
BROWSE_SECONDS = 90


#: What a provider makes in its directory before it starts: two seconds of computing.
MADE = ("keys.json", "pki", "rp")

_numbers = itertools.count(1)


class HookError(Exception):
    """A test hook refused; the text says why."""


class Provider:
    """One running provider. Every start has its own port; stop() then start() keeps it."""

    def __init__(self, state_dir=None, port=0, interval=5, device_code_ttl=600, cert="server", keep_alive=5,
                 directory=None):
        """state_dir: keys and certificates live there; a temporary directory when not given.
        cert: "server", or the wrong "badhost" or "expired".
        keep_alive: seconds after which an idle connection is closed.
        directory: a file that says which Active Directory has the people; users() is not for those."""
        self._temporary = state_dir is None
        self.state_dir = pathlib.Path(state_dir or tempfile.mkdtemp(prefix="pam-oidc-provider-"))
        self.state_dir.mkdir(parents=True, exist_ok=True)
        # The program under test reads ca_file as an unprivileged user.
        self.state_dir.chmod(0o755)
        self.ca_file = str(self.state_dir / "pki" / "ca.crt")
        self.log_file = self.state_dir / "server.log"
        self.port = port
        self.issuer = None
        self._arguments = ["--interval", str(interval), "--device-code-ttl", str(device_code_ttl), "--cert", cert,
                           "--keep-alive", str(keep_alive)]
        if directory:
            self._arguments += ["--directory", str(directory)]
        self._process = None
        self._opener = None
        self._kept = self._find_kept() if self._temporary else None

    @staticmethod
    def _find_kept():
        """Where the keys of this process's first, second... provider stay from one test program to the
        next; None without a build tree."""
        build = os.environ.get("PAM_OIDC_BUILD")
        return pathlib.Path(build) / "provider-keys" / str(next(_numbers)) if build else None

    def _take_kept(self):
        if self._kept and self._kept.is_dir():
            shutil.copytree(self._kept, self.state_dir, dirs_exist_ok=True)
            self.state_dir.chmod(0o755)

    def _keep(self):
        if not self._kept or self._kept.is_dir():
            return
        self._kept.parent.mkdir(parents=True, exist_ok=True)
        draft = pathlib.Path(tempfile.mkdtemp(dir=self._kept.parent))
        for name in MADE:
            source = self.state_dir / name
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, draft / name)
        try:
            draft.rename(self._kept)
        except OSError:  # another test program was first
            shutil.rmtree(draft, ignore_errors=True)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    # ---- life ----

    def start(self):
        subprocess.run([str(HERE / "install")], check=True, stdin=subprocess.DEVNULL)
        if not self.log_file.exists():
            self._take_kept()
        # The server ends when its standard input closes, so that a test that dies leaves none.
        with open(self.log_file, "ab") as log:
            self._process = subprocess.Popen(
                ["node", str(HERE / "server.mjs"), "--dir", str(self.state_dir), "--port", str(self.port),
                 "--until-stdin-closes", *self._arguments],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True)
        self.issuer = self._read_ready()
        self._keep()
        self.port = urllib.parse.urlsplit(self.issuer).port
        # Hooks must answer even when the certificate served is one of the wrong ones.
        trust = ssl.create_default_context(cafile=self.ca_file)
        trust.check_hostname = False
        if "expired" in self._arguments:
            trust.verify_mode = ssl.CERT_NONE
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))

    def _read_ready(self):
        readable, _, _ = select.select([self._process.stdout], [], [], START_SECONDS)
        line = self._process.stdout.readline().decode() if readable else ""
        if not line.startswith("READY "):
            self.stop()
            raise RuntimeError(f"the test provider did not start: {self.log()[-2000:]}")
        return line.split()[1]

    def stop(self):
        """Ends the server and keeps its directory: the next start() has the same port and keys."""
        if self._process is None:
            return
        self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._process = None

    def close(self):
        self.stop()
        if self._temporary:
            shutil.rmtree(self.state_dir, ignore_errors=True)

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    # ---- the person ----

    def approve(self, user_code, login, amr=None, acr=None, auth_time=None):
        given = {"amr": amr, "acr": acr, "auth_time": auth_time}
        return self.hook("approve", user_code=user_code, login=login,
                         **{name: value for name, value in given.items() if value is not None})

    def deny(self, user_code):
        return self.hook("deny", user_code=user_code)

    def expire(self, user_code, forget=False):
        """The code runs out now (expired_token), or was never heard of (invalid_grant)."""
        return self.hook("expire", user_code=user_code, forget=forget)

    def last(self):
        """The newest device authorization: user_code, verification_uri_complete, sequence..."""
        return self.hook("last")

    def browse(self, verification_uri_complete, login, decision="approve", user_code=None,
               chromium=False, screenshot=None, password=None):
        """A scripted person in a browser session, without test hooks. Returns the pages seen and
        the last one ("done" or "denied"); raises CalledProcessError when it ends elsewhere."""
        script = "approve-chromium.mjs" if chromium else "approve.mjs"
        command = ["node", str(HERE / script), "--ca", self.ca_file, "--login", login, "--decision", decision]
        if user_code:
            command += ["--user-code", user_code]
        if password is not None:
            command += ["--password", password]
        if screenshot:
            command += ["--screenshot", str(screenshot)]
        done = subprocess.run([*command, verification_uri_complete], check=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, timeout=BROWSE_SECONDS)
        return json.loads(done.stdout)

    # ---- the world ----

    def fault(self, path, **fault):
        """status=, body=, type=, headers=, delay= (ms), reset=True, times= (negative: until cleared)."""
        return self.hook("fault", path=path, **fault)

    def clear_faults(self, path=None):
        return self.hook("fault", clear=True, **({"path": path} if path else {}))

    def users(self, changes=None, reset=False):
        """changes: {login: {claim: value}} or {login: None} to remove; returns the logins."""
        return self.hook("users", reset=reset, **(changes or {}))

    def settings(self, **changes):
        """interval, announce_interval, slow_down, complete_uri, device_code_ttl."""
        return self.hook("settings", **changes)

    def rotate(self, keep=True):
        """New signing keys; keep=False also takes the old ones out of the key set."""
        return self.hook("rotate", keep=keep)

    def grants(self, sub):
        """What a person has approved: a list of {id, client_id, current, used}; the last two are refresh tokens,
        the ones that count and those that were replaced."""
        return self.hook("grants", sub=sub)

    def end_grants(self, sub):
        """An administrator takes back all that a person has approved."""
        return self.hook("end_grants", sub=sub)

    def sessions(self, sub):
        """How many browsers a person is signed on in."""
        return self.hook("sessions", sub=sub)

    # ---- what the provider saw ----

    def hits(self, reset=False):
        return self.hook("hits", reset=reset)

    def requests(self, path=None):
        """The requests since the last reset: method, path, headers, form, status, at."""
        return self.hook("requests", **({"path": path} if path else {}))

    def hook(self, name, **parameters):
        request = urllib.request.Request(
            f"https://127.0.0.1:{self.port}/__test/{name}", method="POST",
            data=json.dumps(parameters).encode(), headers={"Content-Type": "application/json"})
        try:
            with self._opener.open(request, timeout=10) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise HookError(json.load(error)["error"]) from None

    # ---- keys of clients ----

    def sign(self, *arguments, text=""):
        """sign.mjs: ("assertion", client_id, audience), ("proof", method, url), ("decrypt", key)."""
        what, *rest = arguments
        done = subprocess.run(["node", str(HERE / "sign.mjs"), what, str(self.state_dir), *rest], check=True,
                              input=text.encode(), stdout=subprocess.PIPE, timeout=30)
        return done.stdout.decode().strip()
