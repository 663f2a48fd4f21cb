/**
 * The way back into a session that was lost: whether there is one, and when it is tried.
 */

/** Milliseconds before the first attempt, give or take; each further one waits twice as long. */
const FIRST = 1_000;
/** The longest wait. */
const LONGEST = 15_000;
/** A connection that held for so many milliseconds makes the next loss a first one again. */
const HELD = 30_000;

/**
 * Endings after which the page comes back by itself: the connection or the gateway failed, the
 * gateway has no room for a moment, or what may be done needs another connection. After a machine that closed its console somebody has to ask
 * for it, since it may be switched off.
 */
const BY_ITSELF = new Set([
  'browser_away',
  'browser_lost',
  'connection_lost',
  'draining',
  'gateway_unreachable',
  'host_lost',
  'internal',
  'limit_reached',
  'permissions_changed',
  'rate_limited',
  'store_unavailable',
]);

/**
 * What can be done after an ending.
 *
 * @param {import('./reasons.js').Ending} ending
 * @param {import('./keep.js').Kept | null} kept what there is to come back with
 * @param {boolean} unspent whether there is a token that has opened nothing yet
 * @returns {'by itself' | 'by hand' | 'none'}
 */
export function wayBack({ code, retry }, kept, unspent) {
  if (!retry) {
    return 'none';
  }
  if (kept === null) {
    return unspent ? 'by hand' : 'none';
  }
  if (code === 'viewer_failed') {
    // The page has closed the session itself.
    return 'none';
  }
  // A close code that nobody knows is a proxy's.
  const byItself = BY_ITSELF.has(code) || code.startsWith('closed_');
  // A password is asked for when the person is there, and not while they look away.
  return byItself && !kept.asks ? 'by itself' : 'by hand';
}

/** Attempts, with growing pauses, for as long as the gateway keeps the session. */
export class Comeback {
  #again;
  #random;
  /** @type {number | null} */
  #lostAt = null;
  /** @type {number | null} */
  #arrivedAt = null;
  #attempts = 0;
  /** @type {ReturnType<typeof setTimeout> | null} */
  #timer = null;

  /**
   * @param {() => void} again makes an attempt
   * @param {() => number} [random] from 0 to 1, so that the pages of one gateway do not all come at once
   */
  constructor(again, random = Math.random) {
    this.#again = again;
    this.#random = random;
  }

  /** Whether the page is between a loss and its way back. */
  get underWay() {
    return this.#lostAt !== null;
  }

  /**
   * Plans the next attempt.
   *
   * @param {number} grace milliseconds after the loss in which there is any use in it
   * @returns {boolean} whether there will be one
   */
  plan(grace) {
    const now = Date.now();
    if (this.#lostAt === null) {
      this.#lostAt = now;
      if (this.#arrivedAt !== null && now - this.#arrivedAt >= HELD) {
        this.#attempts = 0;
      }
    }
    if (now - this.#lostAt > grace) {
      this.stop();
      return false;
    }
    const pause = Math.min(LONGEST, FIRST * 2 ** this.#attempts);
    this.#attempts += 1;
    this.#timer = setTimeout(() => this.hurry(), pause * (0.5 + this.#random() / 2));
    return true;
  }

  /** Makes the planned attempt now, if one is planned. */
  hurry() {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
      this.#again();
    }
  }

  /** The machine's screen is back, or here for the first time. */
  arrived() {
    this.stop();
    this.#arrivedAt = Date.now();
  }

  /** No further attempts. */
  stop() {
    clearTimeout(this.#timer ?? undefined);
    this.#timer = null;
    this.#lostAt = null;
  }
}
