// A client of type 6 (RA2ne) made of noVNC's own code: the other opinion about what our fake
// server, and with it the gateway, says. Usage: node ra2ne.mjs PORT USERNAME PASSWORD
// Prints one line of JSON: what the server asked for, its key, and the SecurityResult.

import { createHash } from 'node:crypto';
import { connect } from 'node:net';

// noVNC expects a browser; of it, this part needs WebCrypto alone.
globalThis.window ??= globalThis;

const { default: Authentication } =
    await import('../../static/node_modules/@novnc/novnc/core/ra2.js');

/** noVNC's receive and send queues, over a TCP connection. */
class Socket {
    constructor(stream, arrived) {
        this.stream = stream;
        this.queue = Buffer.alloc(0);
        this.sending = [];
        stream.on('data', (data) => {
            this.queue = Buffer.concat([this.queue, data]);
            arrived();
        });
    }

    rQwait(_, length) {
        return this.queue.length < length;
    }

    rQpeekBytes(length) {
        return Uint8Array.from(this.queue.subarray(0, length));
    }

    rQshiftBytes(length) {
        if (this.rQwait('', length)) {
            throw new Error(`${length} bytes are not there`);
        }
        const bytes = this.rQpeekBytes(length);
        this.queue = this.queue.subarray(length);
        return bytes;
    }

    rQshift16() {
        return Buffer.from(this.rQshiftBytes(2)).readUInt16BE();
    }

    rQshift32() {
        return Buffer.from(this.rQshiftBytes(4)).readUInt32BE();
    }

    sQpushBytes(bytes) {
        this.sending.push(Buffer.from(bytes));
    }

    flush() {
        this.stream.write(Buffer.concat(this.sending));
        this.sending = [];
    }
}

const [port, username, password] = process.argv.slice(2);
const stream = connect({ host: '127.0.0.1', port: Number(port), noDelay: true });
let waiting = () => {};
const socket = new Socket(stream, () => waiting());

/** Waits until so many bytes are there, and takes them. */
async function read(length) {
    while (socket.rQwait('', length)) {
        await new Promise((resolve) => { waiting = resolve; });
    }
    return Buffer.from(socket.rQshiftBytes(length));
}

stream.on('error', (error) => { throw error; });
stream.on('close', () => process.exit(process.exitCode ?? 3));

const said = {};
stream.write(await read(12));
const [count] = await read(1);
if (!(await read(count)).includes(6)) {
    throw new Error('type 6 is not offered');
}
stream.write(Buffer.from([6]));

const authentication = new Authentication(socket, () => ({ username, password }));
waiting = () => authentication.checkInternalEvents();
authentication.addEventListener('serververification', ({ detail }) => {
    said.key = createHash('sha256').update(detail.publickey).digest('hex');
    queueMicrotask(() => authentication.approveServer());
});
await authentication.negotiateRA2neAuthAsync();
said.result = (await read(4)).readUInt32BE();
if (said.result === 0) {
    stream.write(Buffer.from([1]));
    await read(20);
    const length = (await read(4)).readUInt32BE();
    said.name = (await read(length)).toString();
}
console.log(JSON.stringify(said));
process.exitCode = 0;
stream.end();
