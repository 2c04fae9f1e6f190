// SPDX-License-Identifier: Apache-2.0
// Tokens that are wrong in one way or two, and some that are right.  Every function takes the
// source of random numbers first, so that one seed repeats a run.
import { createHmac } from "node:crypto";

import { ecdsaVariants, signature } from "./keys.mjs";

export const b64 = (text) => Buffer.from(text).toString("base64url");

export function claims(r) {
  const now = 1790000000;
  return r.pick([
    () => ({ iss: "https://sso.example.com", sub: "alice", aud: "linux-login", exp: now + 600, iat: now }),
    () => ({ iss: "https://sso.example.com", client_id: "ci-runner", aud: ["pam", "other"], exp: now, scope: ["a"] }),
    () => ({ sub: "alice", groups: Array.from({ length: r.below(40) }, (_, i) => `group-${i}`), exp: now + 0.5 }),
    () => ({ sub: "\u00e9\u{1f600}", realm_access: { roles: ["a", "b"] }, nbf: now, cnf: { jkt: "AAAA" } }),
    () => ({}),
    () => ({ sub: "a".repeat(r.below(3000)), n: [1, -0, 1.5, 9007199254740991], "pi.sri": null }),
  ])();
}

// Edits of the header as an object; the result is signed anew.
const headerEdits = {
  other_alg: (r, h) => { h.alg = r.pick(["RS256", "RS384", "PS256", "PS512", "ES256", "ES384", "ES512", "EdDSA"]); },
  strange_alg: (r, h) => {
    h.alg = r.pick(["none", "None", "HS256", "HS512", "ES256K", "Ed448", "Ed25519", "rs256", "RS256 ", "", null, 5, ["RS256"], "dir",
      "RSA-OAEP", "ML-DSA-44", "constructor", "__proto__"]);
  },
  no_alg: (r, h) => { delete h.alg; },
  no_kid: (r, h) => { delete h.kid; },
  kid: (r, h) => {
    h.kid = r.pick(["rsa1", "p256", "ed", "k_RS256", "enc", "oct", "short", "only", "", " ", "../../dev/null", "KEY", "a\u0000",
      "\u00e9", "x".repeat(1025), null, 1, true, ["rsa1"], {}, "__proto__"]);
  },
  typ: (r, h) => {
    h.typ = r.pick(["JWT", "jwt", "at+jwt", "application/at+jwt", "AT+JWT", "dpop+jwt", "logout+jwt", "secevent+jwt", "", null, 1,
      ["JWT"], "application/"]);
  },
  crit: (r, h) => {
    h.crit = r.pick([["exp"], ["b64"], [], "b64", null, ["b64", "b64"], ["alg"], [1], ["x"], ["http://example.com/UNDEFINED"]]);
    if (r.chance(0.5)) h.b64 = r.pick([true, false]);
    if (r.chance(0.3)) h.exp = 1;
  },
  b64: (r, h) => { h.b64 = r.pick([true, false, null, "false", 0]); },
  zip: (r, h) => { h.zip = r.pick(["DEF", null, "none", true]); },
  cty: (r, h) => { h.cty = r.pick(["JWT", "jwt", "application/jwt", "json", null, 7]); },
  enc: (r, h) => { h.enc = r.pick(["A128GCM", null]); },
  own_key: (r, h, { key }) => {
    const [name, value] = r.pick([["jwk", key.jwk], ["jku", "https://127.0.0.1/keys"], ["x5u", "https://127.0.0.1/cert"],
      ["x5c", ["MIIB"]], ["x5c", []], ["jwk", null]]);
    h[name] = value;
  },
  harmless: (r, h) => {
    Object.assign(h, r.pick([{ x5t: "AAAA" }, { "x5t#S256": "AAAA" }, { "pi.atm": "8dzf" }, { nonce: "1" }, { iss: "x" }, { ALG: "none" },
      { epk: {} }, { p2c: 2 ** 31 }, { long: "x".repeat(r.below(2000)) }]));
  },
};

