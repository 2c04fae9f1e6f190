// SPDX-License-Identifier: Apache-2.0
// The opinions: our verifier and cjose as processes, jose in this one.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { compactVerify, createLocalJWKSet } from "jose";

export const encoded = (text) => Buffer.from(text).toString("base64url");

// A process of `verify`: one answer for each question, in order.
export class Verifier {
  #child;
  #waiting = [];
  #ended = null;
  #unsent = [];

  constructor(program, opinion) {
    this.opinion = opinion;
    this.#child = spawn(program, [opinion], { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#waiting.shift().resolve(line.split("\t")));
    const end = (why) => {
      this.#ended = new Error(`verify ${opinion} ended: ${why}`);
      for (const one of this.#waiting.splice(0)) one.reject(this.#ended);
    };
    this.#child.on("error", (error) => end(error.message));
    this.#child.on("close", (code, signal) => end(signal ?? code));
    this.#child.stdin.on("error", () => {});
  }

  #ask(...fields) {
    if (this.#ended) return Promise.reject(this.#ended);
    // What is asked in one turn goes out in one write.
    if (this.#unsent.push(fields.join("\t")) === 1)
      setImmediate(() => this.#child.stdin.write(`${this.#unsent.splice(0).join("\n")}\n`));
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async keys(set) {
    return (await this.#ask("keys", set.name, encoded(set.document)))[0];
  }

  // { word, payload }: "ok" and what was signed, or why not.
  async token(algorithms, set, token) {
    const [word, payload] = await this.#ask("token", algorithms.join(","), set.name, encoded(token));
    return { word, payload: payload === undefined ? undefined : Buffer.from(payload, "base64url").toString() };
  }

  end() {
    this.#child.stdin.end();
  }
}

// The set as jose gets it.  Two habits of it are about whole sets and about WebCrypto, not about
// tokens: it refuses a set for one member that is no object (we skip that member, as Q37 of our
// list of providers demands), and it cannot import a public key whose key_ops names more than
// "verify".
function setForJose(document) {
  let set;
  try {
    set = JSON.parse(document);
  } catch {
    return undefined;
  }
  if (!Array.isArray(set?.keys)) return undefined;
  const isObject = (one) => one !== null && typeof one === "object" && !Array.isArray(one);
  set.keys = set.keys.filter(isObject);
  for (const jwk of set.keys) {
    const operations = jwk.key_ops;
    const usable = Array.isArray(operations) && operations.includes("verify");
    if (usable && new Set(operations).size === operations.length) jwk.key_ops = ["verify"];
  }
  try {
    return createLocalJWKSet(set);
  } catch {
    return undefined;
  }
}

export class Jose {
  #sets = new Map();

  keys(set) {
    this.#sets.set(set.name, setForJose(set.document));
  }

  // Where several keys could be meant, jose hands them out to be tried in turn.  It counts keys that
  // nobody can use among them; we do not (Q37).
  async #verify(token, keys, options) {
    try {
      return await compactVerify(token, keys, options);
    } catch (error) {
      if (error.code !== "ERR_JWKS_MULTIPLE_MATCHING_KEYS") throw error;
      for await (const key of error) {
        try {
          return { ...(await compactVerify(token, key, options)), tried: true };
        } catch {
          // the next one
        }
      }
      throw error;
    }
  }

  // As jwtVerify does it, without the claims: a signature that holds, over a JSON object.
  async token(algorithms, set, token) {
    const keys = this.#sets.get(set.name);
    if (!keys) return { word: "no key set" };
    try {
      const { payload, tried } = await this.#verify(token, keys, { algorithms });
      const text = new TextDecoder().decode(payload);
      const value = JSON.parse(text);
      if (value === null || typeof value !== "object" || Array.isArray(value)) return { word: "no object" };
      return { word: "ok", payload: text, tried };
    } catch (error) {
      return { word: error.code ?? error.name };
    }
  }
}
