/**
 * What is happening, on the page: the state, the card over the screen, the machine's name.
 *
 * For tests and for style sheets the root element says it too: `data-state` is one of `loading`,
 * `asking`, `connecting`, `connected`, `reconnecting`, `ended`, and at the end `data-reason` is the stable code.
 *
 * Everything from outside is set as text, never as markup.
 */

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

export class Status {
  #root = document.documentElement;
  #card = byId('card');
  #heading = byId('card-heading');
  #words = byId('card-words');
  #note = byId('card-note');
  #detail = byId('card-detail');
  #quote = byId('card-quote');
  #code = byId('card-code');
  #reconnect = byId('reconnect');
  #announcer = byId('announcer');
  #name = byId('name');
  #roundTrip = byId('round-trip');
  #notice = byId('notice');
  #mode = byId('mode');
  #title = document.title;

  /** noVNC is being fetched. */
  loading() {
    this.#show('loading', 'Opening the console', 'Loading the viewer …');
  }

  /** The person has to give the machine's password. */
  asking() {
    this.#show('asking', 'The machine asks for a password', 'It does not leave this browser, and is kept nowhere.');
  }

  /** The gateway is reaching the machine. */
  connecting() {
    this.#show('connecting', 'Opening the console', 'Connecting to the machine …');
  }

  /** The machine's screen is here. */
  connected() {
    this.#set('connected');
    this.#card.hidden = true;
    this.#announcer.textContent = `Connected to ${this.#name.textContent}.`;
  }

  /**
   * The connection is lost, and the page is on its way back. Said once, however many attempts it
   * takes.
   * @param {import('./reasons.js').Ending} ending the latest thing that went wrong
   */
  reconnecting({ words }) {
    if (this.#root.dataset.state !== 'reconnecting') {
      this.#show('reconnecting', 'Reconnecting …', words);
      this.#heading.focus({ preventScroll: true });
    }
    this.#words.textContent = words;
    this.#say('This page keeps trying by itself, and goes on where it was.');
    this.#reconnect.textContent = 'Try now';
    this.#reconnect.hidden = false;
    this.#roundTrip.textContent = '';
    this.idleOver();
    this.viewOnly(false);
  }

  /**
   * It is over, or never began.
   * @param {import('./reasons.js').Ending} ending
   * @param {boolean} again whether a new attempt can be made from here
   */
  ended({ code, words, note, detail }, again) {
    let heading = 'The console could not be opened';
    if (code === 'browser_closed') {
      heading = 'The console is closed';
    } else if (['connected', 'reconnecting'].includes(this.#root.dataset.state ?? '')) {
      heading = 'The console has ended';
    }
    this.#root.dataset.reason = code;
    this.#show('ended', heading, words);
    this.#say(note);
    this.#quote.textContent = detail;
    this.#detail.hidden = detail === '';
    this.#code.textContent = code;
    this.#code.hidden = false;
    this.#reconnect.textContent = 'Reconnect';
    this.#reconnect.hidden = !again;
    this.#roundTrip.textContent = '';
    this.idleOver();
    this.viewOnly(false);
    // Not to the button: whoever is typing just now would press it unawares.
    this.#heading.focus({ preventScroll: true });
  }

  /** @param {string} name of the machine */
  named(name) {
    if (name !== '') {
      this.#name.textContent = name;
      document.title = `${name} · ${this.#title}`;
    }
  }

  /** @param {number} ms milliseconds to the gateway and back */
  roundTrip(ms) {
    this.#roundTrip.textContent = `${Math.round(ms)} ms`;
  }

  /** @param {number} seconds until the gateway gives up waiting for the person */
  idleSoon(seconds) {
    const when = seconds < 60 ? `${Math.round(seconds)} seconds` : 'a minute';
    this.#notice.textContent = `Nobody seems to be here: the console closes in ${when}. Press a key or move the mouse over the screen to stay.`;
    this.#notice.hidden = false;
    this.#announcer.textContent = this.#notice.textContent;
  }

  /** @param {number} seconds until the gateway ends the console for its own restart */
  draining(seconds) {
    const when = seconds < 90 ? `${Math.round(seconds)} seconds` : `${Math.round(seconds / 60)} minutes`;
    this.#notice.textContent = `The console gateway is being restarted: this console closes in ${when}.`;
    this.#notice.hidden = false;
    this.#announcer.textContent = this.#notice.textContent;
  }

  /** The person is there after all. */
  idleOver() {
    this.#notice.hidden = true;
  }

  /** @param {boolean} viewOnly whether nothing that is done here reaches the machine */
  viewOnly(viewOnly) {
    if (viewOnly && this.#mode.hidden) {
      this.#announcer.textContent = 'View only: keys and mouse do not reach the machine.';
    }
    this.#mode.hidden = !viewOnly;
  }

  /**
   * @param {string} state
   * @param {string} heading
   * @param {string} words
   */
  #show(state, heading, words) {
    this.#set(state);
    this.#heading.textContent = heading;
    this.#words.textContent = words;
    this.#say('');
    this.#detail.hidden = true;
    this.#code.hidden = true;
    this.#reconnect.hidden = true;
    this.#card.hidden = false;
    this.#announcer.textContent = `${heading}. ${words}`;
  }

  /** @param {string} note what is said below the words */
  #say(note) {
    this.#note.textContent = note;
    this.#note.hidden = note === '';
  }

  /** @param {string} state */
  #set(state) {
    this.#root.dataset.state = state;
    if (state !== 'ended') {
      delete this.#root.dataset.reason;
    }
  }
}
