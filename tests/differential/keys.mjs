// SPDX-License-Identifier: Apache-2.0
// The provider's keys, the sets it may publish them in, signatures right and wrong.
import { constants, generateKeyPairSync, sign } from "node:crypto";

export const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
const rsaAlgorithms = algorithms.slice(0, 6);
const curves = {
  "P-256": { algorithm: "ES256", order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n },
  "P-384": {
    algorithm: "ES384",
    order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
  "P-521": {
    algorithm: "ES512",
    order: BigInt(
      "0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa" +
        "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
    ),
  },
};

function rsa(name, bits) {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  return { name, privateKey, jwk: publicKey.export({ format: "jwk" }), algorithms: rsaAlgorithms };
}
function ec(name, namedCurve) {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });
  return { name, privateKey, jwk: publicKey.export({ format: "jwk" }), algorithms: [curves[namedCurve].algorithm] };
}
function ed25519(name) {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { name, privateKey, jwk: publicKey.export({ format: "jwk" }), algorithms: ["EdDSA"] };
}

export function makeKeys() {
  return {
    rsa1: rsa("rsa1", 2048),
    rsa2: rsa("rsa2", 2048),
    rsa3: rsa("rsa3", 3072),
    p256: ec("p256", "P-256"),
    p256b: ec("p256b", "P-256"),
    p384: ec("p384", "P-384"),
    p521: ec("p521", "P-521"),
    ed: ed25519("ed"),
    ed2: ed25519("ed2"),
    // Without PS512, for which 1024 bits have no room.
    short: { ...rsa("short", 1024), algorithms: rsaAlgorithms.slice(0, 5) },
  };
}

// A member of a set: the key that signs for it, and the JWK as published.
const member = (key, more = {}) => ({ key, jwk: { ...key.jwk, ...more } });

// The sets of well-behaved providers.
export function goodSets(k) {
  const named = Object.values(k).filter((key) => key !== k.short);
  return [
    named.map((key) => member(key, { kid: key.name })),
    named.map((key) => member(key, { kid: key.name, use: "sig", alg: key.algorithms[0] })),
    [member(k.rsa1)],
    [member(k.rsa1), member(k.p256), member(k.ed)],
    [member(k.p256, { kid: "only", use: "sig", key_ops: ["verify"], alg: "ES256" })],
    [member(k.ed, { kid: "ed", issuer: "https://sso.example.com", x5t: "AAAA" })],
    // PingFederate: one RSA key under one name per algorithm.
    rsaAlgorithms.map((alg) => member(k.rsa1, { kid: `k_${alg}`, use: "sig", alg })),
    // Keycloak: a key for encryption stands first.
    [member(k.rsa2, { kid: "enc", use: "enc", alg: "RSA-OAEP" }), member(k.rsa1, { kid: "sig", use: "sig" })],
    // Keys that nobody can use beside one that is good.
    [
      { key: k.rsa1, jwk: { kty: "oct", kid: "oct", k: "AAAA" } },
      { key: k.p256, jwk: { kty: "EC", crv: "secp256k1", kid: "k1", x: k.p256.jwk.x, y: k.p256.jwk.y } },
      { key: k.ed, jwk: { kty: "future", kid: "future" } },
      member(k.short, { kid: "short" }),
      member(k.p256b, { kid: "good" }),
    ],
    [member(k.p384, { kid: "a" }), member(k.p521, { kid: "b" }), member(k.rsa3, { kid: "c" })],
  ];
}

const pssSalt = { PS256: 32, PS384: 48, PS512: 64 };
const hashOf = (alg) => (alg === "EdDSA" ? null : `sha${alg.slice(2)}`);

// A signature; `salt` and `hash` other than the algorithm's make it a wrong one.
export function signature(key, alg, text, { salt, hash, der } = {}) {
  const options = { key: key.privateKey };
  if (alg.startsWith("PS")) {
    options.padding = constants.RSA_PKCS1_PSS_PADDING;
    options.saltLength = salt ?? pssSalt[alg];
  } else if (alg.startsWith("ES")) {
    options.dsaEncoding = der ? "der" : "ieee-p1363";
  }
  return sign(hash ?? hashOf(alg), Buffer.from(text), options);
}

const numberOf = (bytes) => BigInt(`0x${bytes.toString("hex")}`);
const bytesOf = (number, size) => Buffer.from(number.toString(16).padStart(2 * size, "0").slice(-2 * size), "hex");

// ECDSA: the same pair written otherwise, its mirror image, and numbers out of range.
export function ecdsaVariants(alg, right) {
  const { order } = Object.values(curves).find((curve) => curve.algorithm === alg);
  const half = right.length / 2;
  const [r, s] = [right.subarray(0, half), right.subarray(half)];
  const n = bytesOf(order, half);
  const zero = Buffer.alloc(half);
  const cat = (...parts) => Buffer.concat(parts);
  return {
    mirrored: cat(r, bytesOf(order - numberOf(s), half)),
    zeros: cat(zero, zero),
    r_and_zero: cat(r, zero),
    zero_and_s: cat(zero, s),
    orders: cat(n, n),
    r_and_order: cat(r, n),
    s_and_r: cat(s, r),
    wrapped: cat(bytesOf(numberOf(r) + order, half), s),
    longer: cat(Buffer.alloc(1), r, Buffer.alloc(1), s),
    shorter: cat(r.subarray(1), s.subarray(1)),
    appended: cat(right, Buffer.alloc(1)),
    prepended: cat(Buffer.alloc(1), right),
    half: r,
  };
}
