// SPDX-License-Identifier: Apache-2.0
// Who can sign in (any password will do). Members are claims and are sent exactly as they stand,
// so a test may give a user a group list that is a string, null or empty. Not claims by
// themselves: "acr" and "amr" (how this person signs in unless the approval says otherwise).
// "sub" is opaque on purpose, as it often is at PingFederate: whoever maps it to an account by
// mistake finds none.

const DOMAIN = 'corp.example';
const dn = (name) => `CN=${name},OU=Groups,DC=corp,DC=example`;

function person(login, sub, name, rest) {
  return {
    sub,
    name,
    preferred_username: `${login}@${DOMAIN}`,
    sAMAccountName: login,
    email: `${login}@${DOMAIN}`,
    ...rest,
  };
}

export function defaultUsers() {
  return new Map(Object.entries({
    alice: person('alice', '7d1f7a52-0000-4000-8000-00000000a11c', 'Alice', {
      groups: ['linux-users', 'linux-admins'],
      memberOf: [dn('Linux Users'), dn('Linux Admins')],
      acr: 'phr',
      amr: ['mfa', 'hwk'],
    }),
    // One value of an attribute that PingFederate does not know to be multi-valued: a string.
    bob: person('bob', '7d1f7a52-0000-4000-8000-000000000b0b', 'Bob', {
      groups: 'linux-users',
      memberOf: dn('Linux Users'),
      amr: ['pwd'],
    }),
    // In no group at all: the claims are absent, not empty.
    carol: person('carol', '7d1f7a52-0000-4000-8000-00000000ca01', 'Carol', { amr: ['pwd'] }),
    // The directory says that this person's account name is "root".
    mallory: person('mallory', '7d1f7a52-0000-4000-8000-000000000bad', 'Mallory', {
      sAMAccountName: 'root',
      preferred_username: 'root',
      groups: ['everyone'],
      memberOf: [dn('Everyone')],
      amr: ['pwd'],
    }),
  }));
}

export class Users {
  #byLogin = defaultUsers();

  names() { return [...this.#byLogin.keys()]; }

  byLogin(login) { return this.#byLogin.get(login); }

  bySub(sub) { return [...this.#byLogin.values()].find((user) => user.sub === sub); }

  hasPassword() { return true; }

  // Every claim that some user has; oidc-provider must know their names beforehand.
  claimNames() { return new Set([...this.#byLogin.values()].flatMap((user) => Object.keys(user))); }

  // changes: { login: {members that replace or join the user's} }, or { login: null } to remove one.
  // "_remove" names members to drop: absent is not the same as null. A login that is new gets the
  // usual claims and no groups.
  change(changes) {
    for (const [login, change] of Object.entries(changes)) {
      if (change === null) {
        this.#byLogin.delete(login);
        continue;
      }
      const { _remove: dropped = [], ...members } = change;
      const user = { ...(this.#byLogin.get(login) ?? person(login, `sub-of-${login}`, login, {})), ...members };
      for (const name of dropped) delete user[name];
      this.#byLogin.set(login, user);
    }
  }

  reset() { this.#byLogin = defaultUsers(); }
}
