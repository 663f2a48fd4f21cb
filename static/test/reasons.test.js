import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Reasons } from '../src/reasons.js';

const TABLE = new Reasons([
  { code: 'host_auth_failed', close: 4106, retry: false, words: 'Refused.' },
  { code: 'host_closed', close: 4109, retry: true, words: 'Closed.' },
  { code: 'draining', close: 1001, retry: true, words: 'Restarting.' },
]);

/** What is said of an end; whatever is not given is as in an ordinary session. */
const explain = (known) =>
  TABLE.explain({ close: { code: 1006, reason: '' }, opened: true, ...known });

test('the message of the gateway comes first', () => {
  const end = { code: 'host_auth_failed', words: 'No.', note: 'n', detail: 'bad', retry: true };
  const ending = explain({ end, close: { code: 4109, reason: 'host_closed' }, viewer: 'x' });
  assert.deepEqual(ending, end);
});

test('a message without words gets those of the table', () => {
  const end = { code: 'host_closed', words: '', detail: '', retry: false };
  assert.equal(explain({ end }).words, 'Closed.');
});

test('then the close reason, then the close code', () => {
  const byReason = explain({ close: { code: 4999, reason: 'host_closed' } });
  assert.deepEqual(byReason, {
    code: 'host_closed',
    words: 'Closed.',
    note: '',
    detail: '',
    retry: true,
  });
  assert.equal(explain({ close: { code: 4106, reason: '' } }).code, 'host_auth_failed');
  assert.equal(explain({ close: { code: 1001, reason: 'other' } }).code, 'draining');
});

test('a connection cut off is lost, or the gateway was never there', () => {
  assert.deepEqual(explain({}), {
    code: 'connection_lost',
    words: 'The connection to the console gateway was lost.',
    note: '',
    detail: '',
    retry: true,
  });
  assert.equal(explain({ opened: false }).code, 'gateway_unreachable');
});

test('a viewer that gave up is said only when the gateway gave no cause', () => {
  const gaveUp = { viewer: 'Unsupported encoding' };
  for (const code of [1000, 1005, 1006]) {
    const ending = explain({ ...gaveUp, close: { code, reason: '' } });
    assert.equal(ending.code, 'viewer_failed');
    assert.equal(ending.detail, 'Unsupported encoding');
  }
  const told = explain({ ...gaveUp, close: { code: 4106, reason: 'host_auth_failed' } });
  assert.equal(told.code, 'host_auth_failed');
});

test('a person who disconnects is told nothing else', () => {
  const end = { code: 'host_closed', words: 'x', detail: '', retry: false };
  assert.equal(explain({ byPerson: true, end }).code, 'browser_closed');
});

test('a code that nobody knows is shown as it is', () => {
  const ending = explain({ close: { code: 4999, reason: '<b>' } });
  assert.equal(ending.code, 'closed_4999');
  assert.equal(ending.detail, '<b>');
});

test('a table that cannot be read leaves the page its own words', () => {
  for (const json of [undefined, '', '{', 'null', '{}']) {
    const reasons = Reasons.parse(json);
    const lost = { close: { code: 1006, reason: '' }, opened: true };
    assert.equal(reasons.explain(lost).code, 'connection_lost');
    assert.equal(reasons.named('host_closed').words, 'The console ended.');
  }
});
