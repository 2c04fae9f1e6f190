// SPDX-License-Identifier: Apache-2.0
// The provider itself: oidc-provider, configured; signing keys and users can change while it runs,
// for which a new Provider object takes over the same store.
import Provider, { errors } from 'oidc-provider';
import { EXTRA_METADATA, ID_TOKEN, RESOURCES, UNTYPED_AUDIENCE, makeClients } from './clients.mjs';
import { interactions, interactionUrl } from './interactions.mjs';
import { makeProviderKeys, publicPart } from './keys.mjs';
import { deviceFlowPages, errorPage, logoutPages } from './pages.mjs';
import { PATHS, pingFederate } from './pingfederate.mjs';
import { Store } from './store.mjs';
import { Users } from './users.mjs';

const SCOPE_CLAIMS = {
  openid: ['sub', 'acr', 'amr', 'auth_time'],
  email: ['email'],
  groups: ['groups', 'memberOf'],
};
// As a service account of an Active Directory has them: each of these adds about 60 bytes to a token.
const machineClaims = (groups) => ({
  sAMAccountName: 'svc-machine',
  groups: ['machines', ...Array.from({ length: groups - 1 },
    (_, n) => `CN=Role ${n + 1},OU=Groups,DC=corp,DC=example`)],
});
const LOGGED_EVENTS = ['server_error', 'authorization.error', 'grant.error', 'introspection.error',
  'device_authorization.error', 'userinfo.error', 'revocation.error'];

export class Idp {
  // Users of this file, or a Directory; both are asked with await.
  users;
  store = new Store();
  // The newest device authorization response, for a script that approves what it did not start.
  last = undefined;
  #keys;
  #clients;
  #logins = new Map();
  #claimNames;

  constructor({ issuer, keys, settings, directory }) {
    this.users = directory ?? new Users();
    this.issuer = issuer;
    this.settings = settings;
    this.#keys = keys.provider;
    this.#clients = makeClients(keys.client);
    this.#build();
  }

  handle(req, res) { this.#callback(req, res); }

  publicKeys() { return this.#keys.map(publicPart); }

  // How the person signed in belongs to the grant: userinfo and access tokens tell it later.
  rememberLogin(grantId, { acr, amr, auth_time = Math.floor(Date.now() / 1000) }) {
    this.#logins.set(grantId, { acr, amr, auth_time });
  }

  // New signing keys with new key ids, in use at once; the old ones stay published or vanish.
  rotateKeys({ keepOld }) {
    const fresh = makeProviderKeys();
    this.#keys = keepOld ? [...fresh, ...this.#keys] : fresh;
    this.#build();
    return { signing: fresh.map((k) => k.kid), published: this.#keys.map((k) => k.kid) };
  }

  usersChanged() {
    // oidc-provider releases only claims it was told of when it was made.
    if ([...this.users.claimNames()].some((name) => !this.#claimNames.has(name))) this.#build();
  }

  #callback;

  #build() {
    this.#claimNames = new Set(this.users.claimNames());
    this.provider = new Provider(this.issuer, this.#configuration());
    this.provider.use(pingFederate(this));
    this.provider.use(interactions(this));
    for (const event of LOGGED_EVENTS) this.provider.on(event, (ctx, error) => logError(event, ctx, error));
    this.#callback = this.provider.callback();
  }

  #claims() {
    const elsewhere = new Set(Object.values(SCOPE_CLAIMS).flat());
    return { ...SCOPE_CLAIMS, profile: [...this.#claimNames].filter((name) => !elsewhere.has(name)) };
  }

  async #account(ctx, sub, source) {
    const user = await this.users.bySub(sub);
    if (!user) return undefined;
    return {
      accountId: sub,
      claims: async (use) => {
        const thin = use === 'id_token' && ctx.oidc.client?.id_token === ID_TOKEN.thin;
        return thin ? { sub } : { ...user, ...this.#logins.get(source?.grantId) };
      },
    };
  }

  async #tokenClaims(token) {
    if (!token.accountId) return machineClaims(this.settings.machine_groups);
    const { sub, ...claims } = await this.users.bySub(token.accountId) ?? {};
    return { ...claims, ...this.#logins.get(token.grantId) };
  }

  #configuration() {
    const { settings } = this;
    return {
      adapter: this.store.adapter,
      clients: this.#clients,
      extraClientMetadata: { properties: EXTRA_METADATA },
      jwks: { keys: this.#keys },
      findAccount: (ctx, sub, source) => this.#account(ctx, sub, source),
      scopes: ['openid', 'offline_access', ...Object.keys(this.#claims()).filter((s) => s !== 'openid')],
      claims: this.#claims(),
      // PingFederate can put every claim of the granted scopes into the ID token; so do we.
      conformIdTokenClaims: false,
      clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none', 'tls_client_auth'],
      enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'] },
      extraTokenClaims: async (_ctx, token) => this.#tokenClaims(token),
      issueRefreshToken: async (_ctx, client, source) =>
        client.grantTypeAllowed('refresh_token') && source.scopes.has('offline_access'),
      rotateRefreshToken: () => true,
      acrValues: ['phr', 'urn:pingidentity.com.poc:mfa'],
      ttl: {
        AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? 600,
        AuthorizationCode: 60,
        ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? 600,
        DeviceCode: () => settings.device_code_ttl,
        Grant: 86_400,
        IdToken: 300,
        Interaction: 600,
        RefreshToken: 86_400,
        Session: 3_600,
      },
      // A provider must take end-session requests by POST as well (RP-Initiated Logout 1.0 section 2); this one does
      // when its cookies may come along.
      enableHttpPostMethods: true,
      cookies: { keys: ['signs the cookies of a test'], long: { sameSite: 'none' } },
      interactions: { url: interactionUrl },
      renderError: errorPage,
      formats: { customizers: { jwt: async (_ctx, token, parts) => {
        if (token.resourceServer?.audience === UNTYPED_AUDIENCE) parts.header = { typ: undefined };
      } } },
      features: this.#features(),
      routes: PATHS,
    };
  }

  #features() {
    return {
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true, charset: 'base-20', mask: '****-****', ...deviceFlowPages },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      jwtIntrospection: { enabled: true },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: true, ...logoutPages },
      encryption: { enabled: true },
      jwtUserinfo: { enabled: true },
      dPoP: { enabled: true },
      claimsParameter: { enabled: true },
      mTLS: {
        enabled: true,
        tlsClientAuth: true,
        certificateBoundAccessTokens: true,
        getCertificate: (ctx) => ctx.socket.getPeerX509Certificate?.()?.toString(),
        certificateAuthorized: (ctx) => ctx.socket.authorized,
        certificateSubjectMatches: (ctx, property, expected) => property === 'tls_client_auth_subject_dn'
          && ctx.socket.getPeerX509Certificate().subject.split('\n').join(',') === expected,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: async (_ctx, client, oneOf) => oneOf ?? client?.default_resource,
        getResourceServerInfo: async (_ctx, resource) => {
          if (!RESOURCES[resource]) throw new errors.InvalidTarget();
          return RESOURCES[resource];
        },
        useGrantedResource: async () => true,
      },
    };
  }
}

function logError(event, ctx, error) {
  console.error(`${event} ${ctx.method} ${ctx.path}: ${error.error ?? error.stack} ${error.error_detail ?? ''}`);
}
