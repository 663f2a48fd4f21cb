/**
 * The buttons, and the way from the machine's screen to them by keyboard.
 */

/** @param {string} id */
const button = (id) => /** @type {HTMLButtonElement} */ (document.getElementById(id));

/**
 * What the buttons do.
 * @typedef {{ ctrlAltDel: () => void, disconnect: () => void, reconnect: () => void,
 *   focusScreen: () => void }} Actions
 */

export class Toolbar {
  #ctrlAltDel = button('ctrl-alt-del');
  #disconnect = button('disconnect');
  #fullScreen = button('full-screen');
  #state = 'loading';
  #viewOnly = false;

  /** @param {Actions} actions */
  constructor(actions) {
    this.#ctrlAltDel.addEventListener('click', () => {
      actions.ctrlAltDel();
      actions.focusScreen();
    });
    this.#disconnect.addEventListener('click', () => actions.disconnect());
    button('reconnect').addEventListener('click', () => actions.reconnect());

    if (document.fullscreenEnabled) {
      this.#fullScreen.hidden = false;
      this.#fullScreen.addEventListener('click', async () => {
        await toggleFullScreen();
        actions.focusScreen();
      });
      document.addEventListener('fullscreenchange', () => {
        const full = document.fullscreenElement !== null;
        this.#fullScreen.textContent = full ? 'Leave full screen' : 'Full screen';
      });
    }

    // While the machine has the keyboard it gets Tab as well. Ctrl-Alt-Home leads out of it, as in
    // other remote desktops; it must be seen before noVNC does.
    window.addEventListener('keydown', (event) => {
      if (event.code === 'Home' && event.ctrlKey && event.altKey && !event.shiftKey) {
        event.preventDefault();
        event.stopImmediatePropagation();
        this.#firstUsable().focus();
      }
    }, { capture: true });
  }

  /** @param {string} state as in `data-state` */
  follow(state) {
    this.#state = state;
    this.#ctrlAltDel.disabled = state !== 'connected' || this.#viewOnly;
    this.#disconnect.disabled = !['connecting', 'connected', 'reconnecting'].includes(state);
  }

  /** @param {boolean} viewOnly whether nothing that is done here reaches the machine */
  viewOnly(viewOnly) {
    this.#viewOnly = viewOnly;
    this.follow(this.#state);
  }

  #firstUsable() {
    const buttons = [this.#ctrlAltDel, this.#fullScreen, this.#disconnect];
    return buttons.find((each) => !each.disabled && !each.hidden) ?? this.#disconnect;
  }
}

async function toggleFullScreen() {
  try {
    if (document.fullscreenElement) {
      await document.exitFullscreen();
    } else {
      await document.documentElement.requestFullscreen({ navigationUI: 'hide' });
    }
  } catch {
    // The browser, or the page that frames this one, does not allow it: then the window stays.
  }
}
