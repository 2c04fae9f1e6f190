// SPDX-License-Identifier: Apache-2.0
// The pages a person sees. Each names itself in <body data-page>, so that the scripted browsers
// know where they are; none loads anything from elsewhere.

const STYLE = `
  body { font-family: sans-serif; background: #f3f4f6; margin: 3em auto; max-width: 26em; }
  main { background: #fff; padding: 1.5em 2em 2em; border-radius: 6px; box-shadow: 0 1px 4px #0003; }
  h1 { font-size: 1.3em; } code { font-size: 1.6em; letter-spacing: .1em; }
  input[type=text], input[type=password] { display: block; width: 100%; box-sizing: border-box;
    font-size: 1em; padding: .5em; margin: .3em 0 1em; }
  button { font-size: 1em; padding: .5em 1.2em; margin-right: .5em; }`;

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const safe = (text) => String(text ?? '').replace(/[&<>"']/g, (c) => ENTITIES[c]);

function page(name, title, content) {
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>${safe(title)}</title><style>${STYLE}</style></head>
<body data-page="${name}"><main><h1>${safe(title)}</h1>${content}</main></body></html>`;
}

function show(ctx, ...args) {
  ctx.type = 'html';
  ctx.body = page(...args);
}

const clientName = (client) => safe(client?.clientName ?? client?.clientId);

// oidc-provider's device flow pages. "form" is HTML of its own making with the hidden fields.
export const deviceFlowPages = {
  userCodeInputSource: async (ctx, form, _out, err) => {
    if (err?.name === 'AbortedError') {
      show(ctx, 'denied', 'Sign-in denied', '<p>The request was refused. You can close this page.</p>');
      return;
    }
    const problem = err ? `<p role="alert">${err.userCode || err.name === 'NoCodeError'
      ? 'This code is not valid.' : 'This request cannot be completed.'}</p>` : '';
    show(ctx, err ? 'code-refused' : 'code', 'Connect a device',
      `${problem}<p>Enter the code shown on your device.</p>${form}
       <button type="submit" form="op.deviceInputForm">Continue</button>`);
  },

  userCodeConfirmSource: async (ctx, form, client, _deviceInfo, userCode) => {
    show(ctx, 'confirm', 'Connect a device',
      `<p><b>${clientName(client)}</b> asks to sign you in. Does your device show this code?</p>
       <p><code>${safe(userCode)}</code></p>${form}
       <button type="submit" form="op.deviceConfirmForm" id="allow">Continue</button>
       <button type="submit" form="op.deviceConfirmForm" id="deny" name="abort" value="yes">Deny</button>`);
  },

  successSource: async (ctx) => {
    show(ctx, 'done', 'Sign-in approved',
      `<p>${clientName(ctx.oidc.client)} is signed in. You can close this page.</p>`);
  },
};

export async function errorPage(ctx, out) {
  show(ctx, 'error', 'Sign-in error', `<p>${safe(out.error)}: ${safe(out.error_description)}</p>`);
}

export const logoutPages = {
  logoutSource: async (ctx, form) => {
    show(ctx, 'logout', 'Sign out?',
      `${form}<button type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>`);
  },
  postLogoutSuccessSource: async (ctx) => { show(ctx, 'signed-out', 'Signed out', ''); },
};

export function showLogin(ctx, client, problem) {
  show(ctx, 'login', 'Sign on',
    `${problem ? `<p role="alert">${safe(problem)}</p>` : ''}
     <form method="post" id="login-form">
     <label>Username <input type="text" name="login" autocomplete="off" autofocus></label>
     <label>Password <input type="password" name="password" autocomplete="off"></label>
     <button type="submit" id="allow" name="action" value="continue">Sign on</button>
     <button type="submit" id="deny" name="action" value="cancel">Cancel</button>
     </form><p>to continue to ${clientName(client)}</p>`);
}

export function showConsent(ctx, client, scopes) {
  show(ctx, 'consent', 'Request for approval',
    `<p><b>${clientName(client)}</b> requests access to: ${safe(scopes.join(', '))}</p>
     <form method="post" id="consent-form">
     <button type="submit" id="allow" name="action" value="continue">Allow</button>
     <button type="submit" id="deny" name="action" value="cancel">Deny</button></form>`);
}
