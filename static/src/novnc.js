/**
 * Loads noVNC, or says why not.
 */

import { within } from './deadline.js';
import { guardVideoDecoder } from './decoder-guard.js';

/** Milliseconds for one step of noVNC's H.264 probe. */
const PROBE_LIMIT = 2_000;
/** Milliseconds for all of the loading. */
const LOAD_LIMIT = 10_000;

/**
 * @param {string | URL} url of the noVNC bundle
 * @param {{ load?: (url: string) => Promise<any>, scope?: Record<string, any>,
 *   loadLimit?: number, probeLimit?: number }} [means] what tests put in place of the browser
 * @returns {Promise<any>} noVNC's RFB class
 */
export async function loadNovnc(url, means = {}) {
  const load = means.load ?? ((address) => import(address));
  const scope = means.scope ?? globalThis;
  const restore = guardVideoDecoder(scope, means.probeLimit ?? PROBE_LIMIT);
  try {
    const limit = means.loadLimit ?? LOAD_LIMIT;
    const module = await within(load(String(url)), limit, 'loading the viewer took too long');
    return module.default;
  } finally {
    restore();
  }
}
