import { type GateOwner, Http1Gate } from '../../../egress/http1-gate.ts';
import type { RequestHead } from '../../../egress/http1-head.ts';

const BUFFER_BYTES = 65_536;

/** A connection without sockets: each host has its upstream, there at once, and what it was sent is kept. */
export class FakeConnection implements GateOwner {
  readonly gate = new Http1Gate(this, BUFFER_BYTES);
  /** What was forwarded, in order: `host|bytes`, joined while the host is the same. */
  readonly sent: { readonly host: string; text: string }[] = [];
  attached: string | undefined;
  lostRequests = 0;
  replacements = 0;
  #wanted = '';

  accepts({ host }: RequestHead): boolean {
    this.#wanted = host;
    return host === this.attached;
  }

  forward(bytes: Buffer): void {
    const last = this.sent.at(-1);
    if (last?.host === this.attached && last) last.text += bytes.toString('latin1');
    else this.sent.push({ host: this.attached ?? 'nowhere', text: bytes.toString('latin1') });
  }

  replace(): void {
    this.replacements += 1;
    this.attached = this.#wanted;
  }

  lost(): void {
    this.lostRequests += 1;
  }

  get text(): string {
    return this.sent.map(({ text }) => text).join('');
  }
}
