# SPDX-License-Identifier: Apache-2.0
"""The company of tests and demo: units, groups and people of the domain CORP (corp.example).

Groups inside groups: Platform is in Engineering, which is in Linux Users; Night Shift is in Contractors."""

UNITS = ("People", "Groups", "Guests")

#: sAMAccountName: (CN, unit).  Guests keeps groups that others may make, one with the name of ours.
GROUPS = {
    "linux-users": ("Linux Users", "Groups"),
    "linux-admins": ("Linux Admins", "Groups"),
    "ops-mitte": ('Ops, Berlin "Mitte"', "Groups"),
    "pruefer": ("Prüfer Köln", "Groups"),
    "engineering": ("Engineering", "Groups"),
    "platform": ("Platform", "Groups"),
    "contractors": ("Contractors", "Groups"),
    "night-shift": ("Night Shift", "Groups"),
    "guest-admins": ("Linux Admins", "Guests"),
}
NESTED = {
    "linux-users": ("engineering",),
    "engineering": ("platform",),
    "contractors": ("night-shift",),
}
#: sAMAccountName: (name, groups).
PEOPLE = {
    "alice": ("Alice Andersson", ("linux-users", "linux-admins")),
    "bob": ("Bob Baker", ("linux-users",)),
    "carol": ("Carol Clark", ("ops-mitte",)),
    "juergen": ("Jürgen O'Neil", ("pruefer",)),
    "lena": ("Lena Lind", ("linux-users", "linux-admins")),
    "platon": ("Platon Petrou", ("platform",)),
    "gustav": ("Gustav Gast", ("guest-admins",)),
    "connie": ("Connie Cole", ("linux-users", "night-shift")),
    "Viktor": ("Viktor Vogt", ("linux-users",)),
    "nemo": ("Nemo Nobody", ()),
    "leo": ("Leo Leaver", ("linux-users", "linux-admins")),
    "olga": ("Olga Offboard", ("linux-users", "linux-admins")),
    "ruth": ("Ruth Rename", ("linux-users",)),
    "sam": ("Sam Same", ("linux-users",)),
}
#: The account with which the provider and SSSD ask.
READER = "svc-reader"

DOMAIN = "corp.example"
SHORT_DOMAIN = "CORP"
BASE = "DC=corp,DC=example"


def password(login: str) -> str:
    return f"Sesame-{login}-42"
