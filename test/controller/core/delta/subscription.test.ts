/** Each clause of the delta protocol about what a client asks for and is answered. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLUSTER } from '../../../../controller/core/model.ts';
import { MemoryStream } from '../../../support/ads/memory-stream.ts';
import { world } from '../../../support/ads/worlds.ts';

describe('silence', () => {
  test('nothing is answered before a snapshot is known', () => {
    const stream = new MemoryStream();
    stream.request('CDS');
    stream.request('EDS', { subscribe: ['a'] });
    stream.expectSilence();
    stream.publish(world({ CDS: 'a', EDS: 'a' }));
    stream.expect('EDS +a', 'CDS +a', 'EDS +a');
  });

  test('a type that nobody asked for is not sent', () => {
    const stream = new MemoryStream(world({ CDS: 'a', LDS: 'l', RDS: '80' }));
    stream.expectSilence();
  });

  test('the same snapshot content twice pushes nothing', () => {
    const content = { CDS: 'a b', EDS: 'a b', LDS: 'l', RDS: '80' };
    const stream = new MemoryStream(world(content));
    stream.request('CDS');
    stream.settle();
    stream.request('LDS');
    stream.request('RDS', { subscribe: ['80'] });
    stream.settle();
    stream.publish(world(content));
    stream.expectSilence();
  });

  test('an ACK is not answered', () => {
    const stream = new MemoryStream(world({ CDS: 'a' }));
    stream.request('CDS');
    stream.expect('CDS +a');
    stream.ack('CDS');
    stream.expectSilence();
  });
});

describe('wildcard', () => {
  test('the first empty CDS request is a wildcard', () => {
    const stream = new MemoryStream(world({ CDS: 'a b' }));
    stream.request('CDS');
    stream.expect('CDS +a +b');
  });

  test('it is answered even when there is nothing', () => {
    const stream = new MemoryStream(world({}));
    stream.request('CDS');
    stream.request('LDS');
    stream.expect('CDS', 'LDS');
  });

  test('a later empty request is not a wildcard', () => {
    const stream = new MemoryStream(world({ CDS: 'a b' }));
    stream.request('CDS', { subscribe: ['a'] });
    stream.expect('CDS +a');
    stream.request('CDS', { nonce: stream.nonce('CDS') });
    stream.request('CDS');
    stream.expectSilence();
  });

  test('"*" is a wildcard at any time', () => {
    const stream = new MemoryStream(world({ CDS: 'a b' }));
    stream.request('CDS', { subscribe: ['a'] });
    stream.settle();
    stream.request('CDS', { subscribe: ['*'] });
    stream.expect('CDS +b');
  });

  test('unsubscribing "*" ends also a legacy wildcard and leaves the explicit names', () => {
    const stream = new MemoryStream(world({ CDS: 'a b' }));
    stream.request('CDS');
    stream.settle();
    stream.request('CDS', { subscribe: ['a'] });
    stream.settle();
    stream.request('CDS', { unsubscribe: ['*'] });
    stream.expectSilence();
    stream.publish(world({ CDS: 'a@2 b@2 c' }));
    stream.expect('CDS +a@2');
  });

  test('an empty first EDS or RDS request asks for nothing: Envoy sends it after a reconnect', () => {
    const stream = new MemoryStream(world({ EDS: 'a b', RDS: '80' }));
    stream.request('EDS');
    stream.request('RDS');
    stream.expectSilence();
  });

  test('a changed resource is sent, a new one too, a gone one is removed, an equal one is not sent', () => {
    const stream = new MemoryStream(world({ CDS: 'same changed gone' }));
    stream.request('CDS');
    stream.settle();
    stream.wait(5000);
    stream.publish(world({ CDS: 'same changed@2 new' }));
    assert.deepEqual(stream.settle(), ['CDS +changed@2 +new', 'CDS -gone']);
  });
});

describe('names', () => {
  test('every subscribed name is answered, an unknown one with removed_resources', () => {
    const stream = new MemoryStream(world({ EDS: 'a' }));
    stream.request('EDS', { subscribe: ['a', 'ghost'] });
    stream.expect('EDS -ghost', 'EDS +a');
  });

  test('an unknown name is sent when it appears', () => {
    const stream = new MemoryStream(world({}));
    stream.request('EDS', { subscribe: ['late'] });
    stream.expect('EDS -late');
    stream.ack('EDS');
    stream.publish(world({ EDS: 'late' }));
    stream.expect('EDS +late');
  });

  test('a name that is subscribed again is answered again', () => {
    const stream = new MemoryStream(world({ EDS: 'a' }));
    stream.request('EDS', { subscribe: ['a'] });
    stream.settle();
    stream.request('EDS', { subscribe: ['a'] });
    stream.expect('EDS +a');
  });

  test('what arrives after an unsubscription, just as a wildcard is asked for, is told when it goes', () => {
    const stream = new MemoryStream(world({ CDS: 'late' }));
    stream.request('CDS', { subscribe: ['late'] });
    stream.expect('CDS +late');
    stream.request('CDS', { unsubscribe: ['late'] });
    stream.request('CDS', { subscribe: ['*'] });
    stream.wait(5000);
    stream.publish(world({}));
    stream.ack('CDS');
    assert.deepEqual(stream.settle(), ['CDS -late']);
  });

  test('what arrived while nothing was asked for, and may have been ignored, is sent to the next wildcard', () => {
    const stream = new MemoryStream(world({ CDS: 'a' }));
    stream.request('CDS', { subscribe: ['*'] });
    stream.expect('CDS +a');
    stream.request('CDS', { unsubscribe: ['*'] });
    stream.request('CDS', { subscribe: ['*'], nonce: stream.nonce('CDS') });
    stream.expect('CDS +a');
  });

  test('an unsubscribed name gets no more updates and no answer', () => {
    const stream = new MemoryStream(world({ EDS: 'a b' }));
    stream.request('EDS', { subscribe: ['a', 'b'] });
    stream.settle();
    stream.request('EDS', { unsubscribe: ['a'] });
    stream.expectSilence();
    stream.publish(world({ EDS: 'a@2 b@2' }));
    stream.expect('EDS +b@2');
  });

  test('a name unsubscribed under a wildcard is answered: it is still wanted', () => {
    const stream = new MemoryStream(world({ CDS: 'a b' }));
    stream.request('CDS', { subscribe: ['*', 'a', 'ghost'] });
    stream.settle();
    stream.request('CDS', { unsubscribe: ['a', 'ghost'] });
    assert.deepEqual(stream.settle(), ['CDS -ghost', 'CDS +a']);
  });

  test('and is not once the wildcard is gone too, before the answer went', () => {
    const stream = new MemoryStream(world({ CDS: 'a b' }));
    stream.request('CDS', { subscribe: ['*', 'ghost'] });
    stream.request('CDS', { unsubscribe: ['ghost'] });
    stream.request('CDS', { unsubscribe: ['*'] });
    stream.expectSilence();
    assert.deepEqual(stream.client.subscriptions[CLUSTER].owed, new Set());
  });

  test('a duplicate name in a request is answered once', () => {
    const stream = new MemoryStream(world({ EDS: 'a' }));
    stream.request('EDS', { subscribe: ['a', 'a', 'ghost', 'ghost'] });
    stream.expect('EDS -ghost', 'EDS +a');
  });

  test('an unknown route name gets an empty configuration, which ends the warming of its listener', () => {
    const stream = new MemoryStream(world({ CDS: 'a', RDS: '80>a' }));
    stream.request('CDS');
    stream.settle();
    stream.request('RDS', { subscribe: ['80', '9999'] });
    stream.expect('RDS +80 +9999@empty');
    stream.ack('RDS');
    stream.expectSilence();
    stream.publish(world({ CDS: 'a', RDS: '80>a 9999>a' }));
    stream.expect('RDS +9999');
  });

  test('a route that goes away is removed, not emptied: draining connections keep their routes', () => {
    const stream = new MemoryStream(world({ RDS: '80 81' }));
    stream.request('RDS', { subscribe: ['80', '81'] });
    stream.settle();
    stream.publish(world({ RDS: '80' }));
    stream.expect('RDS -81');
  });

  test('10,000 unknown names are answered in one response', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `ghost-${index}`);
    const stream = new MemoryStream(world({}));
    stream.request('EDS', { subscribe: names });
    const responses = stream.responses();
    assert.deepEqual(
      responses.map(({ removed }) => removed.length),
      [10_000],
    );
    stream.expectSilence();
  });
});

describe('reconnect with initial_resource_versions', () => {
  test('what changed and what is new is sent, an equal version is skipped', () => {
    const stream = new MemoryStream(world({ CDS: 'same changed@2 new' }));
    stream.request('CDS', { holds: { same: '1', changed: '1' } });
    stream.expect('CDS +changed@2 +new');
  });

  test('when all is equal the wildcard is still answered, empty', () => {
    const stream = new MemoryStream(world({ CDS: 'a' }));
    stream.request('CDS', { holds: { a: '1' } });
    stream.expect('CDS');
    stream.ack('CDS');
    stream.expectSilence();
  });

  test('names that are gone are removed', () => {
    const stream = new MemoryStream(world({ CDS: 'a', LDS: 'l' }));
    stream.request('CDS', { holds: { a: '1', gone: '1' } });
    stream.request('LDS', { holds: { l: '1', 'gone-l': '1' } });
    stream.request('RDS');
    assert.deepEqual(stream.settle(), ['CDS', 'LDS -gone-l', 'CDS -gone']);
  });

  test('endpoints are always sent again: an equal version may belong to a cluster that lost them (envoy#22418)', () => {
    const stream = new MemoryStream(world({ CDS: 'a', EDS: 'a' }));
    stream.request('CDS', { holds: { a: '1' } });
    stream.request('EDS', { subscribe: ['a'], holds: { a: '1' } });
    stream.expect('EDS +a', 'CDS');
  });

  test('every name in the request is answered, also a route of equal version', () => {
    const stream = new MemoryStream(world({ RDS: '80' }));
    stream.request('CDS');
    stream.request('RDS', { subscribe: ['80'], holds: { 80: '1' } });
    assert.deepEqual(stream.settle(), ['CDS', 'RDS +80']);
  });

  test('versions in a later request are ignored', () => {
    const stream = new MemoryStream(world({ CDS: 'a' }));
    stream.request('CDS');
    stream.settle();
    stream.request('CDS', { holds: { ghost: '1' } });
    stream.wait(5000);
    stream.expectSilence();
  });
});

describe('nonces', () => {
  test('a stale nonce still changes the subscription', () => {
    const stream = new MemoryStream(world({ EDS: 'a b' }));
    stream.request('EDS', { subscribe: ['a'] });
    stream.settle();
    stream.request('EDS', { subscribe: ['b'], nonce: '7-99' });
    stream.expect('EDS +b');
  });

  test('a nonce of another stream acknowledges nothing', () => {
    const stream = new MemoryStream(world({ CDS: 'a' }));
    stream.request('CDS');
    stream.expect('CDS +a');
    stream.request('CDS', { nonce: '2-1' });
    assert.equal(stream.received?.warmed, false);
    stream.publish(world({ CDS: 'a b' }));
    stream.expectSilence();
  });

  test('an ACK may carry a subscription change', () => {
    const stream = new MemoryStream(world({ EDS: 'a b' }));
    stream.request('EDS', { subscribe: ['a'] });
    stream.expect('EDS +a');
    stream.request('EDS', { nonce: stream.nonce('EDS'), subscribe: ['b'], unsubscribe: ['a'] });
    stream.expect('EDS +b');
  });

  test('a garbled nonce acknowledges nothing', () => {
    const stream = new MemoryStream(world({ CDS: 'a' }));
    stream.request('CDS');
    stream.expect('CDS +a');
    for (const nonce of ['1-', '1-x', '1-0', '1-2', '1--1', '1-1e9', 'one']) {
      stream.request('CDS', { nonce });
      assert.equal(stream.received?.warmed, false, nonce);
    }
  });
});

describe('one response in flight', () => {
  test('a change waits for the ACK, and the newest state is sent then', () => {
    const stream = new MemoryStream(world({ EDS: 'a' }));
    stream.request('EDS', { subscribe: ['a'] });
    stream.expect('EDS +a');
    stream.publish(world({ EDS: 'a@2' }));
    stream.publish(world({ EDS: 'a@3' }));
    stream.expectSilence();
    stream.ack('EDS');
    stream.expect('EDS +a@3');
  });

  test('after 5 s without an ACK the next one goes: Envoy drops what it no longer watches', () => {
    const stream = new MemoryStream(world({ EDS: 'a' }));
    stream.request('EDS', { subscribe: ['a'] });
    stream.expect('EDS +a');
    stream.publish(world({ EDS: 'a@2' }));
    stream.wait(4999);
    stream.expectSilence();
    assert.equal(stream.deadline(), 5000);
    stream.wait(1);
    stream.expect('EDS +a@2');
  });

  test('a name that is asked for is answered at once even then', () => {
    const stream = new MemoryStream(world({ EDS: 'a b' }));
    stream.request('EDS', { subscribe: ['a'] });
    stream.expect('EDS +a');
    stream.request('EDS', { subscribe: ['b', 'ghost'] });
    stream.expect('EDS -ghost', 'EDS +b');
  });

  test('types do not wait for one another', () => {
    const stream = new MemoryStream(world({ CDS: 'a', EDS: 'a' }));
    stream.request('CDS', { holds: { a: '1' } });
    stream.request('EDS', { subscribe: ['a'] });
    stream.expect('EDS +a', 'CDS');
    stream.ack('EDS');
    stream.publish(world({ CDS: 'a@2', EDS: 'a@2' }));
    stream.expect('EDS +a@2');
  });

  test('a late ACK of a response that was given up still counts', () => {
    const stream = new MemoryStream(world({ CDS: 'a' }));
    stream.request('CDS');
    stream.expect('CDS +a');
    const given = stream.nonce('CDS');
    stream.wait(5000);
    stream.publish(world({ CDS: 'a b' }));
    stream.expect('CDS +b');
    stream.request('CDS', { nonce: given });
    assert.equal(stream.received?.warmed, true);
  });

  test('a client that never acknowledges gets at most one response per type in 5 s', () => {
    const stream = new MemoryStream(world({ CDS: 'a' }));
    stream.request('CDS');
    stream.expect('CDS +a');
    let sent = 0;
    for (let version = 2; version < 102; version += 1) {
      stream.wait(100);
      stream.publish(world({ CDS: `a@${version}` }));
      sent += stream.responses().length;
    }
    assert.equal(sent, 2);
  });
});
