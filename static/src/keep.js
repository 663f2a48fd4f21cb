/**
 * What a page comes back to its session with: the resume secret.
 *
 * It is held in memory and in `sessionStorage`, which a reload keeps and another tab does not see,
 * and never in an address, a cookie or `localStorage`. The address bar names the session by its
 * id, which opens nothing: so a reload finds the right secret, also where a tab has shown several
 * consoles or frames of one tab show several at once, and a copied address finds none.
 */

/** What the keys in `sessionStorage` begin with; the session's id follows. */
const PREFIX = 'fanlight.resume.';
/** The parameter of the address that names the session. */
const PARAMETER = 'session';
/** How many sessions a tab remembers at most. */
const MOST = 16;
/** Milliseconds to come back within, where the gateway did not say. */
const USUAL_GRACE = 300_000;

/**
 * `asks` is whether the person gives the machine's password, `grace` how many milliseconds a lost
 * session may be gone.
 * @typedef {{ secret: string, asks: boolean, grace: number }} Kept
 */

export class Keep {
  #storage;
  #location;
  #history;
  /** @type {Kept | null} */
  #kept = null;

  /**
   * @param {() => Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>} storage
   *   is asked each time, since a browser that keeps nothing for a framed page throws already there
   * @param {Pick<Location, 'href'>} location
   * @param {Pick<History, 'replaceState' | 'state'>} history
   */
  constructor(storage, location, history) {
    this.#storage = storage;
    this.#location = location;
    this.#history = history;
  }

  /** What there is to come back with. */
  get kept() {
    return this.#kept;
  }

  /** The id of the session that the address names, or null. */
  get named() {
    return new URL(this.#location.href).searchParams.get(PARAMETER);
  }

  /** Looks for what an earlier page in this tab has kept for the session of the address. */
  find() {
    const session = this.named;
    if (session === null) {
      return;
    }
    const kept = read(this.#try((storage) => storage.getItem(PREFIX + session)));
    // Whatever stands there under another session's name is not what was put there.
    this.#kept = kept?.secret.startsWith(`${session}.`) ? kept : null;
  }

  /**
   * Keeps the newest secret of a session, and names the session in the address bar.
   * @param {{ secret: string, asks: boolean, grace: number | null }} told
   */
  hold({ secret, asks, grace }) {
    this.#kept = { secret, asks, grace: grace ?? USUAL_GRACE };
    const session = idOf(secret);
    const entry = JSON.stringify({ ...this.#kept, at: Date.now() });
    this.#try((storage) => {
      storage.setItem(PREFIX + session, entry);
      dropOldest(storage);
    });
    const url = new URL(this.#location.href);
    url.searchParams.set(PARAMETER, session);
    this.#history.replaceState(this.#history.state, '', url.pathname + url.search + url.hash);
  }

  /** There is no way back: neither from here nor after a reload. */
  forget() {
    if (this.#kept === null) {
      return;
    }
    const session = idOf(this.#kept.secret);
    this.#kept = null;
    this.#try((storage) => storage.removeItem(PREFIX + session));
  }

  /**
   * Works on the storage. Without one the secret lives in memory alone: a lost connection is
   * still come back from, a reload is not.
   *
   * @template T
   * @param {(storage: ReturnType<Keep['#storage']>) => T} work
   * @returns {T | null}
   */
  #try(work) {
    try {
      return work(this.#storage());
    } catch {
      return null;
    }
  }
}

/**
 * @param {string | null} entry
 * @returns {Kept | null}
 */
function read(entry) {
  try {
    const { secret, asks, grace } = JSON.parse(entry ?? 'null');
    return typeof secret === 'string' && Number.isFinite(grace)
      ? { secret, asks: asks === true, grace }
      : null;
  } catch {
    return null;
  }
}

/** @param {string} secret begins with the id of its session */
const idOf = (secret) => secret.slice(0, secret.indexOf('.'));

/** @param {Pick<Storage, 'getItem' | 'removeItem' | 'key' | 'length'>} storage */
function dropOldest(storage) {
  const all = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '');
  const ours = all.filter((key) => key.startsWith(PREFIX));
  const age = (key) => JSON.parse(storage.getItem(key) ?? '{}')?.at ?? 0;
  ours.sort((one, other) => age(other) - age(one));
  for (const key of ours.slice(MOST)) {
    storage.removeItem(key);
  }
}
