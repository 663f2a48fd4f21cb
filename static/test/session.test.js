import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { Session } from '../src/session.js';
import { FakeSocket } from './fake-socket.js';

/** As much of noVNC as a session touches: it gives up by closing its channel. */
class FakeRfb extends EventTarget {
  constructor(place, channel, options) {
    super();
    this.options = options;
    this.channel = channel;
    channel.onclose = () => this.tell('disconnect', {});
  }

  tell(type, detail) {
    this.dispatchEvent(Object.assign(new Event(type), { detail }));
  }

  disconnect() {
    this.channel.close();
    this.tell('disconnect', {});
  }
}

/** Opens a session on fakes; `ended` collects what it says at the end. */
function open(password = null, pass = { kind: 'token', text: 'fl1.k.t' }) {
  const ended = [];
  const told = [];
  const listener = {
    connected: () => told.push('connected'),
    named: (name) => told.push(name),
    resumable: (secret, grace) => told.push([secret, grace]),
    roundTrip: (ms) => told.push(ms),
    ended: (known, last) => ended.push({ ...known, last }),
  };
  let rfb;
  const RFB = function (...args) {
    rfb = new FakeRfb(...args);
    return rfb;
  };
  const session = new Session(RFB, pass, { append() {} }, listener, password);
  return { session, socket: FakeSocket.made.at(-1), rfb, ended, told };
}

/** What the page's document is asked for; a canvas is as large as `picture` says. */
const picture = { width: 0, height: 0 };
const fakeElement = () => ({
  remove() {},
  querySelector: () => picture,
  getContext: () => ({ drawImage() {} }),
});

beforeEach(() => {
  // A session that a test leaves open would wait for its socket.
  mock.timers.enable({ apis: ['setTimeout'] });
  Object.assign(picture, { width: 0, height: 0 });
  globalThis.WebSocket = FakeSocket;
  globalThis.document = {
    baseURI: 'https://c.example/pre/novnc',
    createElement: fakeElement,
  };
});

afterEach(() => mock.timers.reset());

test('the token travels as a sub-protocol, never in the address', () => {
  const { socket } = open();
  assert.equal(socket.url, 'wss://c.example/pre/novnc/websocket');
  assert.deepEqual(socket.protocols, ['binary', 'fanlight.1', 'fanlight.token.fl1.k.t']);
});

test('a secret to come back with travels in the same way', () => {
  const { socket } = open(null, { kind: 'resume', text: '07.A' });
  assert.deepEqual(socket.protocols, ['binary', 'fanlight.1', 'fanlight.resume.07.A']);
});

test('the way back is told in milliseconds, and not at all without a secret', () => {
  const { socket, told } = open();
  socket.open('fanlight.1');
  socket.receive('{"v":1,"type":"connected"}');
  socket.receive('{"v":1,"type":"connected","resume":"07.A","grace":2}');
  socket.receive('{"v":1,"type":"connected","resume":"07.B"}');
  assert.deepEqual(told.filter(Array.isArray), [['07.A', 2000], ['07.B', null]]);
});

test('a socket that does not open is given up', () => {
  const { socket, ended } = open();
  mock.timers.tick(9_999);
  assert.equal(ended.length, 0);
  mock.timers.tick(1);
  assert.equal(ended.length, 1);
  assert.equal(ended[0].opened, false);
  assert.equal(ended[0].close.code, 1006);
  assert.equal(socket.closedWith.length, 1);

  const slow = open();
  slow.socket.open('fanlight.1');
  mock.timers.tick(60_000);
  assert.equal(slow.ended.length, 0, 'an open one has all the time');
});

test('the last picture is left behind, if there was one', () => {
  for (const [connected, width, left] of [[false, 9, false], [true, 0, false], [true, 9, true]]) {
    Object.assign(picture, { width, height: 9 });
    const { socket, rfb, ended } = open();
    socket.open('fanlight.1');
    if (connected) {
      rfb.tell('connect', {});
    }
    socket.end(1006, '');
    assert.equal(ended[0].last !== null, left, `${connected} ${width}`);
  }
});

test('a password is noVNC’s alone, and none is given where none was asked for', () => {
  const { rfb, socket } = open('s3cret12');
  assert.deepEqual(rfb.options, { shared: true, credentials: { password: 's3cret12' } });
  assert.ok(!JSON.stringify([socket.url, socket.protocols]).includes('s3cret12'));
  assert.deepEqual(open().rfb.options, { shared: true });
});

test('names and round trips are passed on, and the gateway’s name stays', () => {
  const { socket, rfb, told } = open();
  socket.open('fanlight.1');
  rfb.tell('desktopname', { name: 'QEMU' });
  rfb.tell('connect', {});
  socket.receive('{"v":1,"type":"connected","name":"web-01"}');
  socket.receive('{"v":1,"type":"rtt","ms":3}');
  rfb.tell('desktopname', { name: 'somebody-else' });
  assert.deepEqual(told, ['QEMU', 'connected', 'web-01', 3]);
});

test('the message before the close frame is what counts', () => {
  const { socket, ended } = open();
  socket.open('fanlight.1');
  socket.receive('{"v":1,"type":"end","code":"idle","words":"W","detail":"","retry":true}');
  socket.end(4300, 'idle');
  assert.equal(ended.length, 1);
  assert.equal(ended[0].end.code, 'idle');
  assert.equal(ended[0].close.code, 4300);
  assert.equal(ended[0].opened, true);
});

test('a refusal that reaches noVNC first still waits for the gateway’s own words', () => {
  const { socket, rfb, ended } = open();
  socket.open('fanlight.1');
  rfb.tell('securityfailure', { reason: 'as RFB says it' });
  rfb.disconnect();
  assert.deepEqual(ended, []);
  assert.deepEqual(socket.closedWith, []);
  socket.receive('{"v":1,"type":"end","code":"host_auth_failed","words":"W","retry":false}');
  socket.end(4106, 'host_auth_failed');
  assert.equal(ended.length, 1);
  assert.equal(ended[0].end.code, 'host_auth_failed');
  assert.equal(ended[0].viewer, 'as RFB says it');
});

test('a viewer that gives up and hears nothing ends the session itself', () => {
  const { socket, rfb, ended } = open();
  socket.open('fanlight.1');
  rfb.disconnect();
  mock.timers.tick(999);
  assert.equal(ended.length, 0);
  mock.timers.tick(1);
  assert.equal(ended.length, 1);
  assert.equal(ended[0].viewer, '');
  assert.deepEqual(socket.closedWith, [1000]);
  socket.end(1006, '');
  assert.equal(ended.length, 1, 'an end is told once');
});

test('Disconnect ends at once and closes with 1000', () => {
  const { session, socket, ended } = open();
  socket.open('fanlight.1');
  session.disconnect();
  assert.equal(ended.length, 1);
  assert.equal(ended[0].byPerson, true);
  assert.deepEqual(socket.closedWith, [1000]);
});
