# SPDX-License-Identifier: Apache-2.0
"""populate.py SAM.LDB: writes content.py into a directory that is not running yet.

One process and one transaction, where samba-tool would be a process for each person.  What changes later goes
through samba-tool, as at work."""

import sys

import ldb
from content import DOMAIN, GROUPS, NESTED, PEOPLE, READER, UNITS, password
from samba.auth import system_session
from samba.credentials import Credentials
from samba.dsdb import GTYPE_SECURITY_GLOBAL_GROUP, UF_DONT_EXPIRE_PASSWD, UF_NORMAL_ACCOUNT
from samba.param import LoadParm
from samba.samdb import SamDB


def name_in(directory: SamDB, unit: str, name: str) -> ldb.Dn:
    """The DN of CN=name in the unit, escaped by ldb."""
    found = ldb.Dn(directory, f"CN=x,OU={unit},{directory.domain_dn()}")
    found.set_component(0, "CN", name)
    return found


def write(directory: SamDB) -> None:
    for unit in UNITS:
        directory.create_ou(f"OU={unit},{directory.domain_dn()}")
    names = {group: name_in(directory, unit, name) for group, (name, unit) in GROUPS.items()}
    people = PEOPLE | {READER: ("Reader of the directory", ())}
    for login, (name, _) in people.items():
        dn = names[login] = name_in(directory, "People", name)
        given, _, family = name.partition(" ")
        directory.add({
            "dn": dn, "objectClass": "user", "sAMAccountName": login, "displayName": name,
            "givenName": given, "sn": family, "userPrincipalName": f"{login}@{DOMAIN}",
            "mail": f"{login}@{DOMAIN}"})
        directory.setpassword(f"(sAMAccountName={login})", password(login))
        _replace(directory, dn, "userAccountControl", [str(UF_NORMAL_ACCOUNT | UF_DONT_EXPIRE_PASSWD)])
    for group in GROUPS:
        directory.add({"dn": names[group], "objectClass": "group", "sAMAccountName": group,
                       "groupType": str(GTYPE_SECURITY_GLOBAL_GROUP)})
    for group in GROUPS:
        members = [*NESTED.get(group, ()), *(login for login, (_, groups) in PEOPLE.items() if group in groups)]
        if members:
            _replace(directory, names[group], "member", [str(names[member]) for member in members])


def _replace(directory: SamDB, dn: ldb.Dn, attribute: str, values: list[str]) -> None:
    change = ldb.Message(dn)
    change[attribute] = ldb.MessageElement(values, ldb.FLAG_MOD_REPLACE, attribute)
    directory.modify(change)


def main(path: str) -> None:
    settings = LoadParm()
    settings.load_default()
    credentials = Credentials()
    credentials.guess(settings)
    directory = SamDB(url=path, session_info=system_session(), credentials=credentials, lp=settings)
    directory.transaction_start()
    try:
        write(directory)
    except BaseException:
        directory.transaction_cancel()
        raise
    directory.transaction_commit()


if __name__ == "__main__":
    main(sys.argv[1])
