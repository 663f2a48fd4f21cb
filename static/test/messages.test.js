import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readMessage } from '../src/messages.js';

test('every message', () => {
  assert.deepEqual(readMessage('{"v":1,"type":"connected","name":"web-01"}'), {
    type: 'connected',
    name: 'web-01',
    resume: '',
    grace: null,
  });
  assert.deepEqual(readMessage('{"v":1,"type":"connected","resume":"07.A","grace":300}'), {
    type: 'connected',
    name: '',
    resume: '07.A',
    grace: 300,
  });
  assert.deepEqual(readMessage('{"v":1,"type":"rtt","ms":12.5,"later":1}'), {
    type: 'rtt',
    ms: 12.5,
  });
  assert.deepEqual(readMessage('{"v":1,"type":"idle_soon","seconds":60}'), {
    type: 'idle_soon',
    seconds: 60,
  });
  assert.deepEqual(readMessage('{"v":1,"type":"draining","seconds":30,"elsewhere":true}'), {
    type: 'draining',
    seconds: 30,
    elsewhere: true,
  });
  assert.deepEqual(readMessage('{"v":1,"type":"idle_over"}'), { type: 'idle_over' });
  assert.deepEqual(readMessage('{"v":1,"type":"permissions","view_only":true,"power":false}'), {
    type: 'permissions',
    viewOnly: true,
  });
  assert.deepEqual(
    readMessage('{"v":1,"type":"end","code":"idle","words":"W","note":"N","detail":"D","retry":true}'),
    { type: 'end', code: 'idle', words: 'W', note: 'N', detail: 'D', retry: true },
  );
});

test('what is absent or of another kind is empty', () => {
  assert.deepEqual(readMessage('{"v":1,"type":"end","code":7,"detail":{},"retry":"yes"}'), {
    type: 'end',
    code: '',
    words: '',
    note: '',
    detail: '',
    retry: false,
  });
});

test('what this page does not know is ignored', () => {
  const unknown = [
    '', 'x', 'null', '1', '[]', '{}',
    '{"type":"rtt","ms":1}',
    '{"v":2,"type":"rtt","ms":1}',
    '{"v":1,"type":"toString"}',
    '{"v":1,"type":"rtt","ms":-1}',
    '{"v":1,"type":"rtt","ms":"1"}',
    '{"v":1,"type":"idle_soon","seconds":"soon"}',
  ];
  for (const text of unknown) {
    assert.equal(readMessage(text), null, text);
  }
});
