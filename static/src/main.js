/**
 * The console page, from the token in the address bar to the last word.
 *
 * Nothing here is global. The page that says why a link is refused loads this too, for its first
 * line alone.
 */

import { loadNovnc } from './novnc.js';
import { Reasons } from './reasons.js';
import { Session } from './session.js';
import { Status } from './status.js';
import { takeToken } from './token.js';
import { Toolbar } from './toolbar.js';

const token = takeToken(location, history);

const { novnc, reasons } = document.documentElement.dataset;
if (novnc !== undefined) {
  runConsole(token, new URL(novnc, document.baseURI), Reasons.parse(reasons));
}

/**
 * @param {string | null} token
 * @param {URL} novnc
 * @param {Reasons} reasons
 */
async function runConsole(token, novnc, reasons) {
  const screen = /** @type {HTMLElement} */ (document.getElementById('screen'));
  const status = new Status();
  const toolbar = new Toolbar({
    ctrlAltDel: () => session?.sendCtrlAltDel(),
    disconnect: () => session?.disconnect(),
    reconnect: () => connect(),
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

  const connect = () => {
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
        ended: (known) => end(reasons.explain(known)),
      });
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
  connect();
}
