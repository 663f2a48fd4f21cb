// Goes through a tunnel of XAPI with Node's own HTTP client, as far as the console's size: the other
// opinion about what our fake host says. Usage: node connect.mjs PORT PATH COOKIE
// Prints one line of JSON: the status, and the size and name of the desktop behind a yes.

import { request } from 'node:http';

const [port, path, cookie] = process.argv.slice(2);
const asking = request({ host: '127.0.0.1', port, path, method: 'CONNECT', headers: { Cookie: cookie } });
asking.on('error', (error) => { throw error; });
asking.on('connect', async (answer, stream, head) => {
  const said = { status: answer.statusCode };
  if (answer.statusCode === 200) {
    let arrived = head;
    let more = () => {};
    stream.on('data', (bytes) => {
      arrived = Buffer.concat([arrived, bytes]);
      more();
    });
    const read = async (length) => {
      while (arrived.length < length) await new Promise((resolve) => { more = resolve; });
      const bytes = arrived.subarray(0, length);
      arrived = arrived.subarray(length);
      return bytes;
    };
    stream.write(await read(12));
    said.type = (await read(4)).readUInt32BE();
    stream.write(Buffer.from([1]));
    const init = await read(24);
    said.size = [init.readUInt16BE(0), init.readUInt16BE(2)];
    said.name = (await read(init.readUInt32BE(20))).toString();
  }
  console.log(JSON.stringify(said));
  stream.destroy();
});
asking.end();
