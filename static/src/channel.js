/**
 * The one WebSocket carries two things: RFB in binary frames, for noVNC, and the gateway's
 * messages in text frames, for the page. This keeps them apart.
 */

/**
 * What noVNC takes for its WebSocket: the binary frames alone.
 *
 * noVNC looks for the eight properties of a raw channel (`send`, `close`, `binaryType`, `onerror`,
 * `onmessage`, `onopen`, `protocol`, `readyState`) on the object and its immediate prototype, and
 * assigns its handlers to the `on...` ones.
 */
export class BinaryChannel {
  /** Only ever `arraybuffer`; here because noVNC sets it. */
  binaryType = 'arraybuffer';
  /** @type {((event: Event) => void) | null} */
  onopen = null;
  /** @type {((event: MessageEvent) => void) | null} */
  onmessage = null;
  /** @type {((event: CloseEvent) => void) | null} */
  onclose = null;
  /** @type {((event: Event) => void) | null} */
  onerror = null;

  #socket;
  #onClosing;
  #closing = false;
  #detached = false;

  /**
   * @param {WebSocket} socket
   * @param {{ onText: (text: string) => void, onClosing: () => void }} to where the text frames
   *   go, and who is told when noVNC wants the socket closed. The socket is not closed here: after
   *   a refusal the gateway's own explanation is still on its way.
   */
  constructor(socket, { onText, onClosing }) {
    this.#socket = socket;
    this.#onClosing = onClosing;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', (event) => this.onopen?.(event));
    socket.addEventListener('error', (event) => this.onerror?.(event));
    socket.addEventListener('message', (event) => {
      if (typeof event.data === 'string') {
        onText(event.data);
      } else if (!this.#closing) {
        this.onmessage?.(event);
      }
    });
    socket.addEventListener('close', (event) => {
      if (!this.#detached) {
        this.onclose?.(event);
      }
    });
  }

  /** The sub-protocol that the gateway chose. */
  get protocol() {
    return this.#socket.protocol;
  }

  /** As noVNC sees it: closing from the moment it asked for that. */
  get readyState() {
    const state = this.#socket.readyState;
    return this.#closing && state < 2 ? 2 : state;
  }

  /** @param {ArrayBufferView<ArrayBuffer>} bytes */
  send(bytes) {
    if (!this.#closing) {
      this.#socket.send(bytes);
    }
  }

  /** noVNC is done: no more bytes in either direction. */
  close() {
    if (!this.#closing) {
      this.#closing = true;
      this.#onClosing();
    }
  }

  /** noVNC has let go and would take a late close event for an error. */
  detach() {
    this.#detached = true;
  }
}
