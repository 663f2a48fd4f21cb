/**
 * The console page, from the token in the address bar to the last word.
 *
 * Nothing here is global. The page that says why a link is refused loads this too, for its first
 * line alone.
 */

import { Comeback, wayBack } from './comeback.js';
import { Keep } from './keep.js';
import { Move } from './move.js';
import { loadNovnc } from './novnc.js';
import { PasswordForm } from './password.js';
import { Reasons } from './reasons.js';
import { Session } from './session.js';
import { Status } from './status.js';
import { takeToken } from './token.js';
import { Toolbar } from './toolbar.js';

const token = takeToken(location, history);

const { novnc, reasons, password } = document.documentElement.dataset;
if (novnc !== undefined) {
  const keep = new Keep(() => sessionStorage, location, history);
  if (token === null) {
    keep.find();
  }
  const asks = password === 'ask' || keep.kept?.asks === true;
  const form = asks ? new PasswordForm() : null;
  runConsole(token, keep, new URL(novnc, document.baseURI), Reasons.parse(reasons), form);
}

/**
 * @param {string | null} unspent the token, until it has opened a session that can be come back to
 * @param {Keep} keep
 * @param {URL} novnc
 * @param {Reasons} reasons
 * @param {PasswordForm | null} form where the person has to give the machine's password
 */
async function runConsole(unspent, keep, novnc, reasons, form) {
  const screen = /** @type {HTMLElement} */ (document.getElementById('screen'));
  const status = new Status();
  const toolbar = new Toolbar({
    ctrlAltDel: () => session?.sendCtrlAltDel(),
    disconnect: () => leave(),
    reconnect: () => (comeback.underWay ? comeback.hurry() : begin()),
    focusScreen: () => session?.focus(),
  });
  /** @type {any} */
  let RFB;
  /** @type {Session | null} */
  let session = null;
  /** @type {Session | null} what is to take the session over, from a gateway that is about to go */
  let next = null;

  /** @param {import('./reasons.js').Ending} ending */
  const end = (ending) => {
    session = null;
    next = null;
    move.stop();
    screen.inert = true;
    const way = wayBack(ending, keep.kept, unspent !== null);
    if (way === 'by itself' && keep.kept && comeback.plan(keep.kept.grace)) {
      status.reconnecting(ending);
      toolbar.follow('reconnecting');
      return;
    }
    comeback.stop();
    if (way === 'none') {
      keep.forget();
    }
    screen.replaceChildren();
    status.ended(ending, way !== 'none');
    toolbar.follow('ended');
  };

  const leave = () => {
    if (session === null && next === null) {
      end(reasons.named('browser_closed'));
      return;
    }
    move.stop();
    next?.disconnect();
    session?.disconnect();
  };

  // Before the socket opens: from then on the machine waits, and not for long.
  const begin = () => {
    if (form === null) {
      connect(null);
      return;
    }
    status.asking();
    toolbar.follow('asking');
    form.ask(connect);
  };

  /** @param {string | null} password */
  const connect = (password) => {
    if (!comeback.underWay) {
      status.connecting();
      toolbar.follow('connecting');
    }
    session = open(password);
  };

  /**
   * @param {string | null} password
   * @returns {Session | null} null where it has ended already
   */
  const open = (password) => {
    try {
      /** @type {Session} */
      const opened = new Session(RFB, pass(), screen, {
        connected: () => {
          if (opened === next) {
            session?.letGo();
            session = next;
            next = null;
            move.stop();
            opened.show();
          }
          comeback.arrived();
          screen.querySelector('.still')?.remove();
          screen.inert = false;
          status.idleOver();
          status.connected();
          toolbar.follow('connected');
          opened.focus();
        },
        named: (name) => status.named(name),
        resumable: (secret, grace) => {
          keep.hold({ secret, asks: form !== null, grace });
          unspent = null;
        },
        roundTrip: (ms) => status.roundTrip(ms),
        idleSoon: (seconds) => status.idleSoon(seconds),
        idleOver: () => status.idleOver(),
        draining: (seconds, elsewhere) => {
          // A password is asked for when there is no other way.
          if (elsewhere && form === null) {
            move.begin();
          } else {
            status.draining(seconds);
          }
        },
        permitted: ({ viewOnly }) => {
          status.viewOnly(viewOnly);
          toolbar.viewOnly(viewOnly);
        },
        ended: (known, last) => {
          if (opened === next && session !== null) {
            next = null;
            move.again();
            return;
          }
          if (last !== null) {
            screen.querySelector('.still')?.remove();
            screen.append(last);
          }
          if (opened === session && next !== null) {
            // It had to go for the next one to come, and that is on its way.
            session = null;
            return;
          }
          screen.replaceChildren(...screen.querySelectorAll('.still'));
          end(reasons.explain(known));
        },
      }, password);
      return opened;
    } catch (error) {
      // A WebSocket takes no sub-protocol with a space or the like in it, and no token has one.
      const code = error?.name === 'SyntaxError' ? 'token_invalid' : 'viewer_failed';
      session?.letGo();
      end(reasons.named(code));
      return null;
    }
  };

  /** @returns {import('./session.js').Pass} */
  const pass = () =>
    keep.kept
      ? { kind: 'resume', text: keep.kept.secret }
      : { kind: 'token', text: unspent ?? '' };

  const comeback = new Comeback(begin);
  const move = new Move(() => {
    if (session !== null && next === null && keep.kept !== null) {
      next = open(null);
      next?.hide();
    }
  });
  window.addEventListener('online', () => comeback.hurry());
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') {
      comeback.hurry();
    }
  });

  status.loading();
  toolbar.follow('loading');
  if (unspent === null && keep.kept === null) {
    // An address that names a session was copied, or its console is closed.
    end(reasons.named(keep.named === null ? 'token_missing' : 'token_used'));
    return;
  }
  try {
    RFB = await loadNovnc(novnc);
  } catch (error) {
    // What is kept stays kept: the next reload may have more luck.
    const detail = error instanceof Error ? error.message : String(error);
    status.ended(reasons.named('viewer_unloadable', detail), false);
    toolbar.follow('ended');
    return;
  }
  begin();
}
