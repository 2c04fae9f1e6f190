// SPDX-License-Identifier: Apache-2.0
// The private certificate authority below STATE_DIR/pki, made once by openssl:
//   ca       what a client has to trust
//   server   the right certificate for localhost, 127.0.0.1 and ::1
//   badhost  signed by the same authority, but for another host name
//   expired  for the right names, out of date since the moment it was made
//   client   for mutual TLS (client "linux-login-mtls" and "machine-mtls")
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const LOCAL_NAMES = 'DNS:localhost,IP:127.0.0.1,IP:::1';
const SERVER = 'serverAuth';
const CLIENT = 'clientAuth';
export const CLIENT_SUBJECT = 'O=pam-oidc tests,CN=machine1';

const LEAVES = [
  { name: 'server', subject: '/CN=localhost', names: LOCAL_NAMES, usage: SERVER, days: 825 },
  { name: 'badhost', subject: '/CN=other.test', names: 'DNS:other.test', usage: SERVER, days: 825 },
  { name: 'expired', subject: '/CN=localhost', names: LOCAL_NAMES, usage: SERVER, days: 0 },
  { name: 'client', subject: '/O=pam-oidc tests/CN=machine1', names: 'DNS:machine1.test', usage: CLIENT, days: 825 },
];

function makeAuthority(openssl) {
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ca.key');
  openssl('req', '-x509', '-new', '-key', 'ca.key', '-sha256', '-days', '3650',
    '-subj', '/O=pam-oidc tests/CN=Test CA',
    '-addext', 'basicConstraints=critical,CA:TRUE,pathlen:0',
    '-addext', 'keyUsage=critical,keyCertSign,cRLSign', '-out', 'ca.crt');
}

function makeLeaf(openssl, dir, leaf) {
  const file = (suffix) => `${leaf.name}.${suffix}`;
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', file('key'));
  openssl('req', '-new', '-key', file('key'), '-subj', leaf.subject, '-out', file('csr'));
  fs.writeFileSync(path.join(dir, file('ext')), [
    'basicConstraints=CA:FALSE',
    'keyUsage=digitalSignature',
    `extendedKeyUsage=${leaf.usage}`,
    `subjectAltName=${leaf.names}`,
    '',
  ].join('\n'));
  openssl('x509', '-req', '-in', file('csr'), '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial',
    '-days', String(leaf.days), '-sha256', '-extfile', file('ext'), '-out', file('crt'));
}

// Makes the directory when it is not there, and returns its path. It is built beside its final
// place and renamed, so that a start that was interrupted leaves no half of it behind.
export function ensurePki(stateDir) {
  const dir = path.join(stateDir, 'pki');
  if (fs.existsSync(path.join(dir, 'ca.crt'))) return dir;

  const draft = fs.mkdtempSync(path.join(stateDir, 'pki-'));
  const openssl = (...args) => execFileSync('openssl', args, { cwd: draft, stdio: ['ignore', 'ignore', 'pipe'] });
  makeAuthority(openssl);
  for (const leaf of LEAVES) makeLeaf(openssl, draft, leaf);
  for (const name of fs.readdirSync(draft)) {
    // The broker under test reads ca.crt as an unprivileged user.
    fs.chmodSync(path.join(draft, name), name.endsWith('.key') ? 0o600 : 0o644);
  }
  fs.chmodSync(draft, 0o755);
  fs.renameSync(draft, dir);
  return dir;
}
