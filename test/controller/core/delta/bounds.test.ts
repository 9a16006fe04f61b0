/** One client, however it behaves, costs bounded memory and few responses. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DeltaRequest } from '../../../../controller/core/delta/discovery.ts';
import { excessOf, MAX_HELD, MAX_NAME_LENGTH, MAX_NAMES } from '../../../../controller/core/delta/limits.ts';
import { statusOf } from '../../../../controller/core/delta/status.ts';
import { noSubscription, subscribe } from '../../../../controller/core/delta/subscription.ts';
import { CLUSTER_LOAD_ASSIGNMENT, RESOURCE_TYPES, type Snapshot } from '../../../../controller/core/model.ts';
import { CART_NODE } from '../../../support/ads/cart-node.ts';
import { MemoryStream } from '../../../support/ads/memory-stream.ts';
import { shortType, world } from '../../../support/ads/worlds.ts';

const WORLDS = 500;

/** The mesh at one moment: everything in it is of this moment only. */
function moment(at: number): Snapshot {
  return world({ CDS: `c${at}`, EDS: `c${at}`, LDS: `l${at}>rds:80`, RDS: `80@${at}>c${at}` });
}

/** Names that are remembered of a client, over all types. */
function remembered({ client }: MemoryStream): number {
  let count = 0;
  for (const type of RESOURCE_TYPES) {
    const { names, held, owed, quarantine, suspects } = client.subscriptions[type];
    count += names.size + held.size + owed.size + quarantine.size + suspects.reduce((sum, { size }) => sum + size, 0);
  }
  return count;
}

function snapshotsOf({ client }: MemoryStream): number {
  return new Set(Object.values(client.transition).filter((part) => typeof part === 'object')).size;
}

function asking(): MemoryStream {
  const stream = new MemoryStream(moment(0));
  stream.request('CDS');
  stream.request('LDS');
  stream.request('RDS', { subscribe: ['80'] });
  return stream;
}

describe('a client that', () => {
  test('never acknowledges is sent one response per type and 5 s, and costs four snapshots at most', () => {
    const stream = asking();
    let sent = 0;
    for (let at = 1; at <= WORLDS; at += 1) {
      stream.publish(moment(at));
      stream.wait(100);
      sent += stream.responses().length;
      assert.ok(snapshotsOf(stream) <= 4, `${snapshotsOf(stream)} snapshots`);
      assert.ok(remembered(stream) < 20, `${remembered(stream)} names after ${at} worlds`);
    }
    // Each offer of clusters, with their endpoints; listeners and routes wait for an ACK that never comes.
    assert.ok(sent <= (2 * WORLDS) / 50 + 2, `${sent} responses`);
  });

  test('does not read is given only the newest of what came meanwhile', () => {
    const stream = asking();
    stream.settle();
    for (let at = 1; at <= WORLDS; at += 1) stream.publish(moment(at));
    assert.equal(snapshotsOf(stream), 2);
    stream.expect(`CDS +c${WORLDS}`, `EDS +c${WORLDS}`);
  });

  test('rejects everything is remembered by what it rejects now, not by all that it ever did', () => {
    const stream = asking();
    const reject = (): void => {
      for (let responses = stream.responses(); responses.length > 0; responses = stream.responses()) {
        for (const { type, nonce } of responses) stream.request(shortType(type), { nonce, error: 'no' });
      }
    };
    reject();
    stream.wait(5000);
    for (let at = 1; at <= WORLDS; at += 1) {
      stream.publish(moment(at));
      reject();
      assert.ok(remembered(stream) < 20, `${remembered(stream)} names after ${at} worlds`);
    }
  });

  test('takes 10,000 names and leaves them, rejected ones too, leaves nothing behind', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `c${index}`);
    const stream = new MemoryStream(world({ EDS: names.join(' ') }));
    const before = remembered(stream);
    stream.request('EDS', { subscribe: names });
    stream.responses();
    stream.nack('EDS');
    stream.responses();
    assert.equal(statusOf(stream.client, CART_NODE).synced, false);
    stream.request('EDS', { unsubscribe: names });
    stream.ack('EDS');
    assert.equal(remembered(stream), before);
    stream.expectSilence();
  });

  test('unsubscribes from what it rejected is in order again', () => {
    const stream = new MemoryStream(world({ CDS: 'good bad' }));
    stream.request('CDS', { subscribe: ['good', 'bad'] });
    stream.expect('CDS +bad +good');
    stream.nack('CDS');
    stream.expect('CDS +good');
    stream.ack('CDS');
    stream.expect('CDS +bad');
    stream.nack('CDS');
    assert.deepEqual(statusOf(stream.client, CART_NODE).rejected?.resources, ['bad']);
    stream.request('CDS', { unsubscribe: ['bad'] });
    stream.expectSilence();
    assert.equal(statusOf(stream.client, CART_NODE).rejected, undefined);
    assert.equal(statusOf(stream.client, CART_NODE).synced, true);
  });
});

describe('a request', () => {
  const type = CLUSTER_LOAD_ASSIGNMENT;
  const request = (fields: Partial<DeltaRequest>): DeltaRequest => ({
    type,
    subscribe: [],
    unsubscribe: [],
    initialVersions: new Map(),
    nonce: '',
    ...fields,
  });
  const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `c${index}`);
  const nobody = noSubscription(type);

  test('may take the names to the limit, and not beyond it', () => {
    assert.equal(excessOf(nobody, request({ subscribe: names(MAX_NAMES) })), undefined);
    const excess = `more than ${MAX_NAMES} ${type} names are subscribed`;
    assert.equal(excessOf(nobody, request({ subscribe: names(MAX_NAMES + 1) })), excess);
    const full = subscribe(nobody, request({ subscribe: names(MAX_NAMES) }));
    assert.equal(excessOf(full, request({ subscribe: ['one-more'] })), excess);
  });

  test('may repeat names as often as it likes', () => {
    const full = subscribe(nobody, request({ subscribe: names(MAX_NAMES) }));
    assert.equal(excessOf(full, request({ subscribe: names(MAX_NAMES) })), undefined);
  });

  test('may tell as many versions as an egress of the largest mesh holds, in its first request', () => {
    const versions = new Map(names(MAX_HELD).map((name) => [name, '1']));
    const many = request({ initialVersions: versions });
    assert.equal(excessOf(nobody, many), undefined);
    versions.set('one-more', '1');
    assert.equal(excessOf(nobody, many), `more than ${MAX_HELD} ${type} resources are said to be held`);
    assert.equal(excessOf(subscribe(nobody, request({})), many), undefined);
  });

  test('may not have a name or version that no resource could have', () => {
    const long = 'x'.repeat(MAX_NAME_LENGTH);
    const excess = `a ${type} name or version has more than ${MAX_NAME_LENGTH} characters`;
    assert.equal(excessOf(nobody, request({ subscribe: [long], initialVersions: new Map([[long, long]]) })), undefined);
    for (const fields of [
      { subscribe: ['short', `${long}x`] },
      { initialVersions: new Map([[`${long}x`, '1']]) },
      { initialVersions: new Map([['name', `${long}x`]]) },
    ]) {
      assert.equal(excessOf(nobody, request(fields)), excess);
    }
  });
});