// Edits of a JSON text that most parsers answer alike and some do not.
const jsonEdits = {
  duplicate: (r, t) => t.replace(/^\{/, r.pick(['{"alg":"none",', '{"sub":"root",', '{"kid":"x",', '{"exp":1,"exp":2,'])),
  duplicate_last: (r, t) => t.replace(/\}$/, r.pick([',"alg":"RS256"}', ',"sub":"root"}', ',"kid":"rsa1"}', ',"alg":"none"}'])),
  escaped_name: (r, t) => t.replace('"alg"', '"\\u0061lg"').replace('"sub"', '"s\\u0075b"'),
  escaped_twice: (r, t) => t.replace(/\}$/, ',"s\\u0075b":"root","\\u0061lg":"none"}'),
  blanks: (r, t) => t.replace(/^\{/, "{ \t\r\n").replace(/\}$/, " }") + r.pick(["", " ", "\n", "\t\r\n"]),
  other_blanks: (r, t) => r.pick(["\u00a0", "\f", "\v", "\ufeff", "\u2028"]) + t,
  tail: (r, t) => t + r.pick(["x", "{}", ",", "\0", "\0{}", "//", "]", "null"]),
  comma: (r, t) => t.replace(/\}$/, ",}"),
  comment: (r, t) => t.replace(/^\{/, r.pick(["{/**/", "{//\n"])),
  apostrophes: (r, t) => t.replaceAll('"', "'"),
  cut: (r, t) => t.slice(0, r.below(t.length)),
  proto: (r, t) => t.replace(/^\{/, '{"__proto__":{"alg":"none"},'),
  nul: (r, t) => t.replace(/^\{/, '{"a\\u0000":"b\\u0000",'),
  surrogate: (r, t) => t.replace(/^\{/, r.pick(['{"a":"\\ud800",', '{"\\udc00":1,', '{"a":"\\ud83d\\ude00",'])),
  number: (r, t) => t.replace(/^\{/, `{"n":${r.pick(["1e400", "-1e400", "1e-400", "01", "+1", ".5", "0x10", "NaN", "-0", "1E5",
    "18446744073709551616", "9007199254740993", "1.0", "Infinity", "-"])},`),
  deep: (r, t) => {
    const levels = r.pick([5, 15, 16, 17, 100, 600]);
    return t.replace(/^\{/, `{"d":${"[".repeat(levels)}${"]".repeat(levels)},`);
  },
  no_object: (r) => r.pick(["[]", "1", '"RS256"', "null", "true", "", " ", '["RS256"]', "{", "foo"]),
  control: (r, t) => t.replace(/^\{/, '{"a":"\x01\x1f",'),
  delete: (r, t) => t.replace(/^\{/, '{"a":"\x7f\u0085",'),
  nothing: (r, t) => t,
};
const bytesEdits = {
  latin1: (r, bytes) => Buffer.concat([Buffer.from('{"x":"\xe9",', "latin1"), bytes.subarray(1)]),
  overlong: (r, bytes) => Buffer.concat([Buffer.from('{"x":"\xc0\xaf",', "latin1"), bytes.subarray(1)]),
  bom: (r, bytes) => Buffer.concat([Buffer.from("\ufeff"), bytes]),
  utf16: (r, bytes) => Buffer.from(bytes.toString("latin1"), "utf16le"),
  flipped: (r, bytes) => {
    const copy = Buffer.from(bytes);
    if (copy.length) copy[r.below(copy.length)] ^= 1 << r.below(8);
    return copy;
  },
};

// Signatures that are not the one the header promises, or written otherwise.
function oddSignature(r, { key, alg, keys }, text) {
  const right = signature(key, alg, text);
  const other = r.pick(Object.values(keys));
  return r.weighted([
    [3, () => {
      if (!alg.startsWith("ES")) return signature(key, alg, `${text} `);
      const variants = ecdsaVariants(alg, right);
      return variants[r.pick(Object.keys(variants))];
    }],
    [1, () => (alg.startsWith("ES") ? signature(key, alg, text, { der: true }) : right.subarray(1))],
    [1, () => (alg.startsWith("PS") ? signature(key, alg, text, { salt: r.pick([0, 1, 20, 31, 33]) })
      : Buffer.concat([right, right]))],
    [1, () => (alg === "EdDSA" ? Buffer.concat([right.subarray(32), right.subarray(0, 32)])
      : signature(key, alg, text, { hash: r.pick(["sha256", "sha384", "sha512", "sha1"]) }))],
    [1, () => (key.algorithms.length > 1 ? signature(key, r.pick(key.algorithms), text) : right)],
    [1, () => signature(other, other.name === "short" ? "RS256" : other.algorithms[0], text)],
    [1, () => createHmac("sha256", r.pick(["", JSON.stringify(key.jwk), key.jwk.n ?? key.jwk.x])).update(text).digest()],
    [1, () => Buffer.alloc(right.length, r.pick([0, 1, 255]))],
    [1, () => Buffer.alloc(0)],
    [1, () => Buffer.concat([Buffer.alloc(1), right])],
    [1, () => {
      const flipped = Buffer.from(right);
      flipped[r.below(flipped.length)] ^= 1 << r.below(8);
      return flipped;
    }],
  ])();
}

// Edits of a finished token, with another one to take parts from.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const parts = (t) => { const [h = "", p = "", s = "", ...rest] = t.split("."); return [h, p, s, ...rest]; };
const spliced = (t, at, remove, insert) => t.slice(0, at) + insert + t.slice(at + remove);
const onPart = (r, t, edit) => {
  const all = parts(t);
  const i = r.below(3);
  all[i] = edit(all[i]);
  return all.join(".");
};
const textEdits = {
  flip: (r, t) => { const at = r.below(t.length); return spliced(t, at, 1, String.fromCharCode(t.charCodeAt(at) ^ (1 << r.below(7)))); },
  letter: (r, t) => spliced(t, r.below(t.length), 1, r.pick(alphabet)),
  insert: (r, t) => spliced(t, r.below(t.length + 1), 0, r.pick([...alphabet, ".", "=", " ", "\n", "\t", "+", "/", "?", "%", "\0", "\u00e9", "\ufeff"])),
  remove: (r, t) => spliced(t, r.below(t.length), 1 + r.below(4), ""),
  cut: (r, t) => t.slice(0, r.pick([r.below(t.length), 511, 1023, 1024])),
  cut_front: (r, t) => t.slice(r.below(t.length)),
  swap: (r, t) => r.shuffled(parts(t)).join("."),
  mix: (r, t, u) => { const [a, b] = [parts(t), parts(u)]; return a.map((one, i) => (r.chance(0.5) ? one : b[i] ?? "")).join("."); },
  twice: (r, t, u) => r.pick([t + t, `${t}.${u}`, t + u, `${t} ${t}`, `${t}.${parts(u)[2]}`]),
  stripped: (r, t) => { const [h, p] = parts(t); return r.pick([`${h}.${p}.`, `${h}.${p}`, `.${p}.`, `..`, `${h}..`, `${h}`]); },
  dots: (r, t) => r.pick([`.${t}`, `${t}.`, t.replace(".", ".."), t.replace(".", ""), ".".repeat(r.below(300))]),
  moved_dot: (r, t) => { const at = t.indexOf("."); return spliced(spliced(t, at, 1, ""), Math.max(0, at - 4 + r.below(9)), 0, "."); },
  padded: (r, t) => onPart(r, t, (p) => p + "=".repeat(r.pick([(4 - (p.length % 4)) % 4, 1, 2, 4]))),
  plain_base64: (r, t) => onPart(r, t, (p) => p.replaceAll("-", "+").replaceAll("_", "/")),
  spare_bits: (r, t) => onPart(r, t, (p) => p.slice(0, -1) + alphabet[(alphabet.indexOf(p.at(-1)) + 1 + r.below(15)) % 64]),
  around: (r, t) => r.pick([`Bearer ${t}`, ` ${t}`, `${t} `, `${t}\n`, `\n${t}`, `${t}\0`, `"${t}"`, `\ufeff${t}`, `${t}\r\n`, `${t}=`]),
  broken_line: (r, t) => spliced(t, r.below(t.length), 0, r.pick(["\n", "\r\n", " ", "\t", "\\\n"])),
  percent: (r, t) => t.replace(".", "%2e"),
  lower: (r, t) => r.pick([t.toLowerCase(), t.toUpperCase()]),
  flattened: (r, t) => { const [h, p, s] = parts(t); return JSON.stringify({ payload: p, protected: h, signature: s }); },
  general: (r, t, u) => {
    const [h, p, s] = parts(t);
    const signatures = [{ protected: h, signature: s }, { protected: parts(u)[0], signature: parts(u)[2] }];
    return JSON.stringify({ payload: p, signatures: signatures.slice(0, 1 + r.below(2)) });
  },
  jwe: (r, t) => [b64(r.pick(['{"alg":"dir","enc":"A128GCM"}', '{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"p2s":"AA"}',
    '{"alg":"RSA-OAEP","enc":"A256GCM","zip":"DEF"}'])), "", ...parts(t)].slice(0, 5).join("."),
  none: (r, t) => `${b64(r.pick(['{"alg":"none"}', '{"alg":"None","typ":"JWT"}', '{"alg":"NONE","kid":"rsa1"}']))}.${parts(t)[1]}.${r.pick(["", parts(t)[2]])}`,
  unsigned_header: (r, t) => { const [, p, s] = parts(t); return `${b64(r.pick(['{"alg":"RS256"}', '{"alg":"ES256","kid":"p256"}', '{}', "[]"]))}.${p}.${s}`; },
  unsigned_payload: (r, t) => { const [h, , s] = parts(t); return `${h}.${b64('{"sub":"root"}')}.${s}`; },
  unencoded_payload: (r, t) => { const [h, , s] = parts(t); return `${h}.${r.pick(["foo", '{"sub":"root"}', "$", ""])}.${s}`; },
};

function edited(r, edits, value) {
  const name = r.pick(Object.keys(edits));
  return [name, edits[name](r, value)];
}

// A token made from scratch for one key of a set: { token, how }.
export function makeToken(r, { member, alg, keys }, kind) {
  const { key } = member;
  const header = { alg };
  if (typeof member.jwk.kid === "string" && r.chance(0.95)) header.kid = member.jwk.kid;
  const typ = r.pick([undefined, "JWT", "at+jwt", "application/at+jwt"]);
  if (typ) header.typ = typ;
  let how = "right";
  if (kind === "header") {
    const name = r.pick(Object.keys(headerEdits));
    headerEdits[name](r, header, { key });
    how = `header.${name}`;
  }
  const order = r.chance(0.5) ? Object.keys(header) : r.shuffled(Object.keys(header));
  let head = JSON.stringify(Object.fromEntries(order.map((name) => [name, header[name]])));
  let body = JSON.stringify(claims(r));
  if (kind === "json") {
    const inHeader = r.chance(0.5);
    const [name, text] = edited(r, jsonEdits, inHeader ? head : body);
    how = `${inHeader ? "header" : "payload"}.${name}`;
    if (inHeader) head = text;
    else body = text;
  }
  if (kind === "bytes") {
    const inHeader = r.chance(0.5);
    const [name, bytes] = edited(r, bytesEdits, Buffer.from(inHeader ? head : body));
    how = `${inHeader ? "header" : "payload"}.${name}`;
    if (inHeader) head = bytes;
    else body = bytes;
  }
  const text = `${b64(head)}.${b64(body)}`;
  if (kind === "signature") {
    return { token: `${text}.${b64(oddSignature(r, { key, alg, keys }, text))}`, how: "signature" };
  }
  return { token: `${text}.${b64(signature(key, alg, text))}`, how };
}

export function editText(r, token, other) {
  const name = r.pick(Object.keys(textEdits));
  return { token: textEdits[name](r, token, other), how: `text.${name}` };
}

// Edits of a key set: of one JWK, or of the document's text.
const keyEdits = {
  drop: (r, set) => { set.splice(r.below(set.length), 1); },
  twice: (r, set) => { set.push({ ...r.pick(set) }); },
  other_kid: (r, set) => { r.pick(set).jwk.kid = r.pick(["x", "", "rsa1", "p256", null, 1, "same"]); },
  same_kid: (r, set) => { for (const one of set) if (r.chance(0.5)) one.jwk.kid = "same"; },
  no_kid: (r, set) => { for (const one of set) if (r.chance(0.5)) delete one.jwk.kid; },
  alg: (r, set) => { r.pick(set).jwk.alg = r.pick(["RS256", "PS512", "ES256", "EdDSA", "HS256", "none", "RSA-OAEP", null, 1, ""]); },
  use: (r, set) => { r.pick(set).jwk.use = r.pick(["sig", "enc", null, "", 1, "SIG"]); },
  key_ops: (r, set) => {
    r.pick(set).jwk.key_ops = r.pick([["verify"], ["sign"], [], ["verify", "verify"], ["encrypt"], null, "verify", [1], ["verify", "sign"],
      ["verify", "made-up"]]);
  },
  kty: (r, set) => { r.pick(set).jwk.kty = r.pick(["RSA", "EC", "OKP", "oct", "rsa", null, 1]); },
  crv: (r, set) => { r.pick(set).jwk.crv = r.pick(["P-256", "P-384", "P-521", "Ed25519", "Ed448", "X25519", "p-256", null]); },
  missing: (r, set) => { const { jwk } = r.pick(set); delete jwk[r.pick(["n", "e", "x", "y", "crv", "kty"])]; },
  number: (r, set) => {
    const { jwk } = r.pick(set);
    const name = r.pick(["n", "e", "x", "y"].filter((one) => typeof jwk[one] === "string"));
    if (!name) return;
    const bytes = Buffer.from(jwk[name], "base64url");
    jwk[name] = r.pick([
      () => b64(Buffer.concat([Buffer.alloc(1), bytes])),
      () => b64(Buffer.concat([Buffer.alloc(2), bytes])),
      () => b64(bytes.subarray(1)),
      () => `${jwk[name]}=`,
      () => Buffer.from(jwk[name], "base64url").toString("base64"),
      () => b64(Buffer.from([3])),
      () => b64(Buffer.from([bytes[0] ^ 1, ...bytes.subarray(1)])),
      () => b64(Buffer.alloc(bytes.length)),
      () => `${jwk[name]} `,
      () => "",
      () => null,
    ])();
  },
  private: (r, set) => { r.pick(set).jwk[r.pick(["d", "p", "k"])] = r.pick(["AQAB", null, ""]); },
  certificate: (r, set) => { Object.assign(r.pick(set).jwk, r.pick([{ x5c: ["MIIB"] }, { x5t: "AAAA" }, { x5u: "https://127.0.0.1/" }])); },
  unknown: (r, set) => { Object.assign(r.pick(set).jwk, { issuer: "https://x", nbf: 1, "x-ours": {} }); },
  no_key: (r, set) => { set.splice(r.below(set.length + 1), 0, { key: set[0].key, jwk: r.pick([null, 1, [], "key", {}]) }); },
  order: (r, set) => { set.reverse(); },
  only_one: (r, set) => { set.splice(0, set.length, r.pick(set)); },
};
const documentEdits = {
  more: (r, t) => t.replace(/\}$/, ',"more":{"keys":[]}}'),
  error: (r, t) => t.replace(/\}$/, r.pick([',"error":"server_error"}', ',"error":null}'])),
  keys_twice: (r, t) => t.replace(/\}$/, ',"keys":[]}'),
  other_name: (r, t) => t.replace('"keys"', '"Keys"'),
  member_twice: (r, t) => t.replace('"kty":', '"kty":"oct","kty":'),
  blanks: (r, t) => ` ${t}\n`,
  same: (r, t) => t,
};

export function editSet(r, set) {
  const copy = set.map(({ key, jwk }) => ({ key, jwk: structuredClone(jwk) }));
  const name = r.pick(Object.keys(keyEdits));
  keyEdits[name](r, copy);
  let how = `keys.${name}`;
  let document = JSON.stringify({ keys: copy.map(({ jwk }) => jwk) });
  if (r.chance(0.15)) {
    const [what, text] = edited(r, documentEdits, document);
    document = text;
    how += `.${what}`;
  }
  return { members: copy.filter(({ jwk }) => jwk !== null && typeof jwk === "object"), document, how };
}
