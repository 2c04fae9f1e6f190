// SPDX-License-Identifier: Apache-2.0
// The registered clients and what sets each apart; README.md has the same list for people.
import { CLIENT_SUBJECT } from './pki.mjs';
import { publicPart } from './keys.mjs';

export const SECRET = 'correct-horse-battery-staple-2718281828';
// Every character that has to be percent-encoded inside HTTP Basic (RFC 6749 section 2.3.1).
export const ODD_SECRET = 'p%41ss+w:rd/ &=?@ 3141592653589793';

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

// How the ID token of the device grant looks. PingFederate's default is to return none.
export const ID_TOKEN = { none: 'none', thin: 'thin', full: 'full' };

const DEVICE_CLIENT = {
  grant_types: [DEVICE_GRANT, 'refresh_token'],
  response_types: [],
  redirect_uris: [],
  client_secret: SECRET,
  token_endpoint_auth_method: 'client_secret_basic',
  id_token: ID_TOKEN.full,
};

const withoutSecret = (method) => ({ client_secret: undefined, token_endpoint_auth_method: method });

function deviceClients(keys) {
  const encrypted = (alg, key) => ({
    id_token_encrypted_response_alg: alg,
    id_token_encrypted_response_enc: 'A256GCM',
    jwks: { keys: [publicPart(key)] },
  });
  return {
    'linux-login': { client_name: 'Linux login', id_token: ID_TOKEN.none },
    'linux-login-idtoken': {},
    'linux-login-thin': { id_token: ID_TOKEN.thin },
    'linux-login-post': { token_endpoint_auth_method: 'client_secret_post' },
    'linux-login-public': withoutSecret('none'),
    'linux-login-odd': { client_secret: ODD_SECRET },
    'linux-login-pkjwt': {
      ...withoutSecret('private_key_jwt'),
      jwks: { keys: [publicPart(keys.assertion)] },
    },
    'linux-login-pkjwt-rsa': {
      ...withoutSecret('private_key_jwt'),
      jwks: { keys: [publicPart(keys['assertion-rsa'])] },
    },
    'linux-login-ps256': { id_token_signed_response_alg: 'PS256' },
    'linux-login-es256': { id_token_signed_response_alg: 'ES256' },
    'linux-login-eddsa': { id_token_signed_response_alg: 'EdDSA' },
    // Signed with the client's own secret: a client must refuse it.
    'linux-login-hs256': { id_token_signed_response_alg: 'HS256' },
    // Its access token is a JWT with the person's claims, without the client asking for it.
    'linux-login-jwt': { id_token: ID_TOKEN.none, default_resource: 'urn:ssh:jwt' },
    'linux-login-jwe-rsa': encrypted('RSA-OAEP', keys['decrypt-rsa-oaep']),
    'linux-login-jwe-ec': encrypted('ECDH-ES', keys['decrypt-ecdh-es']),
    'linux-login-dpop': { dpop_bound_access_tokens: true },
    'linux-login-mtls': {
      ...withoutSecret('tls_client_auth'),
      tls_client_auth_subject_dn: CLIENT_SUBJECT,
      tls_client_certificate_bound_access_tokens: true,
    },
  };
}

const BROWSER_CLIENTS = {
  // The login helper on a person's own machine: authorization code with PKCE, loopback redirect.
  'oidc-ssh': {
    application_type: 'native',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: ['http://127.0.0.1/', 'http://127.0.0.1/callback'],
    ...withoutSecret('none'),
    default_resource: 'urn:ssh:jwt',
  },
};

function machineClients(keys) {
  const machine = { grant_types: ['client_credentials'] };
  const resourceServer = { grant_types: [] };
  return {
    machine,
    'machine-post': { ...machine, token_endpoint_auth_method: 'client_secret_post' },
    'machine-pkjwt': {
      ...machine,
      ...withoutSecret('private_key_jwt'),
      jwks: { keys: [publicPart(keys.assertion)] },
    },
    // The certificate says who it is; its tokens are not bound to it.
    'machine-tls': {
      ...machine,
      ...withoutSecret('tls_client_auth'),
      tls_client_auth_subject_dn: CLIENT_SUBJECT,
    },
    'machine-dpop': { ...machine, dpop_bound_access_tokens: true },
    'machine-mtls': {
      ...machine,
      ...withoutSecret('tls_client_auth'),
      tls_client_auth_subject_dn: CLIENT_SUBJECT,
      tls_client_certificate_bound_access_tokens: true,
    },
    // Resource servers: they introspect; the answer is signed, or signed and encrypted, on request.
    rs: { ...resourceServer, introspection_signed_response_alg: 'PS256' },
    'rs-enc-rsa': {
      ...resourceServer,
      introspection_signed_response_alg: 'RS256',
      introspection_encrypted_response_alg: 'RSA-OAEP',
      introspection_encrypted_response_enc: 'A128CBC-HS256',
      jwks: { keys: [publicPart(keys['decrypt-rsa-oaep'])] },
    },
    'rs-enc-ec': {
      ...resourceServer,
      introspection_signed_response_alg: 'ES256',
      introspection_encrypted_response_alg: 'ECDH-ES',
      introspection_encrypted_response_enc: 'A256GCM',
      jwks: { keys: [publicPart(keys['decrypt-ecdh-es'])] },
    },
    // An algorithm that a client without it must refuse.
    'rs-enc': {
      ...resourceServer,
      introspection_signed_response_alg: 'ES256',
      introspection_encrypted_response_alg: 'RSA-OAEP-256',
      introspection_encrypted_response_enc: 'A256GCM',
      jwks: { keys: [publicPart(keys['decrypt-rsa-oaep-256'])] },
    },
  };
}

// Members of ours that oidc-provider keeps on the client object because they are listed here.
export const EXTRA_METADATA = ['id_token', 'default_resource'];

export function makeClients(keys) {
  const specs = { ...deviceClients(keys), ...BROWSER_CLIENTS, ...machineClients(keys) };
  return Object.entries(specs).map(([id, spec]) => ({ ...DEVICE_CLIENT, ...spec, client_id: id }));
}

// What an access token can be asked for (RFC 8707): the format and the signature of the token.
export const RESOURCES = Object.fromEntries([
  ['jwt', { jwt: { sign: { alg: 'RS256' } } }],
  ['ps256', { jwt: { sign: { alg: 'PS256' } } }],
  ['es256', { jwt: { sign: { alg: 'ES256' } } }],
  ['eddsa', { jwt: { sign: { alg: 'EdDSA' } } }],
  // As PingFederate sends it by default: a JWT whose header has no "typ".
  ['untyped', { jwt: { sign: { alg: 'RS256' } } }],
  ['brief', { jwt: { sign: { alg: 'RS256' } }, accessTokenTTL: 2 }],
  ['opaque', { accessTokenFormat: 'opaque' }],
].map(([name, extra]) => [`urn:ssh:${name}`, {
  scope: 'ssh sudo',
  audience: `urn:ssh:${name}`,
  accessTokenFormat: 'jwt',
  accessTokenTTL: 600,
  ...extra,
}]));

export const UNTYPED_AUDIENCE = 'urn:ssh:untyped';
