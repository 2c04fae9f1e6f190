# SPDX-License-Identifier: Apache-2.0
"""A plain OAuth client of the test provider: urllib and ssl, nothing of the program under test.

    device = Client(idp, "linux-login-idtoken").authorize()
    token = Client(idp, "machine").machine_token("urn:ssh:jwt")
"""

import base64
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request

from provider import CLIENT_SECRET

TOKEN = "/as/token.oauth2"
DEVICE = "/as/device_authz.oauth2"
USERINFO = "/idp/userinfo.openid"
INTROSPECT = "/as/introspect.oauth2"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPE = "openid profile email groups"


class Client:
    """method: "basic", "post", "none", "pkjwt" (private_key_jwt) or "mtls"."""

    def __init__(self, idp, client_id, method="basic", secret=CLIENT_SECRET):
        self.idp, self.id, self.method, self.secret = idp, client_id, method, secret
        trust = ssl.create_default_context(cafile=idp.ca_file)
        if method == "mtls":
            trust.load_cert_chain(idp.state_dir / "pki/client.crt", idp.state_dir / "pki/client.key")
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))

    def send(self, path, form=None, headers=None):
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(self.idp.issuer + path, data=data, headers=headers or {})
        try:
            with self._opener.open(request, timeout=10) as response:
                status, body = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        try:
            return status, json.loads(body)
        except ValueError:
            return status, body.decode()

    def post(self, path, headers=None, **form):
        headers = dict(headers or {})
        if self.method == "basic":
            pair = ":".join(urllib.parse.quote_plus(part) for part in (self.id, self.secret))
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form["client_id"] = self.id
        if self.method == "post":
            form["client_secret"] = self.secret
        if self.method == "pkjwt":
            form["client_assertion_type"] = ASSERTION_TYPE
            form["client_assertion"] = self.idp.sign("assertion", self.id, self.idp.issuer)
        return self.send(path, form, headers)

    def authorize(self, scope=SCOPE, **extra):
        status, device = self.post(DEVICE, scope=scope, **extra)
        assert status == 200, (status, device)
        return device

    def poll(self, device, headers=None):
        return self.post(TOKEN, headers=headers, grant_type=DEVICE_GRANT, device_code=device["device_code"])

    def login(self, who="alice", scope=SCOPE, headers=None, **extra):
        device = self.authorize(scope, **extra)
        self.idp.approve(device["user_code"], who)
        status, tokens = self.poll(device, headers)
        assert status == 200, (status, tokens)
        return tokens

    def machine_token(self, resource, scope="ssh"):
        status, tokens = self.post(TOKEN, grant_type="client_credentials", scope=scope, resource=resource)
        assert status == 200, (status, tokens)
        return tokens["access_token"]

    def userinfo(self, tokens):
        return self.send(USERINFO, headers={"Authorization": "Bearer " + tokens["access_token"]})


def decoded(jwt):
    """Header and payload of a JWT, unverified."""
    def part(text):
        return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    header, payload, _ = jwt.split(".")
    return part(header), part(payload)
