# SPDX-License-Identifier: Apache-2.0
"""Groups A, B, H and I of the attack catalogue as whole logins: what an ID token or userinfo may
say wrongly at the end of a device login that went well.  B18 B27 B28 D11 H02 H03 H04 H05 H07 H09
H10 H11 H12 I02 I03 I04 I05 I07 I08 I09 I10 I11 I12."""

from fnmatch import fnmatchcase

import pytest

import support
from fault import faults, jose
from fault.faults import idtoken

OK = "ok"
#: Reason of a row that distorts the ID token; the first pattern that fits decides.
IDTOKEN = [
    ("*-nul", "token.nul"),
    ("iss-*", "token.iss"),
    ("aud-list-of-one exp-fraction nonce-unasked at_hash-missing no-kid", OK),
    # We trust no audience but ourselves, whatever azp says.
    ("aud-*", "token.aud"),
    ("azp-other", "token.azp"),
    ("exp-2^63 exp-2^64", "token.json"),
    ("exp-*", "token.exp"),
    ("nbf-future", "token.nbf"),
    ("iat-*", "token.iat"),
    ("lifetime-10y", "token.lifetime"),
    ("sub-*", "token.sub"),
    ("typ-*", "token.typ"),
    ("at_hash-wrong", "token.at_hash"),
    ("acr-low auth_time-old", "token.acr"),
    ("cnf", "token.cnf"),
    # The key set was fetched in this very login: there is no such key.
    ("kid-unknown", "key.kid_unknown"),
    ("other-person root name-upper", "map.user_mismatch"),
    ("name-missing", "map.missing"),
    ("name-list name-object name-number name-true name-null", "map.type"),
    ("name-two-at name-other-domain", "map.domain"),
    ("name-*", "map.charset"),
    ("email_verified-*", OK),  # only a name that is an address must be verified; see below
    ("groups-missing groups-null groups-text groups-empty", "group.missing"),
    ("groups-object groups-number groups-nested groups-objects", "group.type"),
    ("groups-string", OK),  # one value that the provider does not know to be a list
    ("groups-commas groups-prefix groups-upper groups-dn-spoof", "group.nomatch"),
    ("groups-overage", "group.overage"),
    ("groups-100000", "http.size"),
]
#: Reason of a row that distorts userinfo: beside an ID token that says it right, and alone.
USERINFO = [
    ("*-nul", "idp.json", "idp.json"),
    ("sub-empty sub-null sub-number sub-list sub-missing", "token.userinfo_sub", "token.sub"),
    # Without an ID token there is no other subject to compare with; the name decides.
    ("sub-*", "token.userinfo_sub", OK),
    ("root other-user", "token.userinfo_conflict", "map.user_mismatch"),
    ("no-name", OK, "map.missing"),
    ("more-groups", "token.userinfo_conflict", OK),
    ("no-groups", OK, "group.missing"),
    ("groups-null", OK, "group.missing"),
    ("groups-empty", "token.userinfo_conflict", "group.missing"),
    ("groups-text", "token.userinfo_conflict", OK),
    ("groups-100000", "http.size", "http.size"),
    ("groups-commas", "token.userinfo_conflict", "group.nomatch"),
    ("groups-*", "token.userinfo_conflict", "group.type"),
    ("overage", "group.overage", "group.overage"),
    ("other-email other-issuer other-audience", OK, OK),
    ("invalid_token", "idp.status", "idp.status"),
    ("jwt-unsigned", "idp.content_type", "idp.content_type"),
]
#: Reason of a token that is malformed as such.
MALFORMED = [
    ("alg-* none-with-signature hs256-*", "token.alg"),
    ("signature-other-key signature-flipped signature-zero payload-swapped", "token.sig"),
    ("signature-absent signature-empty dots-1 dots-3 dots-5", "token.segments"),
    ("dots-1000000", "http.size"),
    # What can be no token at all is a malformed answer of the endpoint.
    ("empty payload-deep json-serialisation base64-newline base64-blank base64-bom",
     "device.response"),
    ("base64-*", "token.b64"),
    ("jwe-shaped", "token.format"),
    ("header-jwk header-jku header-x5u header-x5c", "token.header_key"),
    ("header-duplicate-alg payload-duplicate-sub", "token.dup_key"),
    ("crit-*", "token.crit"),
    ("zip nested", "token.header"),
    ("typ-*", "token.typ"),
    ("header-array payload-array payload-empty payload-nul boundary-moved", "token.json"),
    ("payload-bad-utf8", "token.utf8"),
    ("kid-*x00*", "token.nul"),
    ("kid-*", "key.kid_unknown"),
]
CODES = {"token": "PAM_AUTH_ERR", "map": "PAM_AUTH_ERR", "key": "PAM_AUTH_ERR",
         "group": "PAM_PERM_DENIED", "idp": "PAM_AUTHINFO_UNAVAIL", "http": "PAM_AUTHINFO_UNAVAIL",
         "device": "PAM_AUTHINFO_UNAVAIL"}
