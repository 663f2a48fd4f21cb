/**
 * The token: taken out of the address bar, then held in memory only.
 */

/**
 * Takes `token` out of the page's address and returns it.
 *
 * Afterwards neither the address bar nor the browser's history holds it. Other parameters stay.
 *
 * @param {Pick<Location, 'href'>} location
 * @param {Pick<History, 'replaceState' | 'state'>} history
 * @returns {string | null} the token, or null when the address carries none
 */
export function takeToken(location, history) {
  const url = new URL(location.href);
  const token = url.searchParams.get('token');
  if (token === null) {
    return null;
  }
  url.searchParams.delete('token');
  history.replaceState(history.state, '', url.pathname + url.search + url.hash);
  return token === '' ? null : token;
}
