// SPDX-License-Identifier: Apache-2.0
// What may differ between the opinions, and what may not.

// Why we refuse what jose accepts.  A class that is not here is a disagreement.
export const stricter = {
  "token.typ": "only the configured types; jose was not told any (RFC 8725 3.11)",
  "token.size": "at most 16 KiB",
  "token.b64": "one text for each signature: no padding, blanks or spare bits (RFC 7515 2)",
  "token.crit": "no extension is known, b64 least of all; jose knows b64 (RFC 7797)",
  "token.header": "nothing compressed or nested: zip and cty JWT have no place in a token (RFC 8725 3.2)",
  "token.header_key": "no token brings its own key; jose ignores jwk, jku, x5u, x5c unless asked (RFC 8725 3.10)",
  "token.dup_key": "no member twice; to JSON.parse the last one wins (RFC 7515 4, RFC 7519 4)",
  "token.utf8": "UTF-8 without a byte order mark and lone surrogates; TextDecoder mends them",
  "token.nul": "no NUL in a string: the C library would cut it there",
  "token.depth": "at most 16 levels",
  "token.json": "no number that a double or 64 bits cannot hold; JSON.parse makes 1e400 infinite",
  "key.invalid": "keys are written in one way, whole, and without private members (RFC 7518 6)",
  "key.ambiguous": "one key is meant or none; jose hands out all that could be, to be tried",
  "token.sig, of several keys": "one of the keys that jose tried is one that we refuse; the only other did not sign",
  "key.kid_unknown": "the key that jose took is one that we refuse, and it has no name to refuse it by",
  "jwks.bad_key": "no key of the set is usable, for the reasons of key.*",
  "idp.json": "a key set with a member twice is none",
  "idp.status": "an error beside keys is an error",
};

const canonical = (value) => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
};

export function sameJson(one, other) {
  try {
    return canonical(JSON.parse(one)) === canonical(JSON.parse(other));
  } catch {
    return false;
  }
}

// Only where jose tried several keys may it find a signature that we do not.
const classOf = (ours, jose) => (ours.word === "token.sig" && jose.tried ? "token.sig, of several keys" : ours.word);

// One token judged: undefined when all is well, else what is wrong.  `third` is undefined when it
// was not asked.
export function disagreement(ours, jose, third) {
  if (ours.word === "ok") {
    if (jose.word !== "ok") return `accepted by us, refused by jose: ${jose.word}`;
    if (!sameJson(ours.payload, jose.payload)) return "accepted with other claims than jose's";
    if (third && third.word !== "ok") return `accepted by us, refused by cjose: ${third.word}`;
    if (third && !sameJson(ours.payload, third.payload)) return "accepted with other claims than cjose's";
    return undefined;
  }
  if (jose.word === "ok" && !Object.hasOwn(stricter, classOf(ours, jose))) return `accepted by jose, refused by us: ${ours.word}`;
  return undefined;
}

// Counts over a whole run.
export class Tally {
  tokens = 0;
  both = 0;
  neither = 0;
  cjose = 0;
  cjoseToo = 0;
  reasons = new Map();
  classes = new Map();
  found = [];

  add(row, ours, jose, third) {
    this.tokens += 1;
    if (ours.word === "ok" && jose.word === "ok") this.both += 1;
    if (ours.word !== "ok" && jose.word !== "ok") this.neither += 1;
    if (third) this.cjose += 1;
    if (third?.word === "ok" && ours.word !== "ok") this.cjoseToo += 1;
    this.reasons.set(ours.word, (this.reasons.get(ours.word) ?? 0) + 1);
    if (ours.word !== "ok" && jose.word === "ok") {
      const name = classOf(ours, jose);
      const one = this.classes.get(name) ?? { count: 0, by: new Map() };
      one.count += 1;
      one.by.set(row.how, (one.by.get(row.how) ?? 0) + 1);
      this.classes.set(name, one);
    }
    const what = disagreement(ours, jose, third);
    if (what) this.found.push({ what, ...row });
  }

  // A run in which next to nothing was accepted, or refused, would prove nothing.
  tooOneSided() {
    return this.both < this.tokens * 0.05 || this.neither < this.tokens * 0.2;
  }
}