#: Further settings of the provider's section that a row is about.
SETTINGS = {
    "idtoken.acr-low": {"acr_values": ["phr"]},
    "idtoken.auth_time-old": {"max_age": "1h"},
}
BY_GROUP = {"allow_users": [], "allow_groups": ["linux-admins"]}
MALFORMED_NAMES = list(jose.malformed({"sub": "x"}, jose.Key()))


def ending(table, name: str, column: int = 1) -> str:
    return next(end[column - 1] for patterns, *end in table
                if any(fnmatchcase(name, pattern) for pattern in patterns.split()))


def check(idp, attempt: support.Attempt, reason: str) -> None:
    if reason == OK:
        attempt.assert_granted()
    else:
        attempt.assert_denied(CODES[reason.partition(".")[0]], reason)
        # Nothing of the reason reaches the person.
        assert reason not in attempt.report.text()
    support.assert_nothing_secret(idp, *attempt.lines)
    support.assert_correct_client(idp)


def play(bench, endpoint, behaviour, reason, settings=None, **knobs) -> None:
    with bench.provider(**knobs) as idp:
        idp.behave(endpoint, behaviour)
        attempt = bench.login(idp, settings=settings, access=BY_GROUP)
        check(idp, attempt, reason)


def play_idtoken(bench, behaviour: str) -> None:
    play(bench, "token", behaviour, ending(IDTOKEN, behaviour.removeprefix("idtoken.")),
         SETTINGS.get(behaviour))


def play_beside(bench, behaviour: str) -> None:
    play(bench, "userinfo", behaviour, ending(USERINFO, behaviour.removeprefix("userinfo."), 1),
         {"identity_source": "userinfo"})


def play_alone(bench, behaviour: str) -> None:
    """As PingFederate does it: no ID token."""
    play(bench, "userinfo", behaviour, ending(USERINFO, behaviour.removeprefix("userinfo."), 2),
         {"identity_source": "userinfo", "id_token_required": False}, return_id_token=False)


def play_malformed(bench, name: str) -> None:
    play(bench, "token", idtoken.malformed(name), ending(MALFORMED, name))


def named(behaviour: str, *extra: str) -> str:
    return "-".join([*faults.find(behaviour).catalogue.split(), behaviour, *extra])


# --- rows that no single answer plays ---

def the_right_people_get_in(bench):
    """What every row above is a distortion of."""
    for settings, knobs in (({}, {}), ({"identity_source": "userinfo"}, {}),
                            ({"acr_values": ["phr"], "max_age": "1h"},
                             {"id_token_claims": {"acr": "phr", "amr": ["hwk"]}})):
        with bench.provider(**knobs) as idp:
            attempt = bench.login(idp, settings=settings, access=BY_GROUP)
            check(idp, attempt, OK)
            if "acr_values" in settings:
                assert (attempt.fields["acr"], attempt.fields["amr"]) == ("phr", "hwk")


def two_usable_keys_and_no_kid(bench):
    with bench.provider() as idp:
        idp.keys.rotate()
        idp.behave("token", "idtoken.no-kid")
        check(idp, bench.login(idp, access=BY_GROUP), "key.ambiguous")


def a_token_of_another_provider(bench):
    """Mix-up: the ID token is that of an honest other issuer for the same client (D03)."""
    with bench.provider() as other, bench.provider() as idp:
        other.client_id = idp.client_id
        idp.token_response = {"id_token": other.id_token()}
        check(idp, bench.login(idp, access=BY_GROUP), "key.kid_unknown")


