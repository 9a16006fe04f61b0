/**
 * What go-control-plane, the reference implementation of a delta server, holds itself to: its clauses about
 * subscriptions, wildcards, versions and streams, here for clusters (where a wildcard exists) and endpoints. Where we
 * answer more than it does, the test says so.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { next, receive } from '../../../../controller/core/delta/delta.ts';
import { line, MemoryStream } from '../../../support/ads/memory-stream.ts';
import { TYPES, testCodec, world } from '../../../support/ads/worlds.ts';

const ABC = { CDS: 'a b c' };

/** A stream whose first request was answered and acknowledged. */
function opened(lines: Parameters<typeof world>[0], fields: Parameters<MemoryStream['request']>[1] = {}): MemoryStream {
  const stream = new MemoryStream(world(lines));
  stream.request('CDS', fields);
  stream.settle();
  return stream;
}

describe('subscription, legacy wildcard', () => {
  test('no name in the first request is a wildcard, and its versions are what the client holds', () => {
    const stream = new MemoryStream(world({ CDS: 'a b@2' }));
    stream.request('CDS', { holds: { a: '1', b: '1' } });
    stream.expect('CDS +b@2');
  });

  test('a request without names changes nothing', () => {
    const stream = opened(ABC);
    stream.request('CDS');
    stream.expectSilence();
    stream.publish(world({ CDS: 'a b c d' }));
    stream.expect('CDS +d');
  });

  test('naming a resource adds to the wildcard and does not end it', () => {
    const stream = opened(ABC);
    stream.request('CDS', { subscribe: ['a'] });
    stream.expect('CDS +a');
    stream.ack('CDS');
    stream.publish(world({ CDS: 'a@2 b@2 c' }));
    stream.expect('CDS +a@2 +b@2');
  });

  test('unsubscribing a named resource leaves the wildcard, and the resource is sent again', () => {
    const stream = opened(ABC);
    stream.request('CDS', { subscribe: ['a'] });
    stream.settle();
    stream.request('CDS', { unsubscribe: ['a'] });
    stream.expect('CDS +a');
    stream.ack('CDS');
    stream.publish(world({ CDS: 'a@2 b c' }));
    stream.expect('CDS +a@2');
  });

  test('it ends when "*" is unsubscribed, which legacy clients never named', () => {
    const stream = opened(ABC, {});
    stream.request('CDS', { unsubscribe: ['*'] });
    stream.publish(world({ CDS: 'a@2' }));
    stream.expectSilence();
  });

  test('an unsubscription in the first request does not make names of it: it is a wildcard still', () => {
    const stream = new MemoryStream(world(ABC));
    stream.request('CDS', { unsubscribe: ['a'] });
    stream.expect('CDS +a +b +c');
  });

  test('a first request that unsubscribes "*" asks for nothing', () => {
    const stream = new MemoryStream(world(ABC));
    stream.request('CDS', { unsubscribe: ['*'] });
    stream.expectSilence();
    stream.request('CDS', { subscribe: ['b'] });
    stream.expect('CDS +b');
  });
});

