/** NACKs: find the bad resource, leave it out, send the rest. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { statusOf } from '../../../../controller/core/delta/status.ts';
import { CLUSTER } from '../../../../controller/core/model.ts';
import { CART_NODE } from '../../../support/ads/cart-node.ts';
import { line, MemoryStream } from '../../../support/ads/memory-stream.ts';
import { shortType, world } from '../../../support/ads/worlds.ts';

/** Rejects every response that carries a bad resource, until the server is silent; what it said. */
function settleRejecting(stream: MemoryStream, bad: ReadonlySet<string>): readonly string[] {
  const said: string[] = [];
  for (let responses = stream.responses(); responses.length > 0; responses = stream.responses()) {
    for (const response of responses) {
      const rejects = response.resources.some(({ name, version }) => bad.has(`${name}@${version}`));
      said.push(`${line(response)}${rejects ? ' REJECTED' : ''}`);
      stream.request(shortType(response.type), { nonce: response.nonce, ...(rejects && { error: 'connect_timeout' }) });
    }
  }
  return said;
}

describe('a NACK', () => {
  test('of one resource quarantines its name and version', () => {
    const stream = new MemoryStream(world({ CDS: 'bad' }));
    stream.request('CDS');
    stream.expect('CDS +bad');
    stream.nack('CDS');
    assert.deepEqual(stream.received?.rejected, { quarantined: ['bad'], message: 'bad resource' });
    stream.expectSilence();
    stream.wait(60_000);
    stream.expectSilence();
  });

  test('of many halves them until the bad one stands alone; the others arrive', () => {
    const stream = new MemoryStream(world({ CDS: 'a b bad d' }));
    stream.request('CDS');
    assert.deepEqual(settleRejecting(stream, new Set(['bad@1'])), [
      'CDS +a +b +bad +d REJECTED',
      'CDS +a +b',
      'CDS +bad +d REJECTED',
      'CDS +bad REJECTED',
      'CDS +d',
    ]);
  });

  test('of endpoints that were not asked for does not keep them from who asks for one of them later', () => {
    const stream = new MemoryStream(world({ CDS: 'a bad', EDS: 'a bad' }));
    stream.request('CDS');
    const bad = new Set(['bad@1']);
    stream.expect('CDS +a +bad', 'EDS +a +bad');
    stream.ack('CDS');
    stream.nack('EDS');
    stream.expectSilence();
    stream.request('EDS', { subscribe: ['a'] });
    assert.deepEqual(settleRejecting(stream, bad), ['EDS +a']);
  });

  test('finds several bad ones', () => {
    const stream = new MemoryStream(world({ CDS: 'a bad b worse c d e f' }));
    stream.request('CDS');
    settleRejecting(stream, new Set(['bad@1', 'worse@1']));
    assert.deepEqual(statusOf(stream.client, CART_NODE).rejected, {
      type: CLUSTER,
      resources: ['bad', 'worse'],
      message: 'connect_timeout',
    });
  });

  test('of a combination that is good apart quarantines nothing', () => {
    const stream = new MemoryStream(world({ CDS: 'a b' }));
    stream.request('CDS');
    stream.expect('CDS +a +b');
    stream.nack('CDS');
    assert.deepEqual(stream.settle(), ['CDS +a', 'CDS +b']);
    assert.equal(statusOf(stream.client, CART_NODE).rejected, undefined);
  });

  test('of a response of which a part was sent again since blames nobody yet', () => {
    const stream = new MemoryStream(world({ EDS: 'a bad' }));
    stream.request('EDS', { subscribe: ['a', 'bad'] });
    stream.expect('EDS +a +bad');
    const first = stream.nonce('EDS');
    stream.request('EDS', { subscribe: ['bad'] });
    stream.expect('EDS +bad');
    stream.request('EDS', { nonce: first, error: 'bad' });
    stream.nack('EDS');
    assert.deepEqual(stream.received?.rejected?.quarantined, ['bad']);
    stream.expect('EDS +a');
  });

  test('does not hold back what changes meanwhile', () => {
    const stream = new MemoryStream(world({ CDS: 'a bad' }));
    stream.request('CDS');
    stream.expect('CDS +a +bad');
    stream.nack('CDS');
    stream.publish(world({ CDS: 'a bad fresh' }));
    stream.expect('CDS +fresh');
    stream.ack('CDS');
    stream.expect('CDS +a');
  });

  test('a new version is tried again', () => {
    const stream = new MemoryStream(world({ CDS: 'bad' }));
    stream.request('CDS');
    settleRejecting(stream, new Set(['bad@1']));
    stream.publish(world({ CDS: 'bad@2' }));
    stream.expect('CDS +bad@2');
    stream.ack('CDS');
    assert.equal(statusOf(stream.client, CART_NODE).rejected, undefined);
  });

  test('what was applied of a rejected response is removed when it goes: Envoy never lists it', () => {
    const stream = new MemoryStream(world({ CDS: 'applied bad' }));
    stream.request('CDS');
    stream.expect('CDS +applied +bad');
    stream.wait(5000);
    stream.nack('CDS');
    stream.publish(world({}));
    stream.expect('CDS -applied -bad');
  });

  test('of endpoints answers their next subscription with removed_resources: warming ends, hosts stay', () => {
    const stream = new MemoryStream(world({ EDS: 'bad' }));
    stream.request('EDS', { subscribe: ['bad'] });
    stream.expect('EDS +bad');
    stream.nack('EDS');
    stream.request('EDS', { subscribe: ['bad'] });
    stream.expect('EDS -bad');
  });

  test('never deletes the older version that the client keeps', () => {
    const stream = new MemoryStream(world({ CDS: 'a' }));
    stream.request('CDS', { subscribe: ['a'] });
    stream.settle();
    stream.publish(world({ CDS: 'a@bad' }));
    stream.expect('CDS +a@bad');
    stream.nack('CDS');
    stream.request('CDS', { subscribe: ['a'] });
    stream.expectSilence();
  });

  test('of a removal is named and changes nothing', () => {
    const stream = new MemoryStream(world({ EDS: '' }));
    stream.request('EDS', { subscribe: ['ghost'] });
    stream.expect('EDS -ghost');
    stream.nack('EDS', 'duplicate');
    assert.deepEqual(stream.received?.rejected, { quarantined: [], message: 'duplicate' });
    stream.expectSilence();
  });
});

