/**
 * The console page, from the token in the address bar to the last word.
 *
 * Nothing here is global. The page that says why a link is refused loads this too, for its first
 * line alone.
 */

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
  const form = password === 'ask' ? new PasswordForm() : null;
  runConsole(token, new URL(novnc, document.baseURI), Reasons.parse(reasons), form);
}

/**
 * @param {string | null} token
 * @param {URL} novnc
 * @param {Reasons} reasons
 * @param {PasswordForm | null} form where the person has to give the machine's password
 */
async function runConsole(token, novnc, reasons, form) {
  const screen = /** @type {HTMLElement} */ (document.getElementById('screen'));
  const status = new Status();
  const toolbar = new Toolbar({
    ctrlAltDel: () => session?.sendCtrlAltDel(),
    disconnect: () => session?.disconnect(),
    reconnect: () => begin(),
    focusScreen: () => session?.focus(),
  });
  /** @type {any} */
  let RFB;
  /** @type {Session | null} */
  let session = null;

  /** @param {import('./reasons.js').Ending} ending */
  const end = (ending) => {
    session = null;
    screen.inert = true;
    status.ended(ending, ending.retry && token !== null);
    toolbar.follow('ended');
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
    status.connecting();
    toolbar.follow('connecting');
    try {
      session = new Session(RFB, token ?? '', screen, {
        connected: () => {
          screen.inert = false;
          status.connected();
          toolbar.follow('connected');
          session?.focus();
        },
        named: (name) => status.named(name),
        roundTrip: (ms) => status.roundTrip(ms),
        idleSoon: (seconds) => status.idleSoon(seconds),
        idleOver: () => status.idleOver(),
        permitted: ({ viewOnly }) => {
          status.viewOnly(viewOnly);
          toolbar.viewOnly(viewOnly);
        },
        ended: (known) => end(reasons.explain(known)),
      }, password);
    } catch (error) {
      // A WebSocket takes no sub-protocol with a space or the like in it, and no token has one.
      const code = error?.name === 'SyntaxError' ? 'token_invalid' : 'viewer_failed';
      end(reasons.named(code));
    }
  };

  status.loading();
  toolbar.follow('loading');
  if (token === null) {
    end(reasons.named('token_missing'));
    return;
  }
  try {
    RFB = await loadNovnc(novnc);
  } catch (error) {
    end(reasons.named('viewer_unloadable', error instanceof Error ? error.message : String(error)));
    return;
  }
  begin();
}
