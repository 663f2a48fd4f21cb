import assert from 'node:assert/strict';
import { test } from 'node:test';

import { guardVideoDecoder } from '../src/decoder-guard.js';
import { loadNovnc } from '../src/novnc.js';

const NEVER = new Promise(() => {});

/** A global object with a VideoDecoder, of which a test replaces what it wants to break. */
function browser({ statics = {}, methods = {} } = {}) {
  class VideoDecoder {
    static async isConfigSupported() {
      return { supported: true };
    }

    configure() {}

    decode() {}

    async flush() {}
  }
  Object.assign(VideoDecoder, statics);
  Object.assign(VideoDecoder.prototype, methods);
  return { VideoDecoder, EncodedVideoChunk: class {} };
}

/** The steps of noVNC's probe that can go wrong. */
async function probe(scope) {
  if (!('VideoDecoder' in scope)) {
    return false;
  }
  const answer = await scope.VideoDecoder.isConfigSupported({});
  if (!answer.supported) {
    return false;
  }
  const decoder = new scope.VideoDecoder();
  decoder.configure({});
  decoder.decode({});
  try {
    await decoder.flush();
  } catch {
    return false;
  }
  return true;
}

test('a healthy decoder passes, and everything is put back', async () => {
  const scope = browser();
  const { VideoDecoder } = scope;
  const before = [VideoDecoder.isConfigSupported, VideoDecoder.prototype.flush];
  const restore = guardVideoDecoder(scope, 1_000);
  assert.notEqual(VideoDecoder.prototype.flush, before[1]);
  assert.equal(await probe(scope), true);
  restore();
  assert.deepEqual([VideoDecoder.isConfigSupported, VideoDecoder.prototype.flush], before);
});

test('a flush that never settles ends in time', async () => {
  const scope = browser({ methods: { flush: () => NEVER } });
  guardVideoDecoder(scope, 20);
  assert.equal(await probe(scope), false);
});

test('an isConfigSupported that never settles, rejects or throws means no', async () => {
  const broken = [
    () => NEVER,
    () => Promise.reject(new Error('no')),
    () => {
      throw new TypeError('no');
    },
  ];
  for (const isConfigSupported of broken) {
    const scope = browser({ statics: { isConfigSupported } });
    guardVideoDecoder(scope, 20);
    assert.equal(await probe(scope), false);
  }
});

test('a decoder that cannot be probed is hidden for the time being', async () => {
  const scope = browser({ statics: { isConfigSupported: undefined } });
  const { VideoDecoder } = scope;
  const restore = guardVideoDecoder(scope, 20);
  assert.equal(await probe(scope), false);
  assert.equal('VideoDecoder' in scope, false);
  restore();
  assert.equal(scope.VideoDecoder, VideoDecoder);
});

test('steps that throw do not end the loading', async () => {
  const throws = () => {
    throw new Error('no');
  };
  const scope = browser({ methods: { configure: throws, decode: throws } });
  guardVideoDecoder(scope, 20);
  await assert.doesNotReject(probe(scope));
});

test('a browser without a decoder is left alone', () => {
  const scope = {};
  guardVideoDecoder(scope, 20)();
  assert.deepEqual(scope, {});
});

test('noVNC loads although its probe hangs', async () => {
  const scope = browser({ methods: { flush: () => NEVER } });
  const load = async () => {
    await probe(scope);
    return { default: 'RFB' };
  };
  assert.equal(await loadNovnc('x', { load, scope, probeLimit: 20 }), 'RFB');
  assert.equal(scope.VideoDecoder.prototype.flush(), NEVER, 'put back');
});

test('a load that never ends or fails says why', async () => {
  const limits = { scope: {}, loadLimit: 20 };
  await assert.rejects(loadNovnc('x', { load: () => NEVER, ...limits }), /took too long/);
  const load = () => Promise.reject(new Error('404'));
  await assert.rejects(loadNovnc('x', { load, ...limits }), /404/);
});
