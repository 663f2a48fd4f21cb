// Drives a real Chromium for the tests: one JSON command a line on standard input, one JSON
// answer a line on standard output. tests/common/chromium.rs holds the other end.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const args = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
// Chromium's sandbox does not run as root.
if (process.getuid() === 0) args.push('--no-sandbox');

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args });
let context;
let page;
let seen;
/** The tabs of the context in the order in which they were opened: `page` and `seen` of each. */
let tabs = [];

/** Goes on with this tab. */
function turnTo(tab) {
  ({ page, seen } = tab);
}

/** Takes a new page up as a tab and goes on with it. */
function addTab(opened) {
  const tab = { page: opened, seen: { network: [], sent: [], problems: [], addresses: [] } };
  watch(tab.page, tab.seen);
  tabs.push(tab);
  turnTo(tab);
}

const commands = {
  /** Opens a page in a context of its own, and keeps account of all that it does. */
  async open({ url, width = 1024, height = 768 }) {
    await context?.close();
    tabs = [];
    context = await browser.newContext({ viewport: { width, height }, ignoreHTTPSErrors: true });
    return commands.tab({ url });
  },
  /** Opens a page in a further tab of the same window. */
  async tab({ url }) {
    addTab(await context.newPage());
    const response = await page.goto(url, { waitUntil: 'domcontentloaded' });
    return { status: response.status(), headers: await response.allHeaders() };
  },
  /** Opens the page once more in a tab that gets a copy of its session storage. */
  async duplicate() {
    const opened = context.waitForEvent('page');
    await page.evaluate(() => void window.open(location.href));
    addTab(await opened);
    await page.waitForLoadState('domcontentloaded');
    return {};
  },
  /** Goes on with the tab that was opened as the `index`th, from 0. */
  async turn({ index }) {
    turnTo(tabs[index]);
    await page.bringToFront();
    return {};
  },
  /** Loads the page again. */
  async reload() {
    const response = await page.reload({ waitUntil: 'domcontentloaded' });
    return { status: response.status() };
  },
  /** Waits until the console's state is one of `states`. */
  async state({ states, timeout }) {
    try {
      await page.waitForFunction(
        (wanted) => wanted.includes(document.documentElement.dataset.state), states, { timeout });
    } catch (error) {
      if (error.name !== 'TimeoutError') throw error;
    }
    return page.evaluate(() => ({ ...document.documentElement.dataset }));
  },
  /** Waits until a person can read `text`; answers with all that can be read. */
  async reads({ text, timeout }) {
    try {
      await page.waitForFunction((t) => document.body.innerText.includes(t), text, { timeout });
    } catch (error) {
      if (error.name !== 'TimeoutError') throw error;
    }
    return page.evaluate(() => ({ text: document.body.innerText }));
  },
  /** All that is known about the page. */
  async report() {
    const now = await page.evaluate(() => ({
      href: location.href,
      title: document.title,
      text: document.body.innerText,
      state: document.documentElement.dataset.state ?? '',
      reason: document.documentElement.dataset.reason ?? '',
      stored: JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie,
    }));
    return { ...now, ...seen };
  },
  /** The canvas as a PNG file, pixel for pixel, and where it lies on the page. */
  async canvas({ file }) {
    const { url, box } = await page.evaluate(() => {
      const canvas = document.querySelector('canvas');
      if (!canvas) return {};
      const { x, y, width, height } = canvas.getBoundingClientRect();
      return { url: canvas.toDataURL('image/png'), box: { x, y, width, height } };
    });
    if (!url) return { there: false };
    writeFileSync(file, Buffer.from(url.slice(url.indexOf(',') + 1), 'base64'));
    return { there: true, box };
  },
  /** Types a text key by key. */
  async type({ text }) {
    await page.keyboard.type(text, { delay: 20 });
    return {};
  },
  /** Presses one key, such as `Enter` or `Control+Alt+Delete`. */
  async press({ key }) {
    await page.keyboard.press(key);
    return {};
  },
  /** Puts one key down and leaves it there. */
  async down({ key }) {
    await page.keyboard.down(key);
    return {};
  },
  /** Clicks the button that has this name for a person. */
  async click({ name }) {
    await page.getByRole('button', { name, exact: true }).click({ timeout: 3000 });
    return {};
  },
  /** Clicks into the middle of the machine's screen. */
  async clickScreen() {
    await page.locator('canvas').click({ timeout: 3000 });
    return {};
  },
  /**
   * Sets noVNC's own `viewOnly`, as a person can who has the browser's console: the page keeps noVNC to
   * itself, but its class is there for every script, and a moving mouse tells which object is in use.
   */
  async viewOnly({ on }) {
    await page.evaluate(async () => {
      const bundle = new URL(document.documentElement.dataset.novnc, document.baseURI);
      const { default: RFB } = await import(String(bundle));
      const original = RFB.prototype._handleMouseMove;
      RFB.prototype._handleMouseMove = function (...args) {
        globalThis.rfb = this;
        RFB.prototype._handleMouseMove = original;
        return original.apply(this, args);
      };
    });
    await page.mouse.move(0, 0);
    await page.locator('canvas').hover({ timeout: 3000 });
    await page.waitForFunction(() => globalThis.rfb, undefined, { timeout: 3000 });
    return page.evaluate((value) => {
      const before = globalThis.rfb.viewOnly;
      globalThis.rfb.viewOnly = value;
      return { before };
    }, on);
  },
  /** Names of the buttons that can be seen. */
  async buttons() {
    const names = [];
    for (const button of await page.getByRole('button').all()) {
      if (await button.isVisible()) {
        names.push((await button.getAttribute('aria-label')) ?? (await button.innerText()));
      }
    }
    return { names };
  },
  /** A picture of the whole page, for a person to look at. */
  async screenshot({ file }) {
    mkdirSync(dirname(file), { recursive: true });
    await page.screenshot({ path: file });
    return {};
  },
};

/** Notes requests, WebSockets, complaints and addresses as they happen. */
function watch(target, notes) {
  target.on('request', (r) => notes.network.push({ kind: r.resourceType(), url: r.url() }));
  target.on('websocket', (w) => {
    notes.network.push({ kind: 'websocket', url: w.url() });
    w.on('framesent', ({ payload }) => notes.sent.push(Buffer.from(payload)[0]));
  });
  target.on('framenavigated', (f) => notes.addresses.push(f.url()));
  target.on('pageerror', (e) => notes.problems.push(`uncaught: ${e.stack ?? e}`));
  target.on('requestfailed', (r) => notes.problems.push(`failed: ${r.url()}`));
  // Chromium reports a violation of the content security policy as an error on the console.
  target.on('console', (m) => {
    if (['error', 'warning', 'assert'].includes(m.type())) notes.problems.push(m.text());
  });
}

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
say({ ready: browser.version() });
for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...rest } = JSON.parse(line);
  try {
    say({ ok: await commands[name](rest) });
  } catch (error) {
    say({ error: String(error.stack ?? error) });
  }
}
await browser.close();
