/** A WebSocket that a test opens, feeds and closes by hand. */
export class FakeSocket extends EventTarget {
  /** Every socket that was made, the latest last. */
  static made = [];

  readyState = 0;
  protocol = '';
  binaryType = 'blob';
  sent = [];
  closedWith = [];

  constructor(url, protocols) {
    super();
    this.url = String(url);
    this.protocols = protocols;
    FakeSocket.made.push(this);
  }

  send(bytes) {
    this.sent.push(bytes);
  }

  close(code) {
    this.closedWith.push(code);
    this.readyState = 2;
  }

  open(protocol) {
    this.readyState = 1;
    this.protocol = protocol;
    this.dispatchEvent(new Event('open'));
  }

  receive(data) {
    this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }

  end(code, reason) {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event('close'), { code, reason }));
  }
}
