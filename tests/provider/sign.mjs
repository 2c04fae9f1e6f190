// SPDX-License-Identifier: Apache-2.0
// Prints what a client with a key of its own has to sign:
//   node sign.mjs assertion STATE_DIR CLIENT_ID AUDIENCE   a private_key_jwt client assertion
//   node sign.mjs proof STATE_DIR METHOD URL               a DPoP proof
//   node sign.mjs decrypt STATE_DIR KEY_NAME < JWE         the plaintext of a JWE to that client key
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { SignJWT, compactDecrypt, importJWK } from 'jose';
import { publicPart } from './keys.mjs';

const [what, stateDir, first, second] = process.argv.slice(2);
const clientKey = (name) => JSON.parse(fs.readFileSync(path.join(stateDir, 'rp', `${name}.jwk.json`), 'utf8'));

const commands = {
  assertion: async () => {
    const jwk = clientKey('assertion');
    return new SignJWT({ jti: crypto.randomUUID() }).setProtectedHeader({ alg: jwk.alg, kid: jwk.kid })
      .setIssuer(first).setSubject(first).setAudience(second).setIssuedAt().setExpirationTime('60s')
      .sign(await importJWK(jwk));
  },
  proof: async () => {
    const jwk = clientKey('dpop');
    const { kty, crv, x, y } = publicPart(jwk);
    return new SignJWT({ htm: first, htu: second, jti: crypto.randomUUID() })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: jwk.alg, jwk: { kty, crv, x, y } }).setIssuedAt()
      .sign(await importJWK(jwk));
  },
  decrypt: async () => {
    const { plaintext } = await compactDecrypt(fs.readFileSync(0, 'utf8').trim(), await importJWK(clientKey(first)));
    return new TextDecoder().decode(plaintext);
  },
};

if (!Object.hasOwn(commands, what ?? '')) {
  console.error('usage: node sign.mjs assertion|proof|decrypt STATE_DIR ...');
  process.exit(2);
}
console.log(await commands[what]());
