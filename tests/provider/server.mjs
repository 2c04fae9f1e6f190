// SPDX-License-Identifier: Apache-2.0
// node server.mjs --dir STATE_DIR [--port N] [--interval S] [--device-code-ttl S]
//                 [--cert server|badhost|expired] [--directory FILE] [--until-stdin-closes]
//
// Starts the test provider on 127.0.0.1 and prints one line, "READY https://localhost:PORT", once
// it listens. People are those of users.mjs, or of the directory that FILE names (directory.mjs). Keys and certificates are made in STATE_DIR the first time and kept.
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({ options: {
  dir: { type: 'string' },
  port: { type: 'string', default: '0' },
  interval: { type: 'string', default: '5' },
  'device-code-ttl': { type: 'string', default: '600' },
  cert: { type: 'string', default: 'server' },
  'keep-alive': { type: 'string', default: '5' },
  directory: { type: 'string' },
  'until-stdin-closes': { type: 'boolean', default: false },
} });
if (!options.dir) {
  console.error('server.mjs: --dir STATE_DIR is needed');
  process.exit(2);
}

// Standard output carries the READY line and nothing else; oidc-provider likes to print notices
// there (also while it is loaded, hence the imports below this line).
console.log = console.error;
console.info = console.error;
const { Directory } = await import('./directory.mjs');
const { makeHooks } = await import('./hooks.mjs');
const { Idp } = await import('./idp.mjs');
const { ensureKeys } = await import('./keys.mjs');
const { ensurePki } = await import('./pki.mjs');

fs.mkdirSync(options.dir, { recursive: true });
const pki = ensurePki(options.dir);
const keys = ensureKeys(options.dir);
const pem = (name) => fs.readFileSync(path.join(pki, name));

// The issuer names the port, which is known only after listening: requests wait for the provider.
let serve = (_req, res) => res.writeHead(503).end();

const server = https.createServer({
  key: pem(`${options.cert}.key`),
  cert: pem(`${options.cert}.crt`),
  ca: pem('ca.crt'),
  minVersion: 'TLSv1.2',
  // Clients that authenticate by certificate are told apart by oidc-provider, not by the handshake.
  requestCert: true,
  rejectUnauthorized: false,
}, (req, res) => serve(req, res));

server.keepAliveTimeout = Number(options['keep-alive']) * 1000;
server.listen(Number(options.port), '127.0.0.1', () => {
  const issuer = `https://localhost:${server.address().port}`;
  const idp = new Idp({
    issuer,
    keys,
    directory: options.directory && new Directory(options.directory),
    settings: {
      interval: Number(options.interval),
      announce_interval: true,
      slow_down: true,
      complete_uri: true,
      machine_groups: 1,
      device_code_ttl: Number(options['device-code-ttl']),
    },
  });
  const answered = makeHooks(idp);
  serve = async (req, res) => {
    try {
      if (!await answered(req, res)) idp.handle(req, res);
    } catch (error) {
      console.error(`${req.method} ${req.url}:`, error);
      req.socket.destroy();
    }
  };
  process.stdout.write(`READY ${issuer}\n`);
});
server.on('error', (error) => {
  console.error(`server.mjs: ${error.message}`);
  process.exit(1);
});

for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
if (options['until-stdin-closes']) {
  process.stdin.on('close', () => process.exit(0));
  process.stdin.resume();
}
