// SPDX-License-Identifier: Apache-2.0
// The command line that approve.mjs and approve-chromium.mjs share:
//   --ca FILE --login NAME [--password WORD] [--decision approve|deny|deny-login|deny-consent] [--user-code CODE] URL
// "deny" refuses at the first page, deny-login at the sign-on page, deny-consent after signing on.
import fs from 'node:fs';
import { parseArgs } from 'node:util';

// At which page each decision presses Deny.
const DENY_AT = { approve: undefined, deny: 'confirm', 'deny-login': 'login', 'deny-consent': 'consent' };

// More pages than any sign-in has: past that the script goes in circles.
export const MOST_PAGES = 12;

export function readArguments(extra = {}) {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: {
    ca: { type: 'string' },
    login: { type: 'string', default: '' },
    password: { type: 'string', default: 'any password' },
    decision: { type: 'string', default: 'approve' },
    'user-code': { type: 'string', default: '' },
    ...extra,
  } });
  if (!values.ca || positionals.length !== 1 || !Object.hasOwn(DENY_AT, values.decision)) {
    console.error(`usage: ${process.argv[1]} --ca FILE --login NAME [--decision ${Object.keys(DENY_AT).join('|')}]`
      + ' [--user-code CODE] URL');
    process.exit(2);
  }
  return {
    ...values,
    url: positionals[0],
    caText: fs.readFileSync(values.ca),
    userCode: values['user-code'],
    denyAt: DENY_AT[values.decision],
    // The page that says that the decision was carried out.
    goal: values.decision === 'approve' ? 'done' : 'denied',
  };
}

// One line of JSON about how it ended; the exit code says whether that is what was wanted.
export function report(wanted, ended) {
  console.log(JSON.stringify(ended));
  process.exitCode = ended.page === wanted.goal ? 0 : 1;
}
