/** To whom the bytes of a change went: to clients that use what changed, or to others. */
import type { Traffic } from './xds-side.ts';

export interface SentBytes {
  /** Of messages, to clients that use the service. */
  readonly toUsers: number;
  /** Of the resources in them. */
  readonly resources: number;
  /** Of messages, to all other clients. */
  readonly toOthers: number;
  /** Of frames without a message, to anybody: keep-alive, flow control. */
  readonly control: number;
  /** Changes times clients that use the service. */
  readonly users: number;
  /** Changes times all other clients. */
  readonly others: number;
}

export const NO_BYTES: SentBytes = { toUsers: 0, resources: 0, toOthers: 0, control: 0, users: 0, others: 0 };

/** What came in between two readings. */
export function addedTraffic(before: Traffic, after: Traffic): Traffic {
  const added = (key: keyof Traffic): number[] => after[key].map((bytes, client) => bytes - (before[key][client] ?? 0));
  return { messages: added('messages'), resources: added('resources'), control: added('control') };
}

/** @param users indices of the clients that use what changed */
export function sentBytes({ messages, resources, control }: Traffic, users: ReadonlySet<number>): SentBytes {
  const sum = (bytes: readonly number[], isCounted: (client: number) => boolean): number =>
    bytes.reduce((total, each, client) => (isCounted(client) ? total + each : total), 0);
  const isUser = (client: number): boolean => users.has(client);
  return {
    toUsers: sum(messages, isUser),
    resources: sum(resources, isUser),
    toOthers: sum(messages, (client) => !isUser(client)),
    control: sum(control, () => true),
    users: users.size,
    others: messages.length - users.size,
  };
}

export function sumOf(all: readonly SentBytes[]): SentBytes {
  const keys = Object.keys(NO_BYTES) as (keyof SentBytes)[];
  const sums = keys.map((key) => [key, all.reduce((sum, each) => sum + each[key], 0)]);
  return Object.fromEntries(sums);
}
