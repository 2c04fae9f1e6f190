# SPDX-License-Identifier: Apache-2.0
"""The truthful half: an OpenID Provider with PingFederate's paths and shapes, and no network in it.

Everything a test may want to change is a public attribute; the `*_overrides` dicts are laid over the right
answer, and the value DROP takes a member away. What the client did wrong is collected in `violations`.
"""

import secrets
import string
import threading
import time
from dataclasses import dataclass, field

from . import jose
from .httpwire import Answer

PATHS = {
    "discovery": "/.well-known/openid-configuration",
    "jwks": "/pf/JWKS",
    "device_authorization": "/as/device_authz.oauth2",
    "token": "/as/token.oauth2",
    "userinfo": "/idp/userinfo.openid",
    "introspection": "/as/introspect.oauth2",
    "revocation": "/as/revoke_token.oauth2",
    "verification": "/as/user_authz.oauth2",
    "end_session": "/idp/startSLO.ping",
}
# The six a client talks to in a login; every fault of the matrix is played at each of them.
ENDPOINTS = ("discovery", "jwks", "device_authorization", "token", "userinfo", "introspection")
GET_ONLY = ("discovery", "jwks", "verification")
POST_ONLY = ("device_authorization", "token", "introspection", "revocation", "end_session")
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
DROP = object()
ALICE = {"sub": "a1b2c3d4", "preferred_username": "alice", "sAMAccountName": "alice",
         "email": "alice@corp.example", "email_verified": True,
         "groups": ["CN=Linux Users,OU=Groups,DC=corp,DC=example", "linux-admins"]}


def overlay(doc, overrides):
    return {k: v for k, v in {**doc, **overrides}.items() if v is not DROP}


@dataclass
class Transaction:
    """One device authorization: what the browser half would know."""

    device_code: str
    user_code: str
    scope: str
    started: float
    person: dict = None
    state: str = "pending"  # pending, approved, denied, used
    polls: list = field(default_factory=list)
    interval: float = 5

    def approve(self, person=None):
        self.person = person or self.person
        self.state = "approved"

    def deny(self):
        self.state = "denied"


