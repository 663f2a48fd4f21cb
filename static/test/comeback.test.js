import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { Comeback, wayBack } from '../src/comeback.js';

const KEPT = { secret: '07.A', asks: false, grace: 60_000 };

/** The way back after a code, with something kept and the token spent, unless said otherwise. */
const way = (code, { retry = true, kept = KEPT, unspent = false } = {}) =>
  wayBack({ code, retry, words: '', note: '', detail: '' }, kept, unspent);

test('a lost connection and a gateway in trouble are come back from', () => {
  for (const code of ['connection_lost', 'gateway_unreachable', 'browser_lost', 'browser_away',
    'host_lost', 'draining', 'internal', 'rate_limited', 'permissions_changed', 'closed_1012']) {
    assert.equal(way(code), 'by itself', code);
  }
});

test('somebody has to ask for a machine that closed its console or cannot be reached', () => {
  for (const code of ['host_closed', 'host_unreachable', 'host_timeout']) {
    assert.equal(way(code), 'by hand', code);
  }
});

test('what is final is final', () => {
  for (const code of ['resume_expired', 'taken_over', 'resumed_elsewhere', 'idle']) {
    assert.equal(way(code, { retry: false }), 'none', code);
    assert.equal(way(code, { retry: false, unspent: true }), 'none', code);
  }
  assert.equal(way('viewer_failed'), 'none');
});

test('without a secret the token is tried again by hand, until it is spent', () => {
  assert.equal(way('host_unreachable', { kept: null, unspent: true }), 'by hand');
  assert.equal(way('connection_lost', { kept: null, unspent: true }), 'by hand');
  assert.equal(way('connection_lost', { kept: null }), 'none');
});

test('a person who has to give a password is asked for when they are there', () => {
  assert.equal(way('connection_lost', { kept: { ...KEPT, asks: true } }), 'by hand');
});

/** A comeback whose attempts all fail `after` milliseconds. */
let attempts;
let comeback;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  attempts = [];
  comeback = new Comeback(() => attempts.push(Date.now()), () => 1);
});

afterEach(() => mock.timers.reset());

/** Lets every attempt fail until there is none planned any more. */
function failAll(grace) {
  for (let rounds = 0; rounds < 1_000 && comeback.plan(grace); rounds += 1) {
    const before = attempts.length;
    mock.timers.tick(15_000);
    assert.equal(attempts.length, before + 1, 'one attempt a plan, within the longest pause');
  }
}

test('pauses grow to a limit, and the grace ends them', () => {
  const pauses = [];
  while (comeback.plan(60_000)) {
    const planned = Date.now();
    while (attempts.length === pauses.length) {
      mock.timers.tick(500);
    }
    pauses.push(Date.now() - planned);
  }
  assert.deepEqual(pauses, [1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000, 15_000]);
  assert.equal(comeback.underWay, false);
});

test('an attempt can be made at once, and then the planned one is not made', () => {
  comeback.hurry();
  assert.deepEqual(attempts, [], 'none was planned');
  comeback.plan(60_000);
  comeback.hurry();
  comeback.hurry();
  mock.timers.tick(60_000);
  assert.equal(attempts.length, 1);
});

test('whoever leaves is not brought back', () => {
  comeback.plan(60_000);
  comeback.stop();
  mock.timers.tick(60_000);
  assert.deepEqual(attempts, []);
  assert.equal(comeback.underWay, false);
});

test('a connection that breaks at once is not come back to in a hurry, one that held is', () => {
  failAll(3_000);
  comeback.arrived();
  comeback.plan(60_000);
  mock.timers.tick(1_000);
  const before = attempts.length;
  comeback.arrived();
  mock.timers.tick(30_000);
  assert.equal(attempts.length, before);
  comeback.plan(60_000);
  mock.timers.tick(1_000);
  assert.equal(attempts.length, before + 1);
});
