// SPDX-License-Identifier: Apache-2.0
// What PingFederate does and oidc-provider does not, as one middleware around it: its paths, the
// polling interval and slow_down, no ID token unless asked for, what its discovery document
// advertises, introspection and revocation of JWT access tokens, and strict client authentication.
import { createLocalJWKSet, jwtVerify } from 'jose';
import { ID_TOKEN } from './clients.mjs';

export const PATHS = {
  authorization: '/as/authorization.oauth2',
  code_verification: '/as/user_authz.oauth2',
  device_authorization: '/as/device_authz.oauth2',
  end_session: '/idp/startSLO.ping',
  introspection: '/as/introspect.oauth2',
  jwks: '/pf/JWKS',
  pushed_authorization_request: '/as/par.oauth2',
  revocation: '/as/revoke_token.oauth2',
  token: '/as/token.oauth2',
  userinfo: '/idp/userinfo.openid',
};
const DISCOVERY = '/.well-known/openid-configuration';
const AUTHENTICATED = new Set([PATHS.device_authorization, PATHS.introspection, PATHS.revocation, PATHS.token]);

// Advertised is not allowed: a client that picks its algorithms from this list is wrong.
const ADVERTISED_SIGNATURES = ['none', 'HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'ES256',
  'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'EdDSA'];

const SLOW_DOWN_STEP_MS = 5_000;
// A client that waits the interval exactly must not lose to the jitter of a timer.
const JITTER_MS = 50;

function fail(ctx, status, error, description) {
  ctx.status = status;
  ctx.body = { error_description: description, error };
}

// Where clients with certificates are to go (RFC 8705 section 5): this server by its other name.
const ALIASED = ['token_endpoint', 'device_authorization_endpoint', 'introspection_endpoint',
  'revocation_endpoint', 'userinfo_endpoint'];
const aliases = (endpoints) => Object.fromEntries(
  ALIASED.map((name) => [name, endpoints[name].replace('//localhost:', '//127.0.0.1:')]));

function dressDiscovery(ctx) {
  ctx.body = {
    ...ctx.body,
    id_token_signing_alg_values_supported: ADVERTISED_SIGNATURES,
    mtls_endpoint_aliases: aliases(ctx.body),
    ping_end_session_endpoint: ctx.body.end_session_endpoint,
  };
}

function dressDeviceAuthorization(ctx, idp) {
  const { settings } = idp;
  const body = { ...ctx.body };
  if (settings.announce_interval) body.interval = settings.interval;
  if (!settings.complete_uri) delete body.verification_uri_complete;
  ctx.body = body;
  idp.last = {
    sequence: (idp.last?.sequence ?? 0) + 1,
    client_id: ctx.oidc.client.clientId,
    user_code: body.user_code,
    verification_uri: body.verification_uri,
    verification_uri_complete: body.verification_uri_complete,
  };
}

// RFC 8628 section 3.5: slow_down is a form of authorization_pending, and stays for the rest of the
// flow. Only that answer is replaced; an approved request is answered however soon it is asked for.
function enforceInterval(ctx, idp, polls, arrived) {
  const code = ctx.oidc?.params?.device_code;
  if (!code || !ctx.oidc.client) return;
  const poll = polls.get(code) ?? { at: undefined, interval: idp.settings.interval * 1000 };
  const early = poll.at !== undefined && arrived - poll.at < poll.interval - JITTER_MS;
  poll.at = arrived;
  polls.set(code, poll);
  if (early && idp.settings.slow_down && ctx.body?.error === 'authorization_pending') {
    poll.interval += SLOW_DOWN_STEP_MS;
    fail(ctx, 400, 'slow_down', 'Polling too frequently');
  }
}

// oidc-provider takes a secret from the header or the body whichever way the client is registered.
function usesWrongMethod(ctx) {
  const method = ctx.oidc?.client?.clientAuthMethod;
  const basic = /^basic /i.test(ctx.get('authorization'));
  return (method === 'client_secret_post' && basic) || (method === 'client_secret_basic' && !basic);
}

// oidc-provider stores no JWT access token and refuses to introspect or revoke one, after it has
// authenticated the client. PingFederate knows them.
async function knownJwt(ctx, idp, revoked) {
  try {
    const keys = createLocalJWKSet({ keys: idp.publicKeys() });
    const { payload } = await jwtVerify(ctx.oidc.params.token, keys, { issuer: idp.issuer });
    return revoked.has(payload.jti) ? undefined : payload;
  } catch {
    return undefined;
  }
}

async function introspectJwt(ctx, idp, revoked) {
  const claims = await knownJwt(ctx, idp, revoked);
  const answer = claims ? { active: true, token_type: 'Bearer', ...claims } : { active: false };
  const { client } = ctx.oidc;
  ctx.status = 200;
  if (client.introspectionSignedResponseAlg
      && ctx.accepts('json', 'application/token-introspection+jwt') !== 'json') {
    const token = new idp.provider.IdToken({}, { ctx });
    token.extra = { token_introspection: answer };
    ctx.body = await token.issue({ use: 'introspection' });
    ctx.type = 'application/token-introspection+jwt; charset=utf-8';
  } else {
    ctx.body = answer;
  }
}

async function revokeJwt(ctx, idp, revoked) {
  const claims = await knownJwt(ctx, idp, revoked);
  if (claims) revoked.add(claims.jti);
  ctx.status = 200;
  ctx.body = '';
}

export function pingFederate(idp) {
  // Kept on the identity provider: a key rotation makes a new middleware, not a new world.
  const polls = (idp.polls ??= new Map());
  const revoked = (idp.revokedJwts ??= new Set());

  return async (ctx, next) => {
    const arrived = Date.now();
    await next();
    // For the log of requests that the test hooks show.
    ctx.req.form = ctx.oidc?.body;
    if (AUTHENTICATED.has(ctx.path) && usesWrongMethod(ctx)) {
      fail(ctx, 401, 'invalid_client', 'The client is not registered for this authentication method');
      return;
    }
    const jwtRefused = ctx.body?.error === 'unsupported_token_type';
    if (ctx.path === DISCOVERY) dressDiscovery(ctx);
    if (ctx.path === DISCOVERY || ctx.path === PATHS.jwks) ctx.type = 'application/json;charset=utf-8';
    if (ctx.path === PATHS.device_authorization && ctx.status === 200) dressDeviceAuthorization(ctx, idp);
    if (ctx.path === PATHS.introspection && jwtRefused) await introspectJwt(ctx, idp, revoked);
    if (ctx.path === PATHS.revocation && jwtRefused) await revokeJwt(ctx, idp, revoked);
    if (ctx.path === PATHS.token) {
      enforceInterval(ctx, idp, polls, arrived);
      if (ctx.oidc?.client?.id_token === ID_TOKEN.none) delete ctx.body?.id_token;
    }
  };
}
