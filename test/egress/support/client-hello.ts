import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';

/** The first record of a TLS connection, as Node's client sends it. */
export async function clientHello(serverName?: string): Promise<Buffer> {
  const sent: Buffer[] = [];
  const wire = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      sent.push(chunk);
      wire.emit('sent');
      done();
    },
  });
  const first = once(wire, 'sent');
  const client = connect({ socket: wire, ...(serverName === undefined ? {} : { servername: serverName }) });
  client.on('error', () => {});
  await first;
  client.destroy();
  return Buffer.concat(sent);
}

/** The same handshake message cut into records of at most so many bytes. */
export function inRecordsOf(size: number, hello: Buffer): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(records);
}
