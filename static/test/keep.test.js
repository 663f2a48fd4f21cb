import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Keep } from '../src/keep.js';

/** A tab: its storage, its address bar, and one page after the other. */
class Tab {
  stored = new Map();
  href = 'https://c.example/pre/novnc?a=1#here';

  get storage() {
    const { stored } = this;
    return {
      getItem: (key) => stored.get(key) ?? null,
      setItem: (key, value) => stored.set(key, value),
      removeItem: (key) => stored.delete(key),
      key: (index) => [...stored.keys()][index] ?? null,
      get length() {
        return stored.size;
      },
    };
  }

  /** What the page holds after a load of the present address. */
  load() {
    const tab = this;
    const history = {
      state: null,
      replaceState: (_, __, url) => {
        tab.href = new URL(url, tab.href).href;
      },
    };
    const keep = new Keep(() => tab.storage, { get href() { return tab.href; } }, history);
    keep.find();
    return keep;
  }
}

const held = (secret) => ({ secret, asks: false, grace: 5_000 });

test('a reload finds what was kept, the latest of it', () => {
  const tab = new Tab();
  const page = tab.load();
  assert.equal(page.kept, null);
  page.hold(held('07.A'));
  page.hold({ secret: '07.B', asks: true, grace: null });
  assert.equal(tab.href, 'https://c.example/pre/novnc?a=1&session=07#here');
  assert.deepEqual(tab.load().kept, { secret: '07.B', asks: true, grace: 300_000 });
});

test('the secret is in no address', () => {
  const tab = new Tab();
  tab.load().hold(held('07.s3cret'));
  assert.ok(!tab.href.includes('s3cret'));
});

test('two consoles in one tab do not mix', () => {
  const tab = new Tab();
  tab.load().hold(held('01.A'));
  const first = tab.href;
  tab.href = 'https://c.example/pre/novnc';
  tab.load().hold(held('02.B'));
  assert.equal(tab.load().kept.secret, '02.B');
  tab.href = first;
  assert.equal(tab.load().kept.secret, '01.A');
});

test('what is forgotten stays forgotten, and only that', () => {
  const tab = new Tab();
  tab.load().hold(held('01.A'));
  const first = tab.href;
  tab.load().hold(held('02.B'));
  const page = tab.load();
  page.forget();
  page.forget();
  assert.equal(page.kept, null);
  assert.equal(tab.load().kept, null);
  tab.href = first;
  assert.equal(tab.load().kept.secret, '01.A');
});

test('a copied address finds nothing in another tab', () => {
  const tab = new Tab();
  tab.load().hold(held('07.A'));
  const other = new Tab();
  other.href = tab.href;
  assert.equal(other.load().kept, null);
  assert.equal(other.load().named, '07');
});

test('nonsense in the storage is nothing', () => {
  for (const entry of ['', '{', 'null', '[]', '{"secret":7,"grace":1}', '{"secret":"07.A"}',
    '{"secret":"08.A","grace":1}']) {
    const tab = new Tab();
    tab.href = 'https://c.example/novnc?session=07';
    tab.stored.set('fanlight.resume.07', entry);
    assert.equal(tab.load().kept, null, entry);
  }
});

test('a tab does not collect secrets without end, and leaves alone what is not ours', () => {
  const tab = new Tab();
  tab.stored.set('portal', 'x');
  for (let n = 0; n < 40; n += 1) {
    tab.load().hold(held(`${n}.A`));
  }
  assert.equal(tab.stored.size, 17);
  assert.equal(tab.stored.get('portal'), 'x');
  assert.equal(tab.load().kept.secret, '39.A', 'the newest is there');
});

test('without a storage the secret lives in memory', () => {
  const tab = new Tab();
  const keep = new Keep(
    () => {
      throw new Error('SecurityError');
    },
    { href: 'https://c.example/novnc?session=07' },
    { state: null, replaceState() {} },
  );
  keep.find();
  assert.equal(keep.kept, null);
  keep.hold(held('07.A'));
  assert.equal(keep.kept.secret, '07.A');
  keep.forget();
  assert.equal(keep.kept, null);
  assert.equal(tab.stored.size, 0);
});
