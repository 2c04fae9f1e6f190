// SPDX-License-Identifier: Apache-2.0
// Where oidc-provider keeps codes, tokens, grants and sessions: in memory, in one store that
// outlives the Provider object (key rotation makes a new one) and that the test hooks may touch.

// An expired device code stays known for a while, so that a client hears expired_token as it
// would from PingFederate, and not that the code never existed.
const KEEP_EXPIRED_MS = 600_000;
const SWEEP_ABOVE = 5_000;

export class Store {
  #records = new Map();

  adapter = (model) => new Adapter(model, this);

  set(key, payload, expiresIn) {
    if (this.#records.size > SWEEP_ABOVE) this.#sweep();
    const until = typeof expiresIn === 'number' ? Date.now() + expiresIn * 1000 : Infinity;
    this.#records.set(key, { payload, until });
  }

  get(key) {
    const record = this.#records.get(key);
    if (!record) return undefined;
    const grace = key.startsWith('DeviceCode:') ? KEEP_EXPIRED_MS : 0;
    return Date.now() < record.until + grace ? record.payload : undefined;
  }

  // The first payload of a model that the predicate accepts.
  find(model, accepts) {
    for (const [key, { payload }] of this.#records) {
      if (key.startsWith(`${model}:`) && accepts(payload)) return this.get(key);
    }
    return undefined;
  }

  // All payloads of a model that the predicate accepts.
  all(model, accepts) {
    return [...this.#records].filter(([key, { payload }]) => key.startsWith(`${model}:`) && accepts(payload))
      .map(([key]) => this.get(key)).filter((payload) => payload !== undefined);
  }

  delete(key) { this.#records.delete(key); }

  deleteWhere(accepts) {
    for (const [key, { payload }] of this.#records) if (accepts(key, payload)) this.#records.delete(key);
  }

  #sweep() {
    const now = Date.now();
    for (const [key, { until }] of this.#records) {
      if (until + KEEP_EXPIRED_MS < now) this.#records.delete(key);
    }
  }
}

// oidc-provider's storage interface for one model.
class Adapter {
  #model;
  #store;

  constructor(model, store) {
    this.#model = model;
    this.#store = store;
  }

  #key(id) { return `${this.#model}:${id}`; }

  async upsert(id, payload, expiresIn) { this.#store.set(this.#key(id), payload, expiresIn); }

  async find(id) { return this.#store.get(this.#key(id)); }

  async findByUid(uid) { return this.#store.find(this.#model, (p) => p.uid === uid); }

  async findByUserCode(userCode) { return this.#store.find(this.#model, (p) => p.userCode === userCode); }

  async consume(id) { this.#store.get(this.#key(id)).consumed = Math.floor(Date.now() / 1000); }

  async destroy(id) { this.#store.delete(this.#key(id)); }

  async revokeByGrantId(grantId) {
    // The grant itself is a record of its own that oidc-provider destroys by its id.
    this.#store.deleteWhere((key, p) => !key.startsWith('Grant:') && p.grantId === grantId);
  }
}
