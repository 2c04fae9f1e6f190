// SPDX-License-Identifier: Apache-2.0
// Keys that outlive a restart: STATE_DIR/keys.json holds the provider's signing keys, STATE_DIR/rp/
// the private keys of the clients that sign or decrypt (as NAME.jwk.json and NAME.pem), so that a
// test can hand them to the program under test.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const KINDS = {
  RSA: ['rsa', { modulusLength: 2048 }],
  'P-256': ['ec', { namedCurve: 'P-256' }],
  Ed25519: ['ed25519', {}],
};

const PROVIDER_KEYS = [
  { alg: 'RS256', kind: 'RSA' },
  { alg: 'PS256', kind: 'RSA' },
  { alg: 'ES256', kind: 'P-256' },
  { alg: 'EdDSA', kind: 'Ed25519' },
];

const CLIENT_KEYS = {
  assertion: { alg: 'ES256', kind: 'P-256', use: 'sig' },
  'assertion-rsa': { alg: 'RS256', kind: 'RSA', use: 'sig' },
  dpop: { alg: 'ES256', kind: 'P-256', use: 'sig' },
  'decrypt-rsa-oaep': { alg: 'RSA-OAEP', kind: 'RSA', use: 'enc' },
  'decrypt-rsa-oaep-256': { alg: 'RSA-OAEP-256', kind: 'RSA', use: 'enc' },
  'decrypt-ecdh-es': { alg: 'ECDH-ES', kind: 'P-256', use: 'enc' },
};

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi'];

export function publicPart(jwk) {
  return Object.fromEntries(Object.entries(jwk).filter(([name]) => !PRIVATE_MEMBERS.includes(name)));
}

function makeKey({ alg, kind, use = 'sig' }, kid = `${alg}-${crypto.randomBytes(6).toString('hex')}`) {
  const [type, options] = KINDS[kind];
  const { privateKey } = crypto.generateKeyPairSync(type, options);
  return { privateKey, jwk: { ...privateKey.export({ format: 'jwk' }), kid, alg, use } };
}

export const makeProviderKeys = () => PROVIDER_KEYS.map((spec) => makeKey(spec).jwk);

function writeAtOnce(file, text, mode) {
  const draft = `${file}.${process.pid}`;
  fs.writeFileSync(draft, text, { mode });
  fs.renameSync(draft, file);
}

function ensureProviderKeys(stateDir) {
  const file = path.join(stateDir, 'keys.json');
  if (!fs.existsSync(file)) {
    writeAtOnce(file, JSON.stringify({ keys: makeProviderKeys() }, null, 1), 0o600);
  }
  return JSON.parse(fs.readFileSync(file, 'utf8')).keys;
}

function ensureClientKey(dir, name, spec) {
  const file = path.join(dir, `${name}.jwk.json`);
  if (!fs.existsSync(file)) {
    const { privateKey, jwk } = makeKey(spec, `rp-${name}`);
    // The PEM first: once the JWK is there, both are.
    writeAtOnce(path.join(dir, `${name}.pem`), privateKey.export({ format: 'pem', type: 'pkcs8' }), 0o600);
    writeAtOnce(file, JSON.stringify(jwk, null, 1), 0o600);
  }
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

export function ensureKeys(stateDir) {
  const dir = path.join(stateDir, 'rp');
  fs.mkdirSync(dir, { recursive: true });
  const client = Object.fromEntries(
    Object.entries(CLIENT_KEYS).map(([name, spec]) => [name, ensureClientKey(dir, name, spec)]));
  return { provider: ensureProviderKeys(stateDir), client };
}
