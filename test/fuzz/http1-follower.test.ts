import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Http1Follower } from '../../egress/http1-follower.ts';
import type { Complete } from '../../egress/name-completion.ts';
import { readCorpus } from './support/corpus.ts';
import { HTTP1_WORDS, referenceHost } from './support/http1-requests.ts';
import { type ReferenceMessage, readRequests } from './support/llhttp.ts';
import { mutatedInputs } from './support/mutated.ts';
import { type FuzzInput, forEachInput, piecesOf, singleBytes } from './support/runs.ts';

const CORPUS = readCorpus('http1-requests', 'latin1');
const completesNothing: Complete = () => undefined;
const completesShortNames: Complete = (name) => (/^[a-z]$/i.test(name) ? `${name}.shop` : undefined);

interface Followed {
  readonly sent: Buffer;
  readonly hosts: readonly string[];
  readonly hasGivenUp: boolean;
}

function follow(pieces: readonly Buffer[], complete?: Complete): Followed {
  const sent: Buffer[] = [];
  const hosts: string[] = [];
  const owner = {
    forward: (bytes: Buffer) => void sent.push(bytes),
    onRequest: ({ host }: { readonly host: string }) => void hosts.push(host),
    abort: () => assert.fail('aborted'),
  };
  const follower = new Http1Follower(owner, complete);
  for (const piece of pieces) follower.fromClient(piece);
  const { hasGivenUp } = follower;
  follower.clientEnded();
  return { sent: Buffer.concat(sent), hosts, hasGivenUp };
}

function checkFollower(input: FuzzInput): void {
  for (const complete of [undefined, completesNothing]) {
    const { sent } = follow(piecesOf(input), complete);
    assert.ok(sent.equals(input.bytes), 'no byte is changed or lost');
  }
  const exact = follow(singleBytes(input.bytes), completesShortNames);
  assert.deepEqual(follow(piecesOf(input), completesShortNames), exact, 'however it is cut');
  assert.deepEqual(follow(piecesOf(input)).hosts, exact.hosts);
  if (!exact.hasGivenUp) checkCompleted(input.bytes, exact);
}

/** Where the library accepts the bytes, the requests that were read are the same but for the names. */
function checkCompleted(bytes: Buffer, { sent, hosts }: Followed): void {
  const [before, after] = [readRequests(bytes), readRequests(sent)];
  if (before.brokenAt !== undefined) return;
  assert.equal(after.messages.length, before.messages.length);
  for (const [at, message] of after.messages.slice(0, hosts.length).entries()) {
    const original = before.messages[at];
    assert.ok(original);
    assert.equal(message.method, original.method);
    assert.equal(referenceHost(message), completedHost(original));
  }
}

/** Names in targets are completed where Envoy would look for them. */
function completedHost(message: ReferenceMessage): string {
  const host = referenceHost(message);
  const isLookedAt = /^([/*]|https?:\/\/[^/?#@]*([/?#]|$))/i.test(message.target) && message.method !== 'CONNECT';
  return (isLookedAt ? completesShortNames(host) : undefined) ?? host;
}

for (const [name, bytes] of CORPUS) {
  test(`requests of the corpus pass as they are but for names that are completed: ${name}`, () => {
    checkFollower({ bytes, cuts: [] });
  });
}

test('any bytes pass as they are but for names that are completed, however they are cut', () => {
  forEachInput(mutatedInputs(CORPUS.values(), HTTP1_WORDS), checkFollower);
});
