/**
 * Keeps noVNC's H.264 probe from hanging or breaking the page.
 *
 * While noVNC 1.7.0 loads it decodes one H.264 frame to see whether the browser can, and all of
 * noVNC waits for that. Some browsers never finish (`flush` never settles on some Android
 * devices), others lack half of the interface and throw. A browser that fails the probe only goes
 * without H.264, which few servers send.
 */

import { within } from './deadline.js';

/**
 * Makes `scope.VideoDecoder` safe to probe.
 *
 * @param {Record<string, any>} scope the global object
 * @param {number} limit milliseconds that each step of the probe may take
 * @returns {() => void} puts everything back; call it when the probe is over
 */
export function guardVideoDecoder(scope, limit) {
  const Decoder = scope.VideoDecoder;
  if (!Decoder) {
    return () => {};
  }
  const usable =
    typeof Decoder.isConfigSupported === 'function' &&
    typeof Decoder.prototype?.flush === 'function' &&
    'EncodedVideoChunk' in scope;
  if (!usable) {
    return hide(scope, 'VideoDecoder');
  }

  const restores = [
    wrap(Decoder, 'isConfigSupported', (original) => async function (...args) {
      try {
        const answer = Promise.resolve(original.apply(this, args));
        return await within(answer, limit, 'the browser did not say whether it decodes H.264');
      } catch {
        return { supported: false };
      }
    }),
    wrap(Decoder.prototype, 'flush', (original) => async function (...args) {
      const flushed = Promise.resolve(original.apply(this, args));
      return within(flushed, limit, 'the browser did not finish decoding H.264');
    }),
    // What these throw would end the loading of noVNC; without them no frame comes, and that
    // means "no H.264" as well.
    ...['configure', 'decode'].map((step) =>
      wrap(Decoder.prototype, step, (original) => function (...args) {
        try {
          return original.apply(this, args);
        } catch {
          return undefined;
        }
      }),
    ),
  ];
  return () => restores.forEach((restore) => restore());
}

/**
 * Takes a property away.
 * @param {Record<string, any>} owner
 * @param {string} name
 */
function hide(owner, name) {
  const before = Object.getOwnPropertyDescriptor(owner, name);
  Reflect.deleteProperty(owner, name);
  return () => before && Object.defineProperty(owner, name, before);
}

/**
 * Replaces a method.
 * @param {any} owner
 * @param {string} name
 * @param {(original: Function) => Function} around
 */
function wrap(owner, name, around) {
  const before = Object.getOwnPropertyDescriptor(owner, name);
  const original = owner[name];
  if (!before || typeof original !== 'function') {
    return () => {};
  }
  Object.defineProperty(owner, name, { ...before, value: around(original) });
  return () => Object.defineProperty(owner, name, before);
}