def groups_in_userinfo_do_not_count_beside_the_id_token(bench):
    """identity_source id_token: userinfo is not even asked."""
    with bench.provider() as idp:
        idp.person = idp.person | {"groups": ["strangers"]}
        idp.userinfo_overrides = {"groups": ["linux-admins"]}
        check(idp, bench.login(idp, access=BY_GROUP), "group.nomatch")
        assert not idp.hits["userinfo"]


def userinfo_that_fails_lets_nobody_in(bench):
    with bench.provider() as idp:
        idp.behave("userinfo", "http.502-html")
        check(idp, bench.login(idp, settings={"identity_source": "userinfo"}, access=BY_GROUP),
              "idp.status")


def acr_cannot_be_shown_without_an_id_token(bench):
    with bench.provider(return_id_token=False) as idp:
        settings = {"identity_source": "userinfo", "id_token_required": False,
                    "acr_values": ["phr"]}
        check(idp, bench.login(idp, settings=settings, access=BY_GROUP), "token.acr")


def an_access_token_of_another_audience(bench):
    with bench.provider(audience="urn:corp:mail") as idp:
        settings = {"identity_source": "access_token", "access_token_audience": "urn:corp:ssh",
                    "id_token_required": False}
        check(idp, bench.login(idp, settings=settings, access=BY_GROUP), "token.aud")


def an_access_token_for_the_right_audience(bench):
    with bench.provider(audience="urn:corp:ssh", return_id_token=False) as idp:
        settings = {"identity_source": "access_token", "access_token_audience": "urn:corp:ssh",
                    "id_token_required": False}
        check(idp, bench.login(idp, settings=settings, access=BY_GROUP), OK)


def an_opaque_access_token_is_no_identity(bench):
    with bench.provider(opaque_access_tokens=True, return_id_token=False) as idp:
        settings = {"identity_source": "access_token", "access_token_audience": "urn:corp:ssh",
                    "id_token_required": False}
        check(idp, bench.login(idp, settings=settings, access=BY_GROUP), "token.segments")


def a_group_that_was_taken_away_counts_no_more(bench):
    with bench.provider() as idp:
        check(idp, bench.login(idp, access=BY_GROUP), OK)
        idp.person = idp.person | {"groups": ["strangers"]}
        check(idp, bench.login(idp, access=BY_GROUP), "group.nomatch")


SPECIAL = {f"{ids}-{function.__name__}": function for ids, function in {
    "B01": the_right_people_get_in, "A18": two_usable_keys_and_no_kid,
    "D03": a_token_of_another_provider,
    "I09-B27": groups_in_userinfo_do_not_count_beside_the_id_token,
    "I12": userinfo_that_fails_lets_nobody_in, "B20": acr_cannot_be_shown_without_an_id_token,
    "B03": an_access_token_of_another_audience, "B03-B14": an_access_token_for_the_right_audience,
    "B15": an_opaque_access_token_is_no_identity,
    "I11": a_group_that_was_taken_away_counts_no_more}.items()}

NAME = "CN=Linux Users,OU=Groups,DC=corp,DC=example"
BELOW = {"allow_groups": ["under:OU=Groups,DC=corp,DC=example"]}
DENYING = {"allow_groups": [NAME], "deny_groups": ["cn:Contractors"]}
#: Groups of an Active Directory: what the ID token says, the service's lists, the reason.
DIRECTORY = {
    "I05-spelled-otherwise": (["cn=linux users, ou=groups, dc=CORP, dc=example"],
                              {"allow_groups": [NAME]}, OK),
    "I05-comma-quote-umlaut": (['CN=Ops\\2c \\"night\\" M\u00fcnchen,OU=Groups,DC=corp,DC=example'],
                               {"allow_groups": ['CN=Ops\\, \\22night\\22 M\u00fcnchen,OU=Groups,'
                                                 'DC=corp,DC=example']}, OK),
    "I05-longer": ([NAME + ",DC=attacker"], {"allow_groups": [NAME]}, "group.nomatch"),
    "I05-escaped-comma": (["CN=Linux Users\\,OU=Groups,DC=corp,DC=example"],
                          {"allow_groups": [NAME]}, "group.nomatch"),
    "I05-below": ([NAME], BELOW, OK),
    "I05-not-below-itself": (["OU=Groups,DC=corp,DC=example"], BELOW, "group.nomatch"),
    "I10-denied-and-allowed": ([NAME, "CN=contractors,OU=x,DC=corp"], DENYING, "group.deny"),
    "I10-denied-user": ([NAME], {"allow_groups": [NAME], "deny_users": ["alice"]}, "group.deny"),
    "I10-not-denied": ([NAME], DENYING, OK),
    "I02-nothing-proves-it": (..., {"allow_users": ["alice"], "deny_groups": ["cn:Contractors"]},
                              "group.missing"),
    "I08-malformed-name": ([NAME, "CN=Contractors,x"], DENYING, "group.type"),
}


