/**
 * The machine's password, where the person alone has it: asked for once per attempt, passed on,
 * and kept nowhere.
 */

export class PasswordForm {
  #form = /** @type {HTMLFormElement} */ (document.getElementById('password-form'));
  #input = /** @type {HTMLInputElement} */ (document.getElementById('password'));
  /** @type {((password: string) => void) | null} */
  #given = null;

  constructor() {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const password = this.#input.value;
      this.#form.reset();
      this.#form.hidden = true;
      const given = this.#given;
      this.#given = null;
      given?.(password);
    });
  }

  /** @param {(password: string) => void} given is called once, with what the person typed */
  ask(given) {
    this.#given = given;
    this.#form.hidden = false;
    this.#input.focus();
  }
}
