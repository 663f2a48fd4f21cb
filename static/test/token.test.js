import assert from 'node:assert/strict';
import { test } from 'node:test';

import { takeToken } from '../src/token.js';

/** Takes the token out of `href` and tells what the address bar says afterwards. */
function take(href) {
  const replaced = [];
  const history = {
    state: { kept: true },
    replaceState: (state, _, url) => replaced.push([state, url]),
  };
  return { token: takeToken({ href }, history), replaced };
}

test('the token leaves the address and the history entry stays', () => {
  const { token, replaced } = take('https://c.example/pre/novnc?token=fl1.k1.Ab-_9');
  assert.equal(token, 'fl1.k1.Ab-_9');
  assert.deepEqual(replaced, [[{ kept: true }, '/pre/novnc']]);
});

test('other parameters and the fragment stay', () => {
  const { replaced } = take('https://c.example/novnc?a=1&token=t&b=2#here');
  assert.equal(replaced[0][1], '/novnc?a=1&b=2#here');
});

test('every copy of a repeated token leaves', () => {
  const { token, replaced } = take('https://c.example/novnc?token=one&token=two');
  assert.equal(token, 'one');
  assert.equal(replaced[0][1], '/novnc');
});

test('an address without a token is left alone', () => {
  const { token, replaced } = take('https://c.example/novnc?tok=x');
  assert.equal(token, null);
  assert.deepEqual(replaced, []);
});

test('an empty token is none, and leaves as well', () => {
  const { token, replaced } = take('https://c.example/novnc?token=');
  assert.equal(token, null);
  assert.equal(replaced.length, 1);
});