describe('subscription, "*"', () => {
  test('it is a wildcard from the first request on', () => {
    const stream = new MemoryStream(world(ABC));
    stream.request('CDS', { subscribe: ['*'], holds: { a: '1', b: '0' } });
    stream.expect('CDS +b +c');
  });

  test('a request without names keeps it', () => {
    const stream = opened(ABC, { subscribe: ['*'] });
    stream.request('CDS');
    stream.publish(world({ CDS: 'a b c d' }));
    stream.expect('CDS +d');
  });

  test('a name added to it is answered, and ending it leaves the name', () => {
    const stream = opened(ABC, { subscribe: ['*'] });
    stream.request('CDS', { subscribe: ['b'] });
    stream.expect('CDS +b');
    stream.ack('CDS');
    stream.request('CDS', { unsubscribe: ['*'] });
    stream.expectSilence();
    stream.publish(world({ CDS: 'a@2 b@2 c@2' }));
    stream.expect('CDS +b@2');
  });

  test('one name out and another in, while it stands: both are answered', () => {
    const stream = opened(ABC, { subscribe: ['*', 'a'] });
    stream.request('CDS', { subscribe: ['b'], unsubscribe: ['a'] });
    stream.expect('CDS +a +b');
  });

  test('a missing name unsubscribed while it stands is told as removed', () => {
    const stream = opened(ABC, { subscribe: ['*', 'a', 'ghost'] });
    stream.request('CDS', { unsubscribe: ['a', 'ghost'] });
    assert.deepEqual(stream.settle(), ['CDS -ghost', 'CDS +a']);
  });

  test('ending it while subscribing to a name sends that name', () => {
    const stream = opened(ABC, { subscribe: ['*'] });
    stream.request('CDS', { subscribe: ['c'], unsubscribe: ['*'] });
    stream.expect('CDS +c');
  });

  test('without any name left it does not come back, whatever empty request follows', () => {
    const stream = opened(ABC, { subscribe: ['*', 'a'] });
    stream.request('CDS', { unsubscribe: ['*'] });
    stream.request('CDS', { unsubscribe: ['a'] });
    stream.request('CDS');
    stream.publish(world({ CDS: 'a@2 b@2' }));
    stream.expectSilence();
  });

  test('unsubscribing it without having it is ignored', () => {
    const stream = opened(ABC, { subscribe: ['a'] });
    stream.request('CDS', { unsubscribe: ['*'] });
    stream.expectSilence();
    stream.publish(world({ CDS: 'a@2 b@2' }));
    stream.expect('CDS +a@2');
  });

  test('subscribed again it sends all that the client does not hold', () => {
    const stream = opened(ABC, { subscribe: ['*', 'a'] });
    stream.request('CDS', { unsubscribe: ['*'] });
    stream.request('CDS', { subscribe: ['*'] });
    stream.expect('CDS +b +c');
  });

  test('subscribed again it is answered even when the client holds everything', () => {
    const stream = opened({ CDS: 'a' }, { subscribe: ['a'] });
    stream.request('CDS', { subscribe: ['*'] });
    stream.expect('CDS');
  });

  test('unsubscribing a name that was never subscribed is ignored', () => {
    const stream = opened(ABC, { subscribe: ['*', 'a'] });
    stream.request('CDS', { unsubscribe: ['b', 'ghost'] });
    stream.expectSilence();
    stream.publish(world({ CDS: 'a b@2 c' }));
    stream.expect('CDS +b@2');
  });
});

describe('watch', () => {
  test('the first wildcard request is answered even if empty, which ends the start of Envoy; then there is silence', () => {
    const stream = new MemoryStream(world({}));
    stream.request('CDS');
    stream.expect('CDS');
    stream.ack('CDS');
    stream.expectSilence();
    stream.publish(world({ CDS: 'a' }));
    stream.expect('CDS +a');
  });

  test('two clients with the same wildcard get the same, each once', () => {
    const streams = [new MemoryStream(world({})), new MemoryStream(world({}))];
    const appeared = world({ CDS: 'a' });
    for (const stream of streams) stream.request('CDS');
    for (const stream of streams) stream.settle();
    for (const stream of streams) stream.publish(appeared);
    for (const stream of streams) assert.deepEqual(stream.settle(), ['CDS +a']);
  });

  test('of the names that exist others are not sent; one that does not is told as removed, where the reference is silent', () => {
    const stream = new MemoryStream(world({ EDS: 'a b' }));
    stream.request('EDS', { subscribe: ['b', 'c'] });
    stream.expect('EDS -c', 'EDS +b');
  });

  test('a held equal version is not sent to a wildcard, but every name is answered, where the reference is silent', () => {
    const wildcard = new MemoryStream(world({ CDS: 'a b' }));
    wildcard.request('CDS', { holds: { b: '1' } });
    wildcard.expect('CDS +a');
    const names = new MemoryStream(world({ CDS: 'a b' }));
    names.request('CDS', { subscribe: ['a', 'b'], holds: { b: '1' } });
    names.expect('CDS +a +b');
  });

  test('endpoints are sent again after a reconnect though their version is held (go-control-plane#583)', () => {
    const stream = new MemoryStream(world({ EDS: 'a b' }));
    stream.request('EDS', { subscribe: ['a', 'b'], holds: { a: '1', b: '1' } });
    stream.expect('EDS +a +b');
  });

  test('an update sends what changed and nothing else', () => {
    const stream = new MemoryStream(world({ EDS: 'a b' }));
    stream.request('EDS', { subscribe: ['a', 'b'] });
    stream.settle();
    stream.publish(world({ EDS: 'a@2 b' }));
    stream.expect('EDS +a@2');
  });

  test('a deletion names what is gone, an update of another resource goes with it', () => {
    const stream = new MemoryStream(world({ EDS: 'a b' }));
    stream.request('EDS', { subscribe: ['a', 'b'] });
    stream.settle();
    stream.publish(world({ EDS: 'a@2' }));
    assert.deepEqual(stream.settle(), ['EDS -b', 'EDS +a@2']);
  });

  test('a resource that nobody watches comes and goes in silence', () => {
    const stream = new MemoryStream(world({ EDS: 'a' }));
    stream.request('EDS', { subscribe: ['a'] });
    stream.settle();
    stream.publish(world({ EDS: 'a other' }));
    stream.expectSilence();
    stream.publish(world({ EDS: 'a' }));
    stream.expectSilence();
  });

  test('a deleted resource that is watched still is sent when it returns', () => {
    const stream = new MemoryStream(world({ EDS: 'a b' }));
    stream.request('EDS', { subscribe: ['a', 'b'] });
    stream.settle();
    stream.publish(world({ EDS: 'a' }));
    stream.settle();
    stream.publish(world({ EDS: 'a b' }));
    stream.expect('EDS +b');
  });

  test('a wildcard is told what is created, changed and deleted', () => {
    const stream = opened({ CDS: 'a b c' });
    stream.wait(5000);
    stream.publish(world({ CDS: 'a@2 b d' }));
    assert.deepEqual(stream.settle(), ['CDS +a@2 +d', 'CDS -c']);
  });

  test('no version of a deleted resource is remembered: it is sent though it returns unchanged', () => {
    const stream = opened({ CDS: 'a b' });
    stream.wait(5000);
    for (const lines of [{ CDS: 'a' }, { CDS: 'a b' }]) stream.publish(world(lines));
    stream.expectSilence();
    stream.publish(world({ CDS: 'a' }));
    assert.deepEqual(stream.settle(), ['CDS -b']);
    stream.publish(world({ CDS: 'a b' }));
    stream.expect('CDS +b');
  });
});

