// Logs in to VNC hosts with noVNC itself, in a real Chromium, without any gateway: what the tests'
// own hosts say is held against a client that others wrote. tests/common/stock_novnc.rs holds the
// other end: a JSON list of logins as the argument, a JSON list of outcomes on standard output.
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const NOVNC = new URL('../../static/node_modules/@novnc/novnc/', import.meta.url);
// A loopback address is a secure context, where a page has cryptography.
const ORIGIN = 'http://127.0.0.1';
const DEADLINE = 15_000;

const args = ['--disable-gpu', '--no-first-run', '--disable-background-networking'];
// Chromium's sandbox does not run as root.
if (process.getuid() === 0) args.push('--no-sandbox');

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args });
const page = await browser.newPage();

await page.route(`${ORIGIN}/**`, async (route) => {
  const path = new URL(route.request().url()).pathname.slice(1);
  if (path === '') {
    await route.fulfill({ contentType: 'text/html', body: '<!doctype html><div id="screen"></div>' });
    return;
  }
  const body = await readFile(fileURLToPath(new URL(path, NOVNC)));
  await route.fulfill({ contentType: 'text/javascript', body });
});

// The page's WebSockets end here, and go on as TCP to the port in their path.
await page.routeWebSocket(/^ws:\/\/127\.0\.0\.1\/\d+$/, (socket) => {
  const host = connect(Number(new URL(socket.url()).pathname.slice(1)), '127.0.0.1');
  host.on('data', (bytes) => socket.send(bytes));
  host.on('close', () => socket.close());
  host.on('error', () => socket.close());
  socket.onMessage((bytes) => host.write(bytes));
  socket.onClose(() => host.destroy());
});

await page.goto(`${ORIGIN}/`);
const outcomes = [];
for (const login of JSON.parse(process.argv[2])) {
  outcomes.push(await page.evaluate(async ({ origin, deadline, port, credentials, repeaterID }) => {
    const { default: RFB } = await import(`${origin}/core/rfb.js`);
    const socket = new WebSocket(`ws://127.0.0.1/${port}`);
    // noVNC looks for these on a socket and its class; Playwright has them further up.
    for (const name of ['send', 'close', 'binaryType', 'onerror', 'onmessage', 'onopen', 'protocol',
      'readyState']) {
      let holder = socket;
      while (!Object.hasOwn(holder, name)) holder = Object.getPrototypeOf(holder);
      const property = Object.getOwnPropertyDescriptor(holder, name);
      Object.defineProperty(socket, name, { ...property, enumerable: true });
    }
    const rfb = new RFB(document.getElementById('screen'), socket, { credentials, repeaterID });
    const outcome = {};
    await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(outcome.late = true), deadline);
      rfb.addEventListener('desktopname', (e) => { outcome.name = e.detail.name; });
      rfb.addEventListener('connect', () => { outcome.connected = true; rfb.disconnect(); });
      rfb.addEventListener('securityfailure', (e) => { outcome.refused = e.detail.reason ?? ''; });
      rfb.addEventListener('credentialsrequired', (e) => {
        outcome.required = e.detail.types;
        rfb.disconnect();
      });
      rfb.addEventListener('disconnect', () => { clearTimeout(timer); resolve(); });
    });
    return outcome;
  }, { ...login, origin: ORIGIN, deadline: DEADLINE }));
}
process.stdout.write(`${JSON.stringify(outcomes)}\n`);
await browser.close();
