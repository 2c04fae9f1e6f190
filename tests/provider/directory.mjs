// SPDX-License-Identifier: Apache-2.0
// People of an Active Directory, asked over LDAPS each time: who is disabled, renamed or gone is so at once. The
// claims are those that PingFederate's LDAP data store gives out: attributes by their names, groups as DNs with
// those that are in others (LDAP_MATCHING_RULE_IN_CHAIN), objectGUID and objectSid as text.
import fs from 'node:fs';
import { Client, InvalidCredentialsError } from 'ldapts';

const IN_CHAIN = '1.2.840.113556.1.4.1941';
const ENABLED = '(!(userAccountControl:1.2.840.113556.1.4.803:=2))';
const ATTRIBUTES = ['displayName', 'sAMAccountName', 'userPrincipalName', 'mail', 'objectGUID', 'objectSid'];
export const CLAIM_NAMES = ['sub', 'name', 'preferred_username', 'sAMAccountName', 'userPrincipalName', 'email',
  'email_verified', 'memberOf', 'groups', 'objectGUID', 'objectSid', 'acr', 'amr'];

// RFC 4515 section 3.
const escaped = (text) => text.replace(/[\\*()\0]/g, (c) => `\\${c.charCodeAt(0).toString(16).padStart(2, '0')}`);

// The first three fields are stored least significant byte first (MS-DTYP 2.3.4.2).
function guidText(bytes) {
  const field = (...at) => at.map((i) => bytes[i].toString(16).padStart(2, '0')).join('');
  return [field(3, 2, 1, 0), field(5, 4), field(7, 6), field(8, 9), field(10, 11, 12, 13, 14, 15)].join('-');
}

// MS-DTYP 2.4.2.2: revision, number of authorities, who issued it, the authorities.
function sidText(bytes) {
  const authorities = Array.from({ length: bytes[1] }, (_, n) => bytes.readUInt32LE(8 + 4 * n));
  return ['S', bytes[0], bytes.readUIntBE(2, 6), ...authorities].join('-');
}

export class Directory {
  #settings;
  #ca;

  // file: {"url", "ca_file", "base", "bind", "password"}
  constructor(file) {
    this.#settings = JSON.parse(fs.readFileSync(file));
    this.#ca = fs.readFileSync(this.#settings.ca_file);
  }

  claimNames() { return CLAIM_NAMES; }

  byLogin(login) {
    const name = escaped(login);
    return this.#asked((client) => this.#person(client, `(|(sAMAccountName=${name})(userPrincipalName=${name}))`));
  }

  // The subject is the name that the person signs on with, as PingFederate has it unless told otherwise: a name
  // given again has the same subject, and only objectGUID and objectSid tell the two people apart.
  bySub(sub) {
    return this.#asked((client) => this.#person(client, `(userPrincipalName=${escaped(sub)})`));
  }

  // Whether this password is hers: a bind, which also refuses whoever is disabled.
  async hasPassword(user, password) {
    if (!password) return false;
    const client = this.#client();
    try {
      await client.bind(user.userPrincipalName, password);
      return true;
    } catch (error) {
      if (error instanceof InvalidCredentialsError) return false;
      throw error;
    } finally {
      await client.unbind();
    }
  }

  #client() {
    return new Client({ url: this.#settings.url, tlsOptions: { ca: this.#ca }, timeout: 10_000, connectTimeout: 5_000 });
  }

  async #asked(question) {
    const client = this.#client();
    try {
      await client.bind(this.#settings.bind, this.#settings.password);
      return await question(client);
    } finally {
      await client.unbind();
    }
  }

  async #person(client, filter) {
    const { searchEntries: [entry, another] } = await client.search(this.#settings.base, {
      scope: 'sub',
      filter: `(&(objectCategory=person)(objectClass=user)${ENABLED}${filter})`,
      attributes: ATTRIBUTES,
      explicitBufferAttributes: ['objectGUID', 'objectSid'],
    });
    if (!entry || another) return undefined;
    const groups = await this.#groups(client, entry.dn);
    return {
      sub: entry.userPrincipalName,
      ...(entry.displayName?.length ? { name: entry.displayName } : {}),
      preferred_username: entry.userPrincipalName,
      sAMAccountName: entry.sAMAccountName,
      userPrincipalName: entry.userPrincipalName,
      // An attribute without a value comes as an empty list.
      ...(entry.mail?.length ? { email: entry.mail, email_verified: true } : {}),
      objectGUID: guidText(entry.objectGUID),
      objectSid: sidText(entry.objectSid),
      ...(groups.length ? { memberOf: groups, groups } : {}),
      amr: ['pwd'],
    };
  }

  async #groups(client, dn) {
    const { searchEntries } = await client.search(this.#settings.base, {
      scope: 'sub',
      filter: `(&(objectClass=group)(member:${IN_CHAIN}:=${escaped(dn)}))`,
      attributes: ['cn'],
    });
    return searchEntries.map((entry) => entry.dn);
  }
}