describe('stream', () => {
  test('each type of an aggregated stream is answered, in the order in which resources depend on one another', () => {
    const stream = new MemoryStream(world({ CDS: 'a', EDS: 'a', LDS: 'l>rds:80', RDS: '80>a' }));
    stream.request('RDS', { subscribe: ['80'] });
    stream.request('LDS');
    stream.request('EDS', { subscribe: ['b'] });
    stream.request('CDS');
    assert.deepEqual(stream.settle(), ['EDS -b', 'CDS +a', 'EDS +a', 'LDS +l', 'RDS +80']);
  });

  test('nonces of a type are never used twice, not on another stream either', () => {
    const stream = opened(ABC);
    const nonces = [stream.nonce('CDS')];
    for (const version of ['2', '3', '4']) {
      stream.publish(world({ CDS: `a@${version}` }));
      stream.settle();
      nonces.push(stream.nonce('CDS'));
    }
    assert.equal(new Set(nonces).size, nonces.length);
  });

  test('types do not share a subscription', () => {
    const stream = opened({ CDS: 'a b', LDS: 'a b' });
    stream.request('LDS', { subscribe: ['a'] });
    stream.expect('LDS +a');
    stream.ack('LDS');
    stream.publish(world({ CDS: 'a@2 b@2', LDS: 'a@2 b@2' }));
    assert.deepEqual(stream.settle(), ['CDS +a@2 +b@2', 'LDS +a@2']);
  });

  test('the state of a subscription is a value: neither a request nor a response changes the one before', () => {
    const stream = opened(ABC, { subscribe: ['*', 'a'] });
    stream.publish(world({ CDS: 'a@2 b@2' }));
    const { client } = stream;
    const before = structuredClone(client);
    const request = { subscribe: ['b'], unsubscribe: ['a', '*'], initialVersions: new Map(), nonce: '' };
    receive(client, { type: TYPES.CDS, ...request }, 0);
    receive(client, { type: TYPES.CDS, ...request, nonce: stream.nonce('CDS'), error: 'bad' }, 0);
    const { response } = next(client, testCodec, 0);
    assert.deepEqual(client, before);
    assert.equal(response && line(response), 'CDS +a@2 +b@2');
  });
});
