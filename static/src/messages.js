/**
 * The text frames of the gateway: `docs/page-channel.md` describes every message.
 */

/** The version of the messages that this page understands. */
const VERSION = 1;

/**
 * A message with every field checked.
 * @typedef {{ type: 'connected', name: string, resume: string, grace: number | null }
 *   | { type: 'rtt', ms: number }
 *   | { type: 'idle_soon', seconds: number }
 *   | { type: 'idle_over' }
 *   | { type: 'permissions', viewOnly: boolean }
 *   | { type: 'draining', seconds: number, elsewhere: boolean }
 *   | { type: 'end', code: string, words: string, note: string, detail: string,
 *   retry: boolean }} Message
 */

/**
 * Reads one text frame.
 *
 * @param {string} text
 * @returns {Message | null} null for what this page does not know: a later version, another type
 */
export function readMessage(text) {
  let raw;
  try {
    raw = JSON.parse(text);
  } catch {
    return null;
  }
  if (raw?.v !== VERSION) {
    return null;
  }
  switch (raw.type) {
    case 'connected':
      return {
        type: 'connected',
        name: string(raw.name),
        resume: string(raw.resume),
        grace: Number.isFinite(raw.grace) && raw.grace >= 0 ? raw.grace : null,
      };
    case 'rtt':
      return Number.isFinite(raw.ms) && raw.ms >= 0 ? { type: 'rtt', ms: raw.ms } : null;
    case 'idle_soon':
      return Number.isFinite(raw.seconds) && raw.seconds >= 0
        ? { type: 'idle_soon', seconds: raw.seconds }
        : null;
    case 'idle_over':
      return { type: 'idle_over' };
    case 'permissions':
      return { type: 'permissions', viewOnly: raw.view_only === true };
    case 'draining':
      return Number.isFinite(raw.seconds) && raw.seconds >= 0
        ? { type: 'draining', seconds: raw.seconds, elsewhere: raw.elsewhere === true }
        : null;
    case 'end':
      return {
        type: 'end',
        code: string(raw.code),
        words: string(raw.words),
        note: string(raw.note),
        detail: string(raw.detail),
        retry: raw.retry === true,
      };
    default:
      return null;
  }
}

/** @param {unknown} value */
function string(value) {
  return typeof value === 'string' ? value : '';
}