describe('a rejected new cluster', () => {
  const WORLD = { CDS: 'good bad', LDS: 'l80>rds:80 l81>rds:81', RDS: '80>good 81>bad' };

  test('holds back the routes that name it and, for a client without them, their listener; the rest goes', () => {
    const stream = new MemoryStream(world(WORLD));
    stream.request('CDS');
    settleRejecting(stream, new Set(['bad@1']));
    stream.request('LDS');
    stream.expect('LDS +l80');
    stream.request('RDS', { subscribe: ['80', '81'] });
    stream.expect('RDS +80');
    assert.equal(statusOf(stream.client, CART_NODE).synced, false);
  });

  test('releases them when a good version arrives', () => {
    const stream = new MemoryStream(world(WORLD));
    stream.request('CDS');
    stream.request('LDS');
    settleRejecting(stream, new Set(['bad@1']));
    stream.publish(world({ ...WORLD, CDS: 'good bad@2' }));
    assert.deepEqual(stream.settle(), ['CDS +bad@2', 'LDS +l81']);
  });

  test('leaves a client that holds an older route with it, and with the clusters that it names', () => {
    const stream = new MemoryStream(world({ CDS: 'old', LDS: 'l>rds:80', RDS: '80@old>old' }));
    for (const type of ['CDS', 'LDS'] as const) stream.request(type);
    stream.request('RDS', { subscribe: ['80'] });
    stream.settle();
    stream.publish(world({ CDS: 'bad', LDS: 'l>rds:80', RDS: '80@new>bad' }));
    assert.deepEqual(settleRejecting(stream, new Set(['bad@1'])), ['CDS +bad REJECTED']);
    stream.wait(60_000);
    stream.expectSilence();
  });
});

test('a rejected route leaves the clusters of the older one alone', () => {
  const stream = new MemoryStream(world({ CDS: 'old', LDS: 'l>rds:80', RDS: '80@old>old' }));
  for (const type of ['CDS', 'LDS'] as const) stream.request(type);
  stream.request('RDS', { subscribe: ['80'] });
  stream.settle();
  stream.publish(world({ CDS: 'new', LDS: 'l>rds:80', RDS: '80@new>new' }));
  assert.deepEqual(settleRejecting(stream, new Set(['80@new'])), ['CDS +new', 'RDS +80@new REJECTED']);
  stream.publish(world({ CDS: 'new', LDS: 'l>rds:80', RDS: '80@newer>new' }));
  assert.deepEqual(settleRejecting(stream, new Set()), ['RDS +80@newer', 'CDS -old']);
});
