// SPDX-License-Identifier: Apache-2.0
// What a test needs beyond being a client: everything below /__test/. Parameters come from the
// query or from a JSON body; the answer is JSON. README.md lists them.

const LONGEST_BODY = 1 << 20;
const REQUESTS_KEPT = 500;

async function readAll(req) {
  const chunks = [];
  let length = 0;
  for await (const chunk of req) {
    length += chunk.length;
    if (length > LONGEST_BODY) throw new Error('body too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

class BadRequest extends Error {}

const truth = (value, otherwise) => (value === undefined ? otherwise
  : ![false, 0, '0', 'false', 'no', ''].includes(value));

// ---- what a person would do in a browser ----

async function findCode(idp, { user_code: userCode }) {
  const normalized = String(userCode ?? '').replace(/[^A-Z0-9]/gi, '').toUpperCase();
  const code = await idp.provider.DeviceCode.findByUserCode(normalized);
  if (!code) throw new BadRequest('no such user code, or it has expired');
  return code;
}

async function approve(idp, params) {
  const user = await idp.users.byLogin(params.login);
  if (!user) throw new BadRequest(`no such user: ${params.login}`);
  const code = await findCode(idp, params);
  const client = await idp.provider.Client.find(code.clientId);
  const resource = code.params.resource ?? client.default_resource;
  const grant = new idp.provider.Grant({ accountId: user.sub, clientId: code.clientId });
  grant.addOIDCScope(code.params.scope);
  if (resource) grant.addResourceScope(resource, 'ssh sudo');
  const login = {
    acr: params.acr ?? user.acr,
    amr: params.amr ? [].concat(params.amr).join(',').split(',') : user.amr,
    auth_time: Number(params.auth_time ?? Math.floor(Date.now() / 1000)),
  };
  const grantId = await grant.save();
  idp.rememberLogin(grantId, login);
  Object.assign(code, {
    accountId: user.sub,
    grantId,
    acr: login.acr,
    amr: login.amr,
    authTime: login.auth_time,
    resource,
    scope: resource ? `${code.params.scope} ssh sudo` : code.params.scope,
  });
  await code.save();
  return { client_id: code.clientId, sub: user.sub };
}

async function deny(idp, params) {
  const code = await findCode(idp, params);
  Object.assign(code, { error: 'access_denied', errorDescription: 'End-User aborted interaction' });
  await code.save();
  return { client_id: code.clientId };
}

// The code has run out (expired_token), or with "forget" was never heard of (invalid_grant).
async function expire(idp, params) {
  const code = await findCode(idp, params);
  const isIt = (payload) => payload.userCode === code.userCode;
  if (truth(params.forget, false)) {
    idp.store.deleteWhere((key, payload) => key.startsWith('DeviceCode:') && isIt(payload));
  } else {
    idp.store.find('DeviceCode', isIt).exp = Math.floor(Date.now() / 1000) - 1;
  }
  return { client_id: code.clientId };
}

function last(idp) {
  if (!idp.last) throw new BadRequest('no device authorization yet');
  return idp.last;
}

// ---- what an administrator of the provider would see and do ----

const of = (sub) => (payload) => payload.accountId === sub;

// What a person has approved and not taken back, with the refresh tokens that it gave: "used" are those that were
// replaced by another one, and whoever presents one of them again ends the grant.
function grants(idp, { sub }) {
  const tokens = idp.store.all('RefreshToken', of(sub));
  const those = (id, used) => tokens.filter((t) => t.grantId === id && Boolean(t.consumed) === used).map((t) => t.jti);
  return idp.store.all('Grant', of(sub)).map(({ jti, clientId }) => (
    { id: jti, client_id: clientId, current: those(jti, false), used: those(jti, true) }));
}

function endGrants(idp, { sub }) {
  const ended = grants(idp, { sub }).map(({ id }) => id);
  idp.store.deleteWhere((key, payload) => ended.includes(payload.grantId) || ended.includes(payload.jti));
  return { ended: ended.length };
}

// Browsers in which a person is signed on.
const sessions = (idp, { sub }) => idp.store.all('Session', of(sub)).length;

// ---- what the world would do to the provider ----

class Faults {
  #byPath = new Map();

  add({ path, clear, ...fault }) {
    if (truth(clear, false)) {
      if (path) this.#byPath.delete(path);
      else this.#byPath.clear();
      return {};
    }
    if (!path) throw new BadRequest('a fault needs a path');
    const queue = this.#byPath.get(path) ?? [];
    queue.push({
      times: Number(fault.times ?? 1),
      delay: Number(fault.delay ?? 0),
      status: fault.status === undefined && fault.body !== undefined ? 200 : Number(fault.status ?? 0),
      reset: truth(fault.reset, false),
      type: fault.type ?? 'application/json',
      body: typeof fault.body === 'object' ? JSON.stringify(fault.body) : String(fault.body ?? '{}'),
      headers: fault.headers ?? {},
    });
    this.#byPath.set(path, queue);
    return { queued: queue.length };
  }

  take(path) {
    const queue = this.#byPath.get(path);
    if (!queue?.length) return undefined;
    const [fault] = queue;
    // A negative count lasts until it is cleared.
    if (fault.times > 0) fault.times -= 1;
    if (fault.times === 0) queue.shift();
    return fault;
  }
}

// Answers in the provider's place when a fault says so; false means: go on as if nothing had been.
async function misbehave(fault, req, res) {
  if (fault.delay) await new Promise((resolve) => { setTimeout(resolve, fault.delay); });
  if (fault.reset) {
    req.socket.destroy();
    return true;
  }
  if (!fault.status) return false;
  req.form = Object.fromEntries(new URLSearchParams(await readAll(req)));
  res.writeHead(fault.status, { 'content-type': fault.type, ...fault.headers });
  res.end(fault.body);
  return true;
}

// ---- what the provider has seen ----

class Traffic {
  #hits = {};
  #requests = [];

  record(req, res, path) {
    this.#hits[path] = (this.#hits[path] ?? 0) + 1;
    const entry = { at: Date.now() / 1000, method: req.method, path, url: req.url, headers: req.headers };
    this.#requests.push(entry);
    if (this.#requests.length > REQUESTS_KEPT) this.#requests.shift();
    res.on('close', () => Object.assign(entry, { status: res.statusCode, form: req.form }));
  }

  hits({ reset }) {
    const seen = this.#hits;
    if (truth(reset, false)) {
      this.#hits = {};
      this.#requests = [];
    }
    return seen;
  }

  requests({ path }) { return this.#requests.filter((entry) => !path || entry.path === path); }
}

function changeUsers(idp, { reset, ...changes }) {
  if (!idp.users.change) throw new BadRequest('people are changed in their directory');
  if (truth(reset, false)) idp.users.reset();
  idp.users.change(changes);
  idp.usersChanged();
  return idp.users.names();
}

function changeSettings(idp, changes) {
  for (const [name, value] of Object.entries(changes)) {
    if (!(name in idp.settings)) throw new BadRequest(`no such setting: ${name}`);
    idp.settings[name] = typeof idp.settings[name] === 'number' ? Number(value) : truth(value, true);
  }
  return idp.settings;
}

export function makeHooks(idp) {
  const faults = new Faults();
  const traffic = new Traffic();
  const hooks = {
    approve: (params) => approve(idp, params),
    deny: (params) => deny(idp, params),
    expire: (params) => expire(idp, params),
    last: () => last(idp),
    rotate: ({ keep }) => idp.rotateKeys({ keepOld: truth(keep, true) }),
    users: (params) => changeUsers(idp, params),
    grants: (params) => grants(idp, params),
    end_grants: (params) => endGrants(idp, params),
    sessions: (params) => sessions(idp, params),
    settings: (params) => changeSettings(idp, params),
    fault: (params) => faults.add(params),
    hits: (params) => traffic.hits(params),
    requests: (params) => traffic.requests(params),
  };

  async function answerHook(name, url, req, res) {
    let status = 200;
    let answer;
    try {
      if (!Object.hasOwn(hooks, name)) throw new BadRequest(`no such hook: ${name}`);
      const body = await readAll(req);
      answer = await hooks[name]({ ...Object.fromEntries(url.searchParams), ...(body ? JSON.parse(body) : {}) });
    } catch (error) {
      status = error instanceof BadRequest || error instanceof SyntaxError ? 400 : 500;
      answer = { error: error.message };
      if (status === 500) console.error(`hook ${name}:`, error);
    }
    res.writeHead(status, { 'content-type': 'application/json' });
    res.end(JSON.stringify(answer));
  }

  // True when the request has been answered (or cut off) and the provider must not see it.
  return async (req, res) => {
    const url = new URL(req.url, idp.issuer);
    if (url.pathname.startsWith('/__test/')) {
      await answerHook(url.pathname.slice('/__test/'.length), url, req, res);
      return true;
    }
    traffic.record(req, res, url.pathname);
    const fault = faults.take(url.pathname);
    return fault ? misbehave(fault, req, res) : false;
  };
}
