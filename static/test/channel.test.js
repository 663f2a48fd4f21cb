import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BinaryChannel } from '../src/channel.js';
import { FakeSocket } from './fake-socket.js';

/** A channel whose handlers, and everything else that it tells, write into `heard`. */
function setUp() {
  const socket = new FakeSocket('wss://c.example/', []);
  const heard = [];
  const channel = new BinaryChannel(socket, {
    onText: (text) => heard.push(`text ${text}`),
    onClosing: () => heard.push('closing'),
  });
  channel.onopen = () => heard.push('open');
  channel.onmessage = (event) => heard.push(`bytes ${event.data.byteLength}`);
  channel.onclose = (event) => heard.push(`close ${event.code}`);
  return { socket, channel, heard };
}

test('noVNC finds the properties of a raw channel', () => {
  const { socket, channel } = setUp();
  const found = [
    ...Object.keys(channel),
    ...Object.getOwnPropertyNames(Object.getPrototypeOf(channel)),
  ];
  const needed = [
    'send', 'close', 'binaryType', 'onerror', 'onmessage', 'onopen', 'protocol', 'readyState',
  ];
  assert.deepEqual(needed.filter((name) => !found.includes(name)), []);
  assert.equal(socket.binaryType, 'arraybuffer');
});

test('bytes go to noVNC and text goes to the page', () => {
  const { socket, channel, heard } = setUp();
  assert.equal(channel.readyState, 0);
  socket.open('fanlight.1');
  assert.equal(channel.readyState, 1);
  assert.equal(channel.protocol, 'fanlight.1');
  socket.receive(new ArrayBuffer(12));
  socket.receive('{"v":1}');
  socket.receive(new ArrayBuffer(0));
  socket.end(4109, '');
  assert.deepEqual(heard, ['open', 'bytes 12', 'text {"v":1}', 'bytes 0', 'close 4109']);
});

test('once noVNC closes, the text still comes and the bytes stop', () => {
  const { socket, channel, heard } = setUp();
  socket.open('fanlight.1');
  channel.close();
  channel.close();
  assert.equal(channel.readyState, 2);
  assert.deepEqual(socket.closedWith, [], 'the page decides when');
  channel.send(new Uint8Array(1));
  socket.receive(new ArrayBuffer(1));
  socket.receive('last');
  assert.deepEqual(socket.sent, []);
  assert.deepEqual(heard, ['open', 'closing', 'text last']);
  socket.end(4106, '');
  assert.equal(channel.readyState, 3);
});

test('after noVNC has let go it hears of no close', () => {
  const { socket, channel, heard } = setUp();
  socket.open('binary');
  channel.detach();
  socket.end(1000, '');
  assert.deepEqual(heard, ['open']);
});
