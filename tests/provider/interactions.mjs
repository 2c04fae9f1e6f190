// SPDX-License-Identifier: Apache-2.0
// Signing in and consenting: what happens between oidc-provider's "this needs a person" and its
// "resume". Two steps, each one page with one form.
import { showConsent, showLogin } from './pages.mjs';

const PREFIX = '/as/interaction/';
const LONGEST_FORM = 16_384;

export const interactionUrl = (_ctx, interaction) => PREFIX + interaction.uid;

async function readForm(req) {
  let text = '';
  for await (const chunk of req) {
    text += chunk;
    if (text.length > LONGEST_FORM) throw new Error('form too long');
  }
  return new URLSearchParams(text);
}

const CANCELLED = { error: 'access_denied', error_description: 'End-User aborted interaction' };

async function login(ctx, idp, details, form) {
  const user = await idp.users.byLogin(form.get('login'));
  if (!user || !await idp.users.hasPassword(user, form.get('password'))) {
    const client = await idp.provider.Client.find(details.params.client_id);
    showLogin(ctx, client, 'We did not recognise the username or password.');
    return;
  }
  // "remember: false": each approval is a fresh sign-on with its own auth_time.
  await finish(ctx, idp, { login: { accountId: user.sub, acr: user.acr, amr: user.amr, remember: false } });
}

async function consent(ctx, idp, { prompt: { details }, grantId, session, params }) {
  const { Grant } = idp.provider;
  const grant = grantId ? await Grant.find(grantId)
    : new Grant({ accountId: session.accountId, clientId: params.client_id });
  if (details.missingOIDCScope) grant.addOIDCScope(details.missingOIDCScope.join(' '));
  if (details.missingOIDCClaims) grant.addOIDCClaims(details.missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(details.missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  const saved = await grant.save();
  const user = await idp.users.bySub(session.accountId);
  idp.rememberLogin(saved, { acr: user?.acr, amr: user?.amr });
  await finish(ctx, idp, { consent: grantId ? {} : { grantId: saved } });
}

async function finish(ctx, idp, result) {
  // Written straight to the response by oidc-provider.
  ctx.respond = false;
  await idp.provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: !result.error });
}

function requestedScopes(details) {
  const { missingOIDCScope: oidc = [], missingResourceScopes: resources = {} } = details;
  return [...oidc, ...Object.values(resources).flat()];
}

// A middleware for the pages below /as/interaction/.
export const interactions = (idp) => async (ctx, next) => {
  if (!ctx.path.startsWith(PREFIX)) return next();
  ctx.set('cache-control', 'no-store');
  const details = await idp.provider.interactionDetails(ctx.req, ctx.res);
  const { prompt, params } = details;
  if (ctx.method === 'POST') {
    const form = await readForm(ctx.req);
    if (form.get('action') === 'cancel') return finish(ctx, idp, CANCELLED);
    return prompt.name === 'login' ? login(ctx, idp, details, form) : consent(ctx, idp, details);
  }
  const client = await idp.provider.Client.find(params.client_id);
  if (prompt.name === 'login') showLogin(ctx, client);
  else showConsent(ctx, client, requestedScopes(prompt.details));
  return undefined;
};
