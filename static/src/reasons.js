/**
 * Why a console ended, in words for a person.
 *
 * The words live in the gateway's one reason table; the page gets that table in `data-reasons`.
 * Only what the gateway cannot say itself, because it is out of reach or was never asked, is
 * worded here.
 */

/**
 * A row of the gateway's table: `code` is the stable name, `close` the WebSocket close code.
 * @typedef {{ code: string, close: number, retry: boolean, words: string }} Row
 */

/**
 * What the page shows at the end: `note` is what the gateway adds to the words, `detail` what the
 * machine's console said itself.
 * @typedef {{ code: string, words: string, note: string, detail: string, retry: boolean }} Ending
 */

/**
 * What is known about an end.
 *
 * - `end`: the gateway's `end` message, if it came
 * - `close`: the WebSocket's close event, `code` and `reason`
 * - `opened`: whether the WebSocket was ever open
 * - `byPerson`: the person pressed Disconnect
 * - `viewer`: what the viewer choked on, in its own words, if it did
 * @typedef {{
 *   end?: Ending | null,
 *   close: { code: number, reason: string },
 *   opened: boolean,
 *   byPerson?: boolean,
 *   viewer?: string | null,
 * }} Known
 */

/** Endings that only the page itself can know of, or knows better than the gateway. */
const OWN = {
  browser_closed: {
    retry: false,
    words: 'You disconnected. The machine keeps running. Open the console again from your cloud’s management page.',
  },
  connection_lost: {
    retry: true,
    words: 'The connection to the console gateway was lost.',
  },
  gateway_unreachable: {
    retry: true,
    words: 'The console gateway could not be reached.',
  },
  viewer_failed: {
    retry: true,
    words: 'The viewer could not make sense of what the machine sent.',
  },
  viewer_unloadable: {
    retry: false,
    words: 'The viewer could not be started in this browser. Reload the page from your cloud’s management page, or try another browser.',
  },
};

/**
 * Close codes that say nothing about a cause: a normal close, no code, a connection cut off.
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1
 */
const MUTE = new Set([1000, 1005, 1006]);

/** The gateway's reason table, as the page needs it. */
export class Reasons {
  /** @type {Map<string, Row>} */
  #byCode = new Map();
  /** @type {Map<number, Row>} */
  #byClose = new Map();

  /** @param {Row[]} rows */
  constructor(rows) {
    for (const row of rows) {
      this.#byCode.set(row.code, row);
      this.#byClose.set(row.close, row);
    }
  }

  /**
   * Reads the table from its attribute. A page without a readable table still says what it can.
   * @param {string | undefined} json
   */
  static parse(json) {
    try {
      return new Reasons(JSON.parse(json ?? '[]'));
    } catch {
      return new Reasons([]);
    }
  }

  /**
   * The ending for a stable code, from the page's own few or from the gateway's table.
   * @param {string} code
   * @param {string} [detail] what somebody else said about it, shown as a quotation
   * @returns {Ending}
   */
  named(code, detail = '') {
    const { words, retry } = OWN[code] ?? this.#byCode.get(code) ?? {
      words: 'The console ended.',
      retry: true,
    };
    return { code, words, note: '', detail, retry };
  }

  /**
   * The best explanation of an end: the gateway's message, else its close reason, else its close
   * code, else what the page saw itself.
   * @param {Known} known
   * @returns {Ending}
   */
  explain({ end, close, opened, byPerson = false, viewer = null }) {
    if (byPerson) {
      return this.named('browser_closed');
    }
    if (end) {
      return { ...end, words: end.words || this.named(end.code).words };
    }
    if (this.#byCode.has(close.reason)) {
      return this.named(close.reason);
    }
    if (viewer !== null && MUTE.has(close.code)) {
      return this.named('viewer_failed', viewer);
    }
    if (close.code === 1006) {
      return this.named(opened ? 'connection_lost' : 'gateway_unreachable');
    }
    const row = this.#byClose.get(close.code);
    return row ? this.named(row.code) : this.named(`closed_${close.code}`, close.reason);
  }
}
