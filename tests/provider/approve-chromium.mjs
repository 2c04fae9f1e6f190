// SPDX-License-Identifier: Apache-2.0
// The person, with a real browser: headless Chromium that trusts the private authority through its
// own certificate store (no "ignore certificate errors"). Arguments: approve-args.mjs, and
//   --screenshot FILE    a picture (PNG) of the last page; FILE gets the page's name before .png for the others
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { MOST_PAGES, readArguments, report } from './approve-args.mjs';

const args = readArguments({ screenshot: { type: 'string' } });
const CHROMIUM = '/usr/bin/chromium';
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-proxy-server'];

function makeHome() {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'pam-oidc-browser-'));
  const store = `sql:${path.join(home, '.pki/nssdb')}`;
  fs.mkdirSync(path.join(home, '.pki/nssdb'), { recursive: true });
  execFileSync('certutil', ['-d', store, '-N', '--empty-password']);
  execFileSync('certutil', ['-d', store, '-A', '-t', 'C,,', '-n', 'test authority', '-i', args.ca]);
  return home;
}

async function picture(page, name, isLast) {
  if (!args.screenshot) return;
  await page.screenshot({ path: isLast ? args.screenshot : args.screenshot.replace(/(\.png)?$/, `-${name}.png`) });
}

async function fill(page, name) {
  if (name === 'code') await page.fill('input[name=user_code]', args.userCode);
  if (name === 'login') {
    await page.fill('input[name=login]', args.login);
    await page.fill('input[name=password]', args.password);
  }
}

async function walk(page) {
  const pages = [];
  await page.goto(args.url);
  while (pages.length < MOST_PAGES) {
    // The self-submitting page has no name; this waits until it is past.
    await page.waitForSelector('body[data-page]');
    const name = await page.getAttribute('body', 'data-page');
    const again = pages.includes(name);
    pages.push(name);
    const button = page.locator(args.denyAt === name ? '#deny' : '#allow, button[type=submit]').first();
    const isLast = again || name === 'code-refused' || await button.count() === 0;
    await fill(page, isLast ? undefined : name);
    await picture(page, name, isLast);
    if (isLast) break;
    await Promise.all([page.waitForNavigation(), button.click()]);
  }
  return { page: pages.at(-1), title: await page.textContent('h1'), pages };
}

const home = makeHome();
let browser;
try {
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: FLAGS,
    timeout: 30_000,
    env: { ...process.env, HOME: home, XDG_CONFIG_HOME: `${home}/config`, XDG_CACHE_HOME: `${home}/cache` },
  });
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  report(args, await walk(page));
} catch (error) {
  console.error(`approve-chromium.mjs: ${error.message}`);
  process.exitCode = 1;
} finally {
  await browser?.close();
  fs.rmSync(home, { recursive: true, force: true });
}
