/**
 * Nothing on this page waits for ever.
 */

/**
 * Settles as `promise` does, or rejects with `message` when that takes too long.
 *
 * The promise itself cannot be stopped; what it yields late is dropped.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {number} limit milliseconds
 * @param {string} message what the error says when time is up
 * @returns {Promise<T>}
 */
export function within(promise, limit, message) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(message)), limit);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