class Provider:
    """Answers requests by endpoint name. Network, faults and records are the subclass's."""

    def __init__(self, client_id="linux-login", client_secret="a-secret-only-for-tests"):
        self.client_id, self.client_secret = client_id, client_secret
        self.client_auth = {"client_secret_basic", "client_secret_post"}  # accepted; also private_key_jwt, none
        self.client_jwks = []  # public keys of private_key_jwt
        self.person = dict(ALICE)
        self.keys = jose.KeySet()
        self.audience = "urn:corp:ssh"
        self.approve_after = 1  # polls answered "pending" before success; None waits for Transaction.approve()
        self.interval, self.expires_in = 5, 600
        self.enforce_interval = True
        self.return_id_token = True
        self.opaque_access_tokens = False
        self.introspection_jwt = False
        self.userinfo_jwt = False
        self.discovery_overrides, self.device_response, self.token_response = {}, {}, {}
        self.id_token_claims, self.id_token_header = {}, {}
        self.access_token_claims, self.access_token_header = {}, {}
        self.userinfo_overrides, self.introspection_overrides = {}, {}
        self.transactions, self.tokens, self.revoked, self.violations = [], {}, [], []
        self.return_refresh_token = False
        self.rotate_refresh_tokens = True
        self.refresh_tokens = {}  # those that can be used, and whose they are
        self.left = set()  # subjects for whom nothing is renewed
        self.ended = []  # forms of end-session requests
        self._assertions = set()
        self._lock = threading.RLock()

    # -- the right answer of every endpoint ---------------------------------------------------------------

    def answer(self, endpoint, request):
        """What a truthful provider answers; changes state as it would."""
        with self._lock:
            wrong_method = (endpoint in GET_ONLY and request.method != "GET") or (
                endpoint in POST_ONLY and request.method != "POST")
            if wrong_method:
                self.violate(endpoint, f"method {request.method}")
                return Answer.json({"error": "invalid_request"}, 405)
            for problem in request.problems:
                self.violate(endpoint, problem)
            if endpoint in POST_ONLY and endpoint != "end_session" and not self._client_ok(endpoint, request):
                return Answer.json({"error_description": "Invalid client or client credentials.",
                                    "error": "invalid_client"}, 401)
            return getattr(self, f"_{endpoint}")(request)

    def success(self, endpoint, request=None):
        """The answer of a login that went well, whatever was sent and without a change of state; what most
        faults are a distortion of."""
        with self._lock:
            if endpoint == "discovery":
                return self._discovery(request)
            if endpoint == "jwks":
                return self._jwks(request)
            if endpoint == "device_authorization":
                return Answer.json(self._device_doc(self._new_transaction("openid")))
            if endpoint == "token":
                form = request.form if request else {}
                transaction = next((t for t in self.transactions if t.device_code == form.get("device_code")), None)
                return Answer.json(self._token_doc(transaction.person if transaction else None))
            if endpoint == "userinfo":
                return self._userinfo_answer(self.person)
            if endpoint == "introspection":
                claims = self.tokens.get(request.form.get("token")) if request else None
                return self._introspection_answer(request, claims or self._access_claims(self.person))
            return Answer.json({})

    def url(self, endpoint):
        raise NotImplementedError("the server knows the ports")

    @property
    def issuer(self):
        raise NotImplementedError("the server knows the ports")

    def violate(self, endpoint, what):
        self.violations.append(f"{endpoint}: {what}")

    # -- discovery and keys -------------------------------------------------------------------------------

    def discovery_document(self):
        signing = ["none", "HS256", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"]
        return overlay({
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/as/authorization.oauth2",
            "token_endpoint": self.url("token"),
            "revocation_endpoint": self.url("revocation"),
            "userinfo_endpoint": self.url("userinfo"),
            "introspection_endpoint": self.url("introspection"),
            "jwks_uri": self.url("jwks"),
            "end_session_endpoint": self.url("end_session"),
            "device_authorization_endpoint": self.url("device_authorization"),
            "scopes_supported": ["openid", "profile", "email", "groups"],
            "response_types_supported": ["code", "token", "id_token"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials", DEVICE_GRANT],
            "subject_types_supported": ["public", "pairwise"],
            "id_token_signing_alg_values_supported": signing,
            "token_endpoint_auth_methods_supported": [
                "client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth", "none"],
            "claim_types_supported": ["normal"],
            "claims_parameter_supported": False,
        }, self.discovery_overrides)

    def _discovery(self, _request):
        return Answer.json(self.discovery_document())

    def _jwks(self, _request):
        return Answer.json(self.keys.jwks())

    # -- device flow --------------------------------------------------------------------------------------

    def _new_transaction(self, scope):
        letters = "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(8))
        transaction = Transaction(
            secrets.token_urlsafe(32), f"{letters[:4]}-{letters[4:]}", scope, time.monotonic(), self.person,
            interval=self.interval)
        self.transactions.append(transaction)
        return transaction

    def _device_doc(self, transaction):
        page = self.url("verification")
        return overlay({
            "user_code": transaction.user_code,
            "device_code": transaction.device_code,
            "interval": self.interval,
            "verification_uri_complete": f"{page}?user_code={transaction.user_code}",
            "verification_uri": page,
            "expires_in": self.expires_in,
        }, self.device_response)

    def _device_authorization(self, request):
        if "openid" not in request.form.get("scope", "").split():
            self.violate("device_authorization", f"scope is {request.form.get('scope')!r}")
        return Answer.json(self._device_doc(self._new_transaction(request.form.get("scope", ""))))

    def _verification(self, _request):
        return Answer(body=b"<!doctype html><title>Sign on</title>", type="text/html")

    def _token(self, request):
        form = request.form
        if form.get("grant_type") == "client_credentials":
            return Answer.json({"access_token": self.machine_token(), "token_type": "Bearer", "expires_in": 299})
        if form.get("grant_type") == "refresh_token":
            return self._renewal(form)
        if form.get("grant_type") != DEVICE_GRANT:
            self.violate("token", f"grant_type {form.get('grant_type')!r}")
            return Answer.json({"error": "unsupported_grant_type"}, 400)
        transaction = next((t for t in self.transactions if t.device_code == form.get("device_code")), None)
        if transaction is None:
            self.violate("token", "unknown device_code")
            return Answer.json({"error_description": "unknown device code", "error": "invalid_grant"}, 400)
        error = self._poll(transaction)
        if error:
            return Answer.json({"error_description": f"{error} (test)", "error": error}, 400)
        transaction.state = "used"
        return Answer.json(self._token_doc(transaction.person))

    def _renewal(self, form):
        """RFC 6749 section 6; a token that was replaced is dead, and whoever still has it is wrong."""
        person = self.refresh_tokens.get(form.get("refresh_token"))
        if "scope" in form:
            self.violate("token", f"a renewal that asks for scope {form['scope']!r}")
        if person is None:
            self.violate("token", "a refresh token that is not valid")
        if person is None or person["sub"] in self.left:
            return Answer.json({"error_description": "token is not valid", "error": "invalid_grant"}, 400)
        if self.rotate_refresh_tokens:
            del self.refresh_tokens[form["refresh_token"]]
        # What the directory says of the person today.
        now = self.person if self.person["sub"] == person["sub"] else person
        return Answer.json(self._token_doc(now))

    def _end_session(self, request):
        self.ended.append(dict(request.form))
        return Answer(body=b"<!doctype html><title>Signed off</title>", type="text/html")

    def _poll(self, transaction):
        """The error of this poll, or None when it succeeds."""
        moment = time.monotonic()
        last = transaction.polls[-1] if transaction.polls else transaction.started
        transaction.polls.append(moment)
        if transaction.state == "used":
            self.violate("token", "device_code used again")
            return "invalid_grant"
        if transaction.state == "denied":
            return "access_denied"
        if moment - transaction.started > self.expires_in:
            return "expired_token"
        # A first poll before one interval is rude but allowed; 50 ms forgive the clocks of two processes.
        if self.enforce_interval and len(transaction.polls) > 1 and moment - last < transaction.interval - 0.05:
            self.violate("token", f"polled after {moment - last:.2f} s, interval is {transaction.interval} s")
            transaction.interval += 5
            return "slow_down"
        if transaction.state == "pending" and (
                self.approve_after is None or len(transaction.polls) <= self.approve_after):
            return "authorization_pending"
        return None

    # -- tokens -------------------------------------------------------------------------------------------

    def id_token(self, person=None, **claims):
        """A signed ID token of PERSON; CLAIMS and `id_token_claims` are laid over it."""
        start = jose.now()
        body = {"iss": self.issuer, "aud": self.client_id, "iat": start, "exp": start + 300, "auth_time": start,
                "jti": secrets.token_urlsafe(16), **(person or self.person)}
        return jose.token(overlay(overlay(body, self.id_token_claims), claims), self.keys.current,
                          self.id_token_header)

    def _access_claims(self, person):
        start = jose.now()
        return overlay({"iss": self.issuer, "aud": self.audience, "client_id": self.client_id, "iat": start,
                        "exp": start + 7200, "jti": secrets.token_urlsafe(16), "scope": "openid profile groups",
                        **person}, self.access_token_claims)

    def access_token(self, person=None, **claims):
        """An access token the introspection and userinfo endpoints will know."""
        body = overlay(self._access_claims(person or self.person), claims)
        if self.opaque_access_tokens:
            text = secrets.token_urlsafe(21)
        else:
            text = jose.token(body, self.keys.current, {"typ": "at+jwt", **self.access_token_header})
        self.tokens[text] = body
        return text

    def machine_token(self, client_id="ci-runner", **claims):
        """What client credentials would have given a CI job."""
        return self.access_token({"sub": client_id}, client_id=client_id, scope="ssh", **claims)

    def _token_doc(self, person=None):
        access = self.access_token(person)
        doc = {"access_token": access, "token_type": "Bearer", "expires_in": 7199}
        if self.return_id_token:
            doc["id_token"] = self.id_token(person, at_hash=jose.half_hash(self.keys.current.alg, access))
        if self.return_refresh_token:
            doc["refresh_token"] = secrets.token_urlsafe(32)
            self.refresh_tokens[doc["refresh_token"]] = person or self.person
            self.tokens[doc["refresh_token"]] = {}
        return overlay(doc, self.token_response)

    def _userinfo(self, request):
        claims = self.tokens.get(request.bearer)
        if claims is None or request.bearer in self.revoked:
            self.violate("userinfo", "no valid bearer token")
            return Answer.json({"error": "invalid_token"}, 401, headers=(("WWW-Authenticate", "Bearer"),))
        person = next((t.person for t in self.transactions if t.person and t.person["sub"] == claims.get("sub")), None)
        return self._userinfo_answer(person or self.person)

    def _userinfo_answer(self, person):
        doc = overlay(dict(person), self.userinfo_overrides)
        if not self.userinfo_jwt:
            return Answer.json(doc)
        text = jose.token({"iss": self.issuer, "aud": self.client_id, **doc}, self.keys.current)
        return Answer(doc=doc, body=text.encode(), type="application/jwt")

    def _introspection(self, request):
        text = request.form.get("token")
        if not text:
            self.violate("introspection", "no token parameter")
        claims = self.tokens.get(text)
        live = claims is not None and text not in self.revoked and claims.get("exp", 0) > time.time()
        return self._introspection_answer(request, claims if live else None)

    def _introspection_answer(self, request, claims):
        doc = overlay({"active": True, "token_type": "Bearer", **claims}, self.introspection_overrides) if claims \
            else {"active": False}
        if not self.introspection_jwt:
            return Answer.json(doc)
        if request and "token-introspection+jwt" not in request.header("Accept", ""):
            self.violate("introspection", "Accept does not ask for the JWT")
        text = jose.token(self.introspection_envelope(doc), self.keys.current, {"typ": "token-introspection+jwt"})
        return Answer(doc=doc, body=text.encode(), type="application/token-introspection+jwt")

    def introspection_envelope(self, doc):
        """The claims of an RFC 9701 answer around the introspection response DOC."""
        return {"iss": self.issuer, "aud": self.client_id, "iat": jose.now(), "token_introspection": doc}

    def _revocation(self, request):
        self.revoked.append(request.form.get("token"))
        self.refresh_tokens.pop(request.form.get("token"), None)
        return Answer()

    # -- client authentication ----------------------------------------------------------------------------

    def _client_ok(self, endpoint, request):
        form, ways = request.form, []
        if request.basic:
            ways.append("client_secret_basic")
        if "client_secret" in form:
            ways.append("client_secret_post")
        if "client_assertion" in form:
            ways.append("private_key_jwt")
        if len(ways) > 1:
            self.violate(endpoint, f"two ways of client authentication: {ways}")
            return False
        way = ways[0] if ways else "none"
        if way not in self.client_auth:
            self.violate(endpoint, f"client authentication {way} is not accepted")
            return False
        if way == "private_key_jwt":
            problem = self._assertion_problem(form, endpoint)
        elif way == "none":
            problem = None if form.get("client_id") == self.client_id else "client_id"
        else:
            given = request.basic or (form.get("client_id"), form.get("client_secret"))
            problem = None if given == (self.client_id, self.client_secret) else "client_id or secret"
        if problem:
            self.violate(endpoint, f"wrong {problem}")
        return problem is None

    def _assertion_problem(self, form, endpoint):
        if form.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
            return "client_assertion_type"
        try:
            _, claims = jose.verify(form["client_assertion"], self.client_jwks)
        except (ValueError, KeyError, TypeError) as error:
            return f"client_assertion: {error}"
        moment = time.time()
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if claims.get("iss") != self.client_id or claims.get("sub") != self.client_id:
            return "client_assertion iss or sub"
        if not {self.issuer, self.url("token"), self.url(endpoint)} & set(audiences):
            return f"client_assertion aud {audience!r}"
        if not moment < claims.get("exp", 0) <= moment + 305:
            return "client_assertion exp"
        if not claims.get("jti") or claims["jti"] in self._assertions:
            return "client_assertion jti"
        self._assertions.add(claims["jti"])
        return None
