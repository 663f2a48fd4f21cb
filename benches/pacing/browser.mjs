// One visit of Chromium to a console whose machine paints: how many frames it shows, and how long a key's
// echo takes.
//
//     browser.mjs SECONDS KEYS
//
// The console's URL, a secret, comes on standard input.
//
// The measuring is done in the page. noVNC draws an update at once into the canvas that is seen; behind
// each of these drawings the pixel of the frame's number is looked at, and the one of the echo.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// The packages of the tests.
const { chromium } = createRequire(new URL('../../tests/browser/', import.meta.url))('playwright-core');

const [seconds, keys] = process.argv.slice(2);
const url = readFileSync(0, 'utf8').trim();
const PAUSES = [137, 211, 169, 253, 191];

const args = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
if (process.getuid() === 0) args.push('--no-sandbox');
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args });
const page = await browser.newPage();
page.setDefaultTimeout(60_000);

await page.addInitScript(() => {
  const FRAME = [4, 4];
  const ECHO = [616, 370];
  const seen = { frames: 0, trips: [], pressed: undefined };
  const last = {};
  globalThis.measured = seen;
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function drawImage(...given) {
    draw.apply(this, given);
    if (!this.canvas.isConnected || this.canvas.width !== 640) return;
    const changed = (what, place) => {
      const now = this.getImageData(...place, 1, 1).data.join();
      const before = last[what];
      last[what] = now;
      return before !== undefined && before !== now;
    };
    if (changed('frame', FRAME)) seen.frames += 1;
    if (changed('echo', ECHO) && seen.pressed !== undefined) {
      seen.trips.push(performance.now() - seen.pressed);
      seen.pressed = undefined;
    }
  };
  addEventListener('keydown', () => { seen.pressed = performance.now(); }, { capture: true });
});

const wait = (ms) => new Promise((done) => { setTimeout(done, ms); });
const frames = () => page.evaluate(() => globalThis.measured.frames);

/** Presses a key, and waits for its echo. */
async function press(key) {
  const before = await page.evaluate(() => globalThis.measured.trips.length);
  await page.keyboard.press(key);
  await page.waitForFunction((n) => globalThis.measured.trips.length > n, before);
}

/** How long echoes take, in milliseconds. */
async function echoes() {
  await page.evaluate(() => { globalThis.measured.trips.length = 0; });
  for (let n = 0; n < Number(keys); n += 1) {
    await press('a');
    await wait(PAUSES[n % PAUSES.length]);
  }
  return page.evaluate(() => globalThis.measured.trips.slice());
}

await page.goto(url);
await page.waitForFunction(() => document.documentElement.dataset.state === 'connected');
await page.waitForFunction(() => document.querySelector('canvas')?.width === 640);
await wait(1000);
await press('b');
const still = await echoes();
await press('Space');
// The window finds its size, and the host its pace.
await wait(3000);
const started = performance.now();
const before = await frames();
await wait(1000 * Number(seconds));
const rate = (await frames() - before) / ((performance.now() - started) / 1000);
const painting = await echoes();
await press('Space');
console.log(JSON.stringify({ rate, still, painting }));
await browser.close();
