# SPDX-License-Identifier: Apache-2.0
"""Userinfo (catalogue B27, B28, I09, I12) against what the ID token said."""

from .registry import add as add_row
from .registry import drop, edit, error, put, reply


def add(name, catalogue, does, run):
    add_row(f"userinfo.{name}", catalogue, does, run, endpoints=("userinfo",))


for _name, _value in {"differs": "somebody-else", "empty": "", "null": None, "number": 1, "list": ["a1b2c3d4"], "upper": "A1B2C3D4",
                      "prefix": "a1b2c3d", "suffix": "a1b2c3d4 ", "nul": "a1b2c3d4\0x"}.items():
    add(f"sub-{_name}", "B28", f"sub: {_name}", put(sub=_value))
add("sub-missing", "B28", "no sub", drop("sub"))
add("root", "B27", "right sub, but calls itself root", put(preferred_username="root", sAMAccountName="root"))
add("other-user", "B27", "right sub, another person's name", put(preferred_username="bob", sAMAccountName="bob"))
add("more-groups", "B27 I09", "right sub, groups the ID token does not have", put(groups=["linux-admins", "wheel", "domain-admins"]))
add("other-email", "B27", "right sub, another verified address", put(email="root@corp.example", email_verified=True))
add("other-issuer", "B27", "right sub, iss of somebody else", put(iss="https://attacker.example"))
add("other-audience", "B27", "right sub, aud of another client", put(aud="another-client"))
add("no-name", "B27", "no user name", drop("preferred_username", "sAMAccountName"))
add("no-groups", "I02", "no groups", drop("groups"))
for _name, _value in {"null": None, "empty": [], "text": "linux-admins", "commas": "linux-admins,users", "number": 1, "object": {},
                      "nested": [["linux-admins"]], "objects": [{"value": "linux-admins"}], "nul": ["linux-admins\0"],
                      "100000": [f"group-{n}" for n in range(100_000)]}.items():
    add(f"groups-{_name}", "I02 I03 I08", f"groups: {_name}", put(groups=_value))
add("overage", "I07", "groups elsewhere", edit(lambda doc, ex: {
    **{k: v for k, v in doc.items() if k != "groups"}, "_claim_names": {"groups": "src1"},
    "_claim_sources": {"src1": {"endpoint": ex.provider.canary("tls").url + "/groups"}}}))
add("invalid_token", "I12", "401 invalid_token", error("invalid_token", 401))
add("jwt-unsigned", "B27", "application/jwt that is not signed", reply(
    200, body=b"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhMWIyYzNkNCJ9.", type="application/jwt"))
