import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { Move } from '../src/move.js';

let attempts;
let move;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  attempts = [];
  move = new Move(() => attempts.push(Date.now()), () => 1);
});

afterEach(() => mock.timers.reset());

test('the first attempt comes within half a second, however often it is asked for', () => {
  move.begin();
  move.begin();
  mock.timers.tick(500);
  assert.deepEqual(attempts, [500]);
  mock.timers.tick(60_000);
  assert.equal(attempts.length, 1, 'and no other without a failure');
});

test('pauses grow up to a bound', () => {
  move.begin();
  mock.timers.tick(500);
  for (let failures = 0; failures < 8; failures += 1) {
    move.again();
    mock.timers.tick(8_000);
    assert.equal(attempts.length, failures + 2);
  }
  const waited = () => {
    move.again();
    const before = Date.now();
    mock.timers.tick(7_999);
    assert.equal(attempts.at(-1) <= before, true, 'not earlier');
    mock.timers.tick(1);
    return attempts.at(-1) - before;
  };
  assert.equal(waited(), 8_000);
});

test('what has stopped makes no attempt, until the gateway asks anew', () => {
  move.begin();
  move.stop();
  move.again();
  mock.timers.tick(60_000);
  assert.deepEqual(attempts, []);
  move.begin();
  mock.timers.tick(500);
  assert.equal(attempts.length, 1);
});
