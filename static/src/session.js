/**
 * One attempt at the console: a WebSocket to the gateway, noVNC on its binary frames, the page on
 * its text frames.
 *
 *     opening ──socket open──▶ greeting ──RFB connect──▶ running
 *        │                        │                         │
 *        └────────────────────────┴── close, viewer gives up, Disconnect ──▶ over (once)
 */

import { BinaryChannel } from './channel.js';
import { readMessage } from './messages.js';
import { still } from './still.js';

/**
 * Milliseconds that the gateway has for its explanation once noVNC has given up. A refusal reaches
 * noVNC as an RFB failure, and the gateway's message and close code come right behind it.
 */
const LAST_WORD_LIMIT = 1_000;

/** Milliseconds for the WebSocket to open: a network that swallows everything says nothing. */
const OPEN_LIMIT = 10_000;

/**
 * What opens the console: the token, or the secret of a session that goes on.
 * @typedef {{ kind: 'token' | 'resume', text: string }} Pass
 */

/**
 * Who is told what. `resumable` has the secret to come back with and how many milliseconds there
 * are for that, if the gateway says; `ended` has the last picture, if there was one.
 * @typedef {{
 *   connected: () => void,
 *   named: (name: string) => void,
 *   resumable: (secret: string, grace: number | null) => void,
 *   roundTrip: (ms: number) => void,
 *   idleSoon: (seconds: number) => void,
 *   idleOver: () => void,
 *   draining: (seconds: number, elsewhere: boolean) => void,
 *   permitted: (may: { viewOnly: boolean }) => void,
 *   ended: (known: import('./reasons.js').Known, last: HTMLCanvasElement | null) => void,
 * }} Listener
 */

export class Session {
  #socket;
  #rfb;
  /** noVNC's own corner of the page: it leaves with the session, whatever noVNC still waits for. */
  #place = document.createElement('div');
  /** @type {Listener} */
  #on;
  #over = false;
  #opened = false;
  #connected = false;
  #named = false;
  /** @type {import('./reasons.js').Known['end']} */
  #end = null;
  /** @type {string | null} */
  #viewer = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #lastWord;
  /** @type {ReturnType<typeof setTimeout>} */
  #opening;

  /**
   * @param {any} RFB noVNC's class
   * @param {Pass} pass
   * @param {HTMLElement} screen where the machine's screen goes
   * @param {Listener} listener
   * @param {string | null} password what the person gave for the machine, if it was asked for
   * @throws {DOMException} named `SyntaxError`, when the pass has characters that no sub-protocol may have
   */
  constructor(RFB, pass, screen, listener, password = null) {
    this.#on = listener;
    const url = new URL('novnc/websocket', document.baseURI);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const offered = ['binary', 'fanlight.1', `fanlight.${pass.kind}.${pass.text}`];
    this.#socket = new WebSocket(url, offered);
    this.#socket.addEventListener('open', () => {
      this.#opened = true;
      clearTimeout(this.#opening);
    });
    this.#opening = setTimeout(() => {
      this.#finish({ close: { code: 1006, reason: '' } });
      this.#socket.close();
    }, OPEN_LIMIT);
    this.#socket.addEventListener('close', (event) => this.#finish({ close: event }));

    const channel = new BinaryChannel(this.#socket, {
      onText: (text) => this.#hear(text),
      onClosing: () => this.#viewerLetsGo(),
    });
    screen.append(this.#place);
    const rfb = new RFB(this.#place, channel, {
      shared: true,
      ...(password !== null && { credentials: { password } }),
    });
    rfb.scaleViewport = true;
    rfb.showDotCursor = true;
    rfb.background = 'transparent';
    rfb.addEventListener('connect', () => {
      this.#connected = true;
      listener.connected();
    });
    rfb.addEventListener('disconnect', () => channel.detach());
    // What the machine calls itself counts only until the gateway has said its name.
    rfb.addEventListener('desktopname', (event) => {
      if (!this.#named) {
        listener.named(event.detail.name);
      }
    });
    rfb.addEventListener('securityfailure', (event) => {
      this.#viewer = event.detail.reason ?? '';
    });
    // The gateway asks for a password only where the page has asked for it before.
    rfb.addEventListener('credentialsrequired', () => {
      this.#viewer = 'It was asked for a password.';
      rfb.disconnect();
    });
    this.#rfb = rfb;
  }

  /** Does everything out of sight, while another session shows the machine. */
  hide() {
    this.#place.className = 'coming';
  }

  /** Comes into sight. */
  show() {
    this.#place.className = '';
  }

  /** Another session has taken its place: it goes without a word. */
  letGo() {
    this.#over = true;
    clearTimeout(this.#lastWord);
    clearTimeout(this.#opening);
    this.#place.remove();
    this.#rfb.disconnect();
    this.#socket.close(1000);
  }

  /** Gives the keyboard to the machine. */
  focus() {
    this.#rfb.focus({ preventScroll: true });
  }

  /** Presses and releases Ctrl, Alt and Delete. */
  sendCtrlAltDel() {
    this.#rfb.sendCtrlAltDel();
  }

  /** The person wants to leave. */
  disconnect() {
    this.#finish({ close: { code: 1000, reason: '' }, byPerson: true });
    this.#rfb.disconnect();
    this.#socket.close(1000);
  }

  /** @param {string} text */
  #hear(text) {
    const message = readMessage(text);
    switch (message?.type) {
      case 'connected':
        this.#named = message.name !== '';
        this.#on.named(message.name);
        if (message.resume !== '') {
          this.#on.resumable(message.resume, message.grace === null ? null : message.grace * 1_000);
        }
        break;
      case 'rtt':
        this.#on.roundTrip(message.ms);
        break;
      case 'idle_soon':
        this.#on.idleSoon(message.seconds);
        break;
      case 'idle_over':
        this.#on.idleOver();
        break;
      // noVNC is not told: the gateway drops what may not be, and with `viewOnly` set a person who
      // only looks on could not show that somebody is there.
      case 'permissions':
        this.#on.permitted(message);
        break;
      case 'draining':
        this.#on.draining(message.seconds, message.elsewhere);
        break;
      case 'end':
        this.#end = message;
        break;
    }
  }

  /** noVNC closed its channel: it was told to, or it met something that it cannot go on with. */
  #viewerLetsGo() {
    if (this.#over) {
      return;
    }
    this.#viewer ??= '';
    this.#lastWord = setTimeout(() => {
      this.#finish({ close: { code: 1000, reason: '' } });
      this.#socket.close(1000);
    }, LAST_WORD_LIMIT);
  }

  /** @param {Pick<import('./reasons.js').Known, 'close' | 'byPerson'>} how */
  #finish(how) {
    if (this.#over) {
      return;
    }
    this.#over = true;
    clearTimeout(this.#lastWord);
    clearTimeout(this.#opening);
    const canvas = this.#connected ? this.#place.querySelector('canvas') : null;
    const last = canvas && still(canvas);
    this.#place.remove();
    const known = { end: this.#end, opened: this.#opened, viewer: this.#viewer, ...how };
    this.#on.ended(known, last);
  }
}
