// SPDX-License-Identifier: Apache-2.0
//
// differential.mjs VERIFY [--count N] [--seed N] [--opinion NAME]
//
// Makes N tokens, most of them wrong, and compares what VERIFY (differential/verify) and npm jose
// say about each, and cjose where either accepts an RS, PS or ES token.  Exit 1: a disagreement,
// printed with all that is needed to repeat it.
import { parseArgs } from "node:util";

import { Tally, stricter } from "./compare.mjs";
import { algorithms, goodSets, makeKeys } from "./keys.mjs";
import { editSet, editText, makeToken } from "./mutations.mjs";
import { randomFrom } from "./random.mjs";
import { Jose, Verifier } from "./verifier.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: "string", default: "100000" }, seed: { type: "string" }, opinion: { type: "string", default: "product" } },
});
const [program] = positionals;
const count = Number(values.count);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
if (!program || !Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) {
  console.error("usage: differential.mjs VERIFY [--count N] [--seed N] [--opinion NAME]");
  process.exit(64);
}
console.log(`seed ${seed}`);

Error.stackTraceLimit = 0; // jose says no by exceptions, tens of thousands of them

const editedSets = 400;
const pooled = 500;
const batch = 250;

const r = randomFrom(seed);
const keys = makeKeys();
const product = new Verifier(program, values.opinion);
const cjose = new Verifier(program, "cjose");
const jose = new Jose();

const good = goodSets(keys);
const sets = good.map((members) => ({ members, document: JSON.stringify({ keys: members.map(({ jwk }) => jwk) }), how: "" }));
for (let i = 0; i < editedSets; ++i) sets.push(editSet(r, r.pick(good)));
for (const [i, set] of sets.entries()) {
  set.name = String(i);
  jose.keys(set);
  await Promise.all([product.keys(set), cjose.keys(set)]);
}

// What takes long to sign is rarer where each token is signed; the pool has more of it.
const weights = { ES256: 30, EdDSA: 30, RS256: 2, PS256: 2, RS384: 0.5, RS512: 0.5, PS384: 0.5, PS512: 0.5, ES384: 1, ES512: 1 };
const algorithmSets = [algorithms, algorithms, algorithms, algorithms, ["RS256"], ["ES256", "EdDSA"]];

function chosen(fromGood, pooling) {
  for (;;) {
    const set = fromGood ? sets[r.below(good.length)] : sets[good.length + r.below(sets.length - good.length)];
    if (!set.members.length) continue;
    const member = r.pick(set.members);
    const possible = member.key.algorithms;
    const bound = possible.includes(member.jwk.alg) && r.chance(0.9);
    const alg = bound ? member.jwk.alg : r.weighted(possible.map((one) => [weights[one], one]));
    if (!r.chance(pooling ? Math.min(1, weights[alg] / 4) : weights[alg] / 30)) continue;
    return { set, member, alg, keys, allowed: r.pick(algorithmSets) };
  }
}

function scratch(fromGood, kind) {
  const choice = chosen(fromGood, kind === "pool");
  const { token, how } = makeToken(r, choice, kind);
  return { token, how: choice.set.how ? `${choice.set.how} ${how}` : how, set: choice.set, allowed: choice.allowed };
}

const pool = Array.from({ length: pooled }, () => scratch(true, "pool"));

function next() {
  const [fromGood, kind] = r.weighted([
    [4, [true, "none"]],
    [10, [false, "none"]],
    [12, [true, "header"]],
    [2, [false, "header"]],
    [10, [true, "json"]],
    [4, [true, "bytes"]],
    [8, [true, "signature"]],
    [50, [true, "text"]],
  ]);
  if (kind !== "text") return scratch(fromGood, kind);
  const one = r.pick(pool);
  let made = editText(r, one.token, r.pick(pool).token);
  if (r.chance(0.2)) {
    const again = made.token ? editText(r, made.token, one.token) : made;
    made = { token: again.token, how: `${made.how} ${again.how}` };
  }
  return { ...made, set: one.set, allowed: one.allowed };
}

const knownToCjose = (token) => {
  try {
    return /^(RS|PS|ES)(256|384|512)$/.test(JSON.parse(Buffer.from(token.split(".")[0], "base64url")).alg);
  } catch {
    return false;
  }
};

const tally = new Tally();
async function judge({ token, how, set, allowed }) {
  const [ours, theirs] = await Promise.all([product.token(allowed, set, token), jose.token(allowed, set, token)]);
  const third = (ours.word === "ok" || theirs.word === "ok") && knownToCjose(token) ? await cjose.token(allowed, set, token) : undefined;
  tally.add({ how, token, allowed: allowed.join(), keys: set.document }, ours, theirs, third);
}

const started = process.hrtime.bigint();
for (let done = 0; done < count; done += batch) {
  await Promise.all(Array.from({ length: Math.min(batch, count - done) }, () => judge(next())));
}
product.end();
cjose.end();

const seconds = Number(process.hrtime.bigint() - started) / 1e9;
const byCount = (map) => [...map].sort((a, b) => (b[1].count ?? b[1]) - (a[1].count ?? a[1]));
console.log(`${tally.tokens} tokens in ${seconds.toFixed(1)} s: ${tally.both} accepted by both, ${tally.neither} by neither`);
console.log(`cjose was asked about ${tally.cjose}; it accepts ${tally.cjoseToo} that we refuse`);
console.log(`our answers: ${byCount(tally.reasons).map(([word, n]) => `${word} ${n}`).join(", ")}`);
console.log("refused by us, accepted by jose:");
for (const [word, { count: n, by }] of byCount(tally.classes)) {
  const most = byCount(by).slice(0, 4).map(([how, m]) => `${how} ${m}`).join(", ");
  console.log(`  ${word} ${n}: ${stricter[word] ?? "NOT ON THE LIST"} (${most})`);
}
const kinds = new Map();
for (const one of tally.found) kinds.set(`${one.what} [${one.how}]`, [...(kinds.get(`${one.what} [${one.how}]`) ?? []), one]);
for (const [kind, all] of [...kinds].slice(0, 20)) {
  console.log(`DISAGREEMENT, ${all.length} times: ${kind}`);
  console.log(`  algorithms ${all[0].allowed}\n  keys ${all[0].keys}\n  token ${JSON.stringify(all[0].token)}`);
}
if (tally.tooOneSided()) console.log("DISAGREEMENT: too few tokens are accepted, or refused, for the run to say anything");
console.log(`${tally.found.length} disagreements`);
process.exitCode = tally.found.length || tally.tooOneSided() ? 1 : 0;
