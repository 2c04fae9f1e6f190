// SPDX-License-Identifier: Apache-2.0
// The person, without a browser: opens the verification address over HTTPS, keeps cookies, follows
// redirects and sends the forms as they stand. Uses no test hook. Arguments: approve-args.mjs.
import https from 'node:https';
import { MOST_PAGES, readArguments, report } from './approve-args.mjs';

const args = readArguments();
const agent = new https.Agent({ ca: args.caText, keepAlive: true });

class CookieJar {
  #cookies = [];

  store(url, headers) {
    for (const header of headers ?? []) {
      const [pair, ...attributes] = header.split(/; */);
      const [name, ...value] = pair.split('=');
      const path = attributes.find((a) => /^path=/i.test(a))?.slice(5) ?? '/';
      const expires = attributes.find((a) => /^expires=/i.test(a))?.slice(8);
      this.#cookies = this.#cookies.filter((c) => c.name !== name || c.path !== path);
      if (expires && Date.parse(expires) < Date.now()) continue;
      this.#cookies.push({ name, value: value.join('='), path, host: url.host });
    }
  }

  header(url) {
    const covers = (path) => url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
    return this.#cookies.filter((c) => c.host === url.host && covers(c.path))
      .map((c) => `${c.name}=${c.value}`).join('; ');
  }
}

const jar = new CookieJar();

function exchange(method, url, form) {
  const headers = { accept: 'text/html', cookie: jar.header(url) };
  if (form) headers['content-type'] = 'application/x-www-form-urlencoded';
  return new Promise((resolve, reject) => {
    const request = https.request(url, { method, headers, agent, timeout: 15_000 }, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      jar.store(url, response.headers['set-cookie']);
      resolve({ url, status: response.statusCode, location: response.headers.location, text });
    });
    request.on('timeout', () => request.destroy(new Error('timeout')));
    request.on('error', reject);
    request.end(form?.toString());
  });
}

async function load(method, url, form) {
  let page = await exchange(method, url, form);
  for (let hops = 0; page.location && hops < MOST_PAGES; hops += 1) {
    page = await exchange('GET', new URL(page.location, page.url));
  }
  return page;
}

const attribute = (tag, name) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
const pageName = ({ text }) => attribute(/<body[^>]*>/.exec(text)?.[0] ?? '', 'data-page');

// Everything the page's form would send when its "allow" (or "deny") button is pressed.
function fillForm({ text, url }, fields, press) {
  const tag = /<form[^>]*>/.exec(text)?.[0];
  if (!tag) return undefined;
  const form = new URLSearchParams();
  for (const [input] of text.matchAll(/<input\b[^>]*>/g)) {
    const name = attribute(input, 'name');
    if (name) form.set(name, fields[name] ?? attribute(input, 'value') ?? '');
  }
  const button = [...text.matchAll(/<button\b[^>]*>/g)].map(([b]) => b).find((b) => attribute(b, 'id') === press);
  if (button && attribute(button, 'name')) form.set(attribute(button, 'name'), attribute(button, 'value') ?? '');
  return { form, action: new URL(attribute(tag, 'action') ?? url, url) };
}

async function walk() {
  const fields = { login: args.login, password: args.password, user_code: args.userCode || undefined };
  const pages = [];
  let page = await load('GET', new URL(args.url));
  while (pages.length < MOST_PAGES) {
    const name = pageName(page);
    // A page without a name is the one that submits itself.
    pages.push(name ?? 'self-submitting');
    // A second sign-on page, or the code page with a complaint, means that we were refused.
    const again = name !== undefined && pages.indexOf(name) < pages.length - 1;
    const filled = again || name === 'code-refused' ? undefined
      : fillForm(page, fields, args.denyAt === name ? 'deny' : 'allow');
    if (!filled) break;
    page = await load('POST', filled.action, filled.form);
  }
  return { page: pages.at(-1), status: page.status, pages };
}

try {
  report(args, await walk());
} catch (error) {
  console.error(`approve.mjs: ${error.message}`);
  process.exitCode = 1;
} finally {
  agent.destroy();
}
