/**
 * The move to another gateway, while the one that is about to go still shows the machine.
 */

/** Milliseconds within which the first attempt is made, and the first pause after one in vain. */
const FIRST = 500;
/** The longest pause. */
const LONGEST = 8_000;

/** Attempts with growing pauses, from the gateway's word to the first that arrives. */
export class Move {
  #attempt;
  #random;
  #attempts = 0;
  /** @type {ReturnType<typeof setTimeout> | null} */
  #timer = null;
  #wanted = false;

  /**
   * @param {() => void} attempt
   * @param {() => number} [random] from 0 to 1, so that not all pages go at once
   */
  constructor(attempt, random = Math.random) {
    this.#attempt = attempt;
    this.#random = random;
  }

  /** The gateway asks for it. That it asks again is no news. */
  begin() {
    if (!this.#wanted) {
      this.#wanted = true;
      this.#attempts = 0;
      this.#plan(FIRST * this.#random());
    }
  }

  /** An attempt was in vain. */
  again() {
    if (this.#wanted) {
      const pause = Math.min(LONGEST, FIRST * 2 ** this.#attempts);
      this.#plan(pause * (0.5 + this.#random() / 2));
    }
  }

  /** There is nothing to move to or from any more. */
  stop() {
    clearTimeout(this.#timer ?? undefined);
    this.#timer = null;
    this.#wanted = false;
  }

  /** @param {number} pause milliseconds */
  #plan(pause) {
    this.#attempts += 1;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#attempt();
    }, pause);
  }
}