def play_directory(bench, name: str) -> None:
    groups, access, reason = DIRECTORY[name]
    with bench.provider() as idp:
        idp.behave("token", idtoken.claims(groups=groups))
        check(idp, bench.login(idp, access={"allow_users": [], **access}), reason)


ROWS = {
    **{name: (play_directory, name) for name in DIRECTORY},
    **{named(b): (play_idtoken, b) for b in faults.names("idtoken.")},
    **{named(b, "beside-id-token"): (play_beside, b) for b in faults.names("userinfo.")},
    **{named(b, "alone"): (play_alone, b) for b in faults.names("userinfo.")},
    **{f"A-malformed-{name}": (play_malformed, name) for name in MALFORMED_NAMES},
    **{name: (lambda bench, function: function(bench), function)
       for name, function in SPECIAL.items()},
}


@pytest.fixture(scope="module")
def bench(machine, syslog_collector):
    with machine.changes():
        machine.add_user("bob")
        yield support.Bench(machine, syslog_collector)


@pytest.fixture(scope="module")
def played(request, bench):
    def play_one(name):
        function, argument = ROWS[name]
        function(bench, argument)
    with support.Background(support.selected(request, "test_row"), play_one) as background:
        yield background


@pytest.mark.parametrize("name", ROWS)
def test_row(name, played):
    played.of(name)


# --- the name is an address ---

#: What the ID token says of the address -> reason.
ADDRESSES = {
    "H07-verified": ({"email": "alice@corp.example", "email_verified": True}, OK),
    **{f"H07-{name}": ({"email": "alice@corp.example"} | said, "map.email_unverified")
       for name, said in {"false": {"email_verified": False}, "text": {"email_verified": "true"},
                          "null": {"email_verified": None}, "number": {"email_verified": 1},
                          "missing": {"email_verified": ...}}.items()},
    "H05-other-domain": ({"email": "alice@attacker.example"}, "map.domain"),
    "H05-two-domains": ({"email": "alice@attacker.example@corp.example"}, "map.domain"),
    "H05-longer-domain": ({"email": "alice@corp.example.attacker.example"}, "map.domain"),
    "H05-no-name": ({"email": "@corp.example"}, "map.domain"),
    "H05-no-domain": ({"email": "alice@"}, "map.domain"),
    "H05-domain-in-capitals": ({"email": "alice@CORP.EXAMPLE"}, OK),
    "H05-windows": ({"email": "CORP.EXAMPLE\\alice"}, OK),
    "H05-windows-other": ({"email": "ATTACKER\\alice"}, "map.domain"),
    "H05-both": ({"email": "CORP.EXAMPLE\\alice@corp.example"}, "map.domain"),
    "H03-name-in-capitals": ({"email": "Alice@corp.example"}, "map.user_mismatch"),
}


@pytest.fixture(scope="module")
def addresses(request, bench):
    usual = bench.identity
    bench.identity = usual | {"username_claim": "email", "domains": ["corp.example"]}

    def play_one(name):
        claims, reason = ADDRESSES[name]
        play(bench, "token", idtoken.claims(**claims), reason)
    with support.Background(support.selected(request, "test_address"), play_one) as background:
        yield background
    bench.identity = usual


@pytest.mark.parametrize("name", ADDRESSES)
def test_address(name, addresses):
    addresses.of(name)
