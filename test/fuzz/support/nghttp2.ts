/** Node's own HTTP/2 server, that is nghttp2, as a second opinion on what a client sends. */
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import { Duplex } from 'node:stream';

/** Turns of the event loop in which a session reads what is there. */
const TURNS = 6;

export interface Http2Request {
  readonly stream: number;
  /** Names and values in turn. */
  readonly fields: readonly string[];
}

export interface Http2Verdict {
  /** In order; without those that are malformed as requests. */
  readonly requests: readonly Http2Request[];
  /** The connection was not given up. */
  readonly isAlive: boolean;
}

export class Http2Judge {
  readonly #server: Http2Server = createServer({
    maxHeaderListPairs: 4_000,
    settings: { maxHeaderListSize: 256 * 1024 },
  });

  constructor() {
    this.#server.on('sessionError', () => {});
  }

  /** What it makes of a connection whose client sends this. */
  async judge(bytes: Buffer): Promise<Http2Verdict> {
    const requests: Http2Request[] = [];
    let isAlive = true;
    this.#server.once('session', (session: ServerHttp2Session) => {
      session.on('stream', (stream, _headers, _flags, rawHeaders: readonly string[]) => {
        requests.push({ stream: stream.id ?? 0, fields: rawHeaders });
        stream.on('error', () => {});
      });
      session.on('error', () => {
        isAlive = false;
      });
    });
    const wire = new Duplex({
      read() {},
      write(_chunk, _encoding, done) {
        done();
      },
    });
    wire.on('error', () => {});
    this.#server.emit('connection', wire);
    wire.push(bytes);
    for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    wire.destroy();
    return { requests, isAlive };
  }
}
