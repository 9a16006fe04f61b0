/** Make before break: what is sent when, as a client moves from one snapshot to the next. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLUSTER_LOAD_ASSIGNMENT } from '../../../../controller/core/model.ts';
import { line, MemoryStream } from '../../../support/ads/memory-stream.ts';
import { world } from '../../../support/ads/worlds.ts';

const OLD = { CDS: 'old', EDS: 'old', LDS: 'l>rds:80', RDS: '80@old>old' };
const NEW = { CDS: 'new', EDS: 'new', LDS: 'l>rds:80', RDS: '80@new>new' };
const BOTH = { CDS: 'old new', EDS: 'old new', LDS: 'l>rds:80', RDS: '80@new>old,new' };

/** A client that has started and holds everything of the old world. */
function started(lines = OLD): MemoryStream {
  const stream = new MemoryStream(world(lines));
  stream.request('CDS');
  stream.settle();
  stream.request('EDS', { subscribe: lines.EDS.split(' ') });
  stream.request('LDS');
  stream.settle();
  stream.request('RDS', { subscribe: ['80'] });
  stream.settle();
  return stream;
}

describe('a new cluster', () => {
  test('is followed by its endpoints at once; routes wait for the CDS ACK', () => {
    const stream = started();
    stream.publish(world(BOTH));
    stream.expect('CDS +new', 'EDS +new');
    stream.ack('EDS');
    stream.expectSilence();
    stream.ack('CDS');
    stream.expect('RDS +80@new');
  });

  test('is answered again when Envoy subscribes to its endpoints', () => {
    const stream = started();
    stream.publish(world(BOTH));
    stream.expect('CDS +new', 'EDS +new');
    stream.request('EDS', { subscribe: ['new'] });
    stream.expect('EDS +new');
  });

  test('keeps routes waiting without a cap: the egress carries the traffic', () => {
    const stream = started();
    stream.publish(world(BOTH));
    stream.expect('CDS +new', 'EDS +new');
    stream.wait(3_600_000);
    stream.expectSilence();
    stream.ack('CDS');
    stream.expect('RDS +80@new');
  });

  test('makes the old one wait for its routes also where endpoints move meanwhile', () => {
    const stream = started();
    const wanted = world(NEW);
    stream.publish(wanted);
    stream.expect('CDS +new', 'EDS +new');
    // All but the endpoints are the same maps, as snapshots have it.
    const { [CLUSTER_LOAD_ASSIGNMENT]: moved } = world({ EDS: 'new@2' });
    stream.publish({ ...wanted, [CLUSTER_LOAD_ASSIGNMENT]: moved });
    stream.ack('EDS');
    stream.request('EDS', { subscribe: ['new'] });
    stream.expect('EDS +new@2');
    stream.ack('EDS', 'CDS');
    stream.expect('RDS +80@new');
    stream.ack('RDS');
    stream.expect('CDS -old');
  });

  test('without endpoints of its own (STATIC, ORIGINAL_DST) is followed by none', () => {
    const stream = started();
    stream.publish(world({ ...OLD, CDS: 'old static' }));
    stream.expect('CDS +static');
  });
});

describe('a changed cluster', () => {
  test('gets its endpoints sent again: Envoy warms it anew and does not ask', () => {
    const stream = started();
    stream.publish(world({ ...OLD, CDS: 'old@2' }));
    stream.expect('CDS +old@2', 'EDS +old');
  });

  test('that becomes STATIC sends nothing about its endpoints', () => {
    const stream = started();
    stream.publish(world({ ...OLD, CDS: 'old@static', EDS: '' }));
    stream.expect('CDS +old@static');
    stream.ack('CDS');
    stream.expectSilence();
    stream.request('EDS', { unsubscribe: ['old'] });
    stream.expectSilence();
  });
});

describe('a cluster that goes away', () => {
  test('is removed after listeners and routes without it are acknowledged', () => {
    const stream = started(BOTH);
    stream.publish(world({ ...OLD }));
    stream.expect('RDS +80@old');
    stream.ack('RDS');
    stream.expect('CDS -new');
    stream.ack('CDS');
    stream.request('EDS', { unsubscribe: ['new'] });
    stream.expectSilence();
  });

  test('takes its endpoints with it, once it is gone: who is still subscribed is told', () => {
    const stream = started(BOTH);
    stream.publish(world({ ...OLD }));
    stream.expect('RDS +80@old');
    stream.ack('RDS');
    stream.expect('CDS -new');
    stream.ack('CDS');
    stream.expect('EDS -new');
    stream.ack('EDS');
    stream.expectSilence();
  });

  test('is removed after 5 s when they are never acknowledged', () => {
    const stream = started(BOTH);
    stream.wait(10_000);
    stream.publish(world({ ...OLD }));
    stream.expect('RDS +80@old');
    stream.wait(4999);
    stream.expectSilence();
    stream.wait(1);
    stream.expect('CDS -new');
  });

  test('keeps its endpoints until then, also for a late subscription', () => {
    const stream = started(BOTH);
    stream.publish(world({ ...OLD }));
    stream.expect('RDS +80@old');
    stream.request('EDS', { subscribe: ['new'] });
    stream.expect('EDS +new');
  });

  test('stays when it comes back before it was removed', () => {
    const stream = started(BOTH);
    stream.publish(world({ ...OLD }));
    stream.expect('RDS +80@old');
    stream.publish(world(BOTH));
    stream.ack('RDS');
    stream.expect('RDS +80@new');
  });

  test('is answered anew when it returns: its endpoints were forgotten', () => {
    const stream = started(BOTH);
    stream.publish(world({ ...OLD }));
    stream.settle();
    stream.request('EDS', { unsubscribe: ['new'] });
    stream.publish(world(BOTH));
    stream.expect('CDS +new', 'EDS +new');
  });

  test('is replaced by another one in the whole order', () => {
    const stream = started();
    stream.publish(world(NEW));
    assert.deepEqual(stream.settle(), ['CDS +new', 'EDS +new', 'RDS +80@new', 'CDS -old', 'EDS -old']);
  });
});

describe('endpoints', () => {
  test('of held clusters flow at once, whatever else waits', () => {
    const stream = started();
    stream.publish(world(BOTH));
    stream.expect('CDS +new', 'EDS +new');
    stream.ack('EDS');
    stream.publish(world({ ...BOTH, EDS: 'old@2 new' }));
    stream.expect('EDS +old@2');
  });

  test('that only an older snapshot has are unknown to a client without their cluster', () => {
    const stream = new MemoryStream(world({ EDS: 'a' }));
    stream.request('LDS');
    stream.settle();
    stream.publish(world({}));
    stream.request('EDS', { subscribe: ['a'] });
    stream.expect('EDS -a');
  });

  test('that followed a cluster unasked are forgotten when the client unsubscribes from it', () => {
    const stream = new MemoryStream(world({ CDS: 'a', EDS: 'a' }));
    stream.request('CDS', { subscribe: ['a'] });
    stream.expect('CDS +a', 'EDS +a');
    stream.ack('CDS');
    stream.request('CDS', { unsubscribe: ['a'] });
    stream.publish(world({ CDS: 'a', EDS: 'a@2' }));
    stream.expectSilence();
    assert.equal(stream.client.subscriptions[CLUSTER_LOAD_ASSIGNMENT].held.size, 0);
  });

  test('are answered before CDS, LDS and RDS have been asked for', () => {
    const stream = new MemoryStream(world(OLD));
    stream.request('EDS', { subscribe: ['old'], holds: { old: '1' } });
    stream.expect('EDS +old');
  });
});

describe('snapshots that come during a transition', () => {
  test('are coalesced: what is warm is routed, then the newest is offered', () => {
    const stream = started();
    stream.publish(world(BOTH));
    stream.expect('CDS +new', 'EDS +new');
    stream.ack('EDS');
    stream.publish(world({ ...OLD, CDS: 'old new skipped', EDS: 'old new skipped', RDS: '80@skipped>skipped' }));
    stream.publish(world({ ...OLD, CDS: 'old new newest', EDS: 'old new newest', RDS: '80@newest>newest' }));
    stream.expectSilence();
    stream.ack('CDS');
    stream.expect('CDS +newest', 'EDS +newest', 'RDS +80@new');
  });

  test('replace an offer that was given up, and its ACK does not count for the newer clusters', () => {
    const stream = started();
    stream.publish(world(BOTH));
    stream.expect('CDS +new', 'EDS +new');
    stream.ack('EDS');
    const first = stream.nonce('CDS');
    stream.wait(5000);
    stream.publish(world({ ...BOTH, CDS: 'old new newest', EDS: 'old new newest', RDS: '80@newest>newest' }));
    stream.expect('CDS +newest', 'EDS +newest');
    stream.request('CDS', { nonce: first });
    stream.expectSilence();
    stream.ack('CDS');
    stream.expect('RDS +80@newest');
  });

  test('starve neither routes nor removals under constant change', () => {
    const stream = started();
    const routed: string[] = [];
    const removed: string[] = [];
    for (let round = 1; round <= 20; round += 1) {
      stream.publish(world({ ...OLD, CDS: `c${round}`, EDS: `c${round}`, RDS: `80@${round}>c${round}` }));
      const said = stream.responses();
      stream.answer(said);
      routed.push(...said.map(line).filter((text) => text.startsWith('RDS')));
      removed.push(...said.flatMap((response) => response.removed));
    }
    assert.ok(routed.length >= 5, `${routed.length} route updates in 20 rounds`);
    assert.ok(removed.length >= 5, `${removed.length} removals in 20 rounds`);
  });
});

describe('at the start of a stream', () => {
  test('listeners and routes wait for the ACK of clusters that were asked for on it', () => {
    const stream = new MemoryStream(world(OLD));
    stream.request('CDS');
    stream.request('LDS');
    stream.request('RDS', { subscribe: ['80'] });
    stream.expect('CDS +old', 'EDS +old');
    stream.ack('CDS');
    stream.expect('LDS +l', 'RDS +80@old');
  });

  test('they are answered at once when the client already holds every cluster', () => {
    const stream = new MemoryStream(world(OLD));
    stream.request('CDS', { holds: { old: '1' } });
    stream.request('LDS', { holds: { l: '0' } });
    stream.expect('CDS', 'LDS +l');
  });

  test('they are answered at once when there are no clusters', () => {
    const stream = new MemoryStream(world({ LDS: 'l' }));
    stream.request('CDS');
    stream.request('LDS');
    stream.expect('CDS', 'LDS +l');
  });

  test('those that lead to clusters which the client does not want from us are answered too', () => {
    const stream = new MemoryStream(world({ CDS: 'own other', LDS: 'l>rds:80 tcp>other', RDS: '80>other' }));
    stream.request('CDS', { subscribe: ['own'] });
    stream.request('LDS');
    stream.request('RDS', { subscribe: ['80'] });
    assert.deepEqual(stream.settle(), ['CDS +own', 'LDS +l +tcp', 'RDS +80']);
  });

  test('a client without listeners that never asks for clusters is answered at once', () => {
    const stream = new MemoryStream(world(OLD));
    stream.request('LDS');
    stream.request('RDS', { subscribe: ['80'] });
    stream.expect('LDS +l', 'RDS +80@old');
  });

  test('one that reconnects with CDS held back gets endpoints and unchanged routes at once, changed ones after CDS', () => {
    const stream = new MemoryStream(world({ ...BOTH, RDS: '80@new>old,new 81>old' }));
    stream.request('LDS', { holds: { l: '1' } });
    stream.request('RDS', { subscribe: ['80', '81'], holds: { 80: 'old', 81: '1' } });
    stream.request('EDS', { subscribe: ['old'], holds: { old: '1' } });
    stream.expect('EDS +old', 'RDS +81');
    stream.ack('EDS', 'RDS');
    stream.expectSilence();
    stream.request('CDS', { holds: { old: '1' } });
    stream.expect('CDS +new', 'EDS +new');
    stream.ack('CDS');
    stream.expect('LDS', 'RDS +80@new');
  });

  test('one that reconnects and never asks for clusters is not left waiting', () => {
    const stream = new MemoryStream(world(OLD));
    stream.request('LDS', { holds: { l: '0' } });
    stream.expectSilence();
    stream.wait(5000);
    stream.expect('LDS +l');
  });

  test('no cluster is removed before old listeners and routes can have been told', () => {
    const stream = new MemoryStream(world(OLD));
    stream.request('CDS', { holds: { old: '1', gone: '1' } });
    stream.request('LDS', { holds: { l: '1' } });
    stream.expect('CDS', 'LDS');
    stream.ack('CDS', 'LDS');
    stream.expectSilence();
    stream.request('RDS', { subscribe: ['80'], holds: { 80: 'to-gone' } });
    stream.expect('RDS +80@old');
    stream.ack('RDS');
    stream.expect('CDS -gone');
  });

  test('a client without routes gets its removals 5 s after the start', () => {
    const stream = new MemoryStream(world({ CDS: 'a' }));
    stream.request('CDS', { holds: { a: '1', gone: '1' } });
    stream.settle();
    assert.equal(stream.deadline(), 5000);
    stream.wait(5000);
    stream.expect('CDS -gone');
  });

  test('listeners that the client tells late are answered from the newest snapshot', () => {
    const stream = new MemoryStream(world({ CDS: 'a' }));
    stream.request('CDS', { holds: { a: '1' } });
    stream.settle();
    stream.publish(world({ CDS: 'a', LDS: 'kept' }));
    stream.request('LDS', { holds: { kept: '1' } });
    stream.expect('LDS');
  });
});

describe('a lost ACK', () => {
  test('of clusters keeps routes waiting, endpoints not; the ACK of the next clusters stands for it', () => {
    const stream = started();
    stream.publish(world(BOTH));
    stream.expect('CDS +new', 'EDS +new');
    stream.ack('EDS');
    stream.wait(5000);
    stream.publish(world({ ...BOTH, CDS: 'old new more', EDS: 'old@2 new more' }));
    stream.expect('EDS +old@2', 'CDS +more', 'EDS +more');
    stream.ack('CDS');
    stream.expect('RDS +80@new');
  });

  test('of endpoints and routes delays their next change by 5 s and nothing else', () => {
    const stream = started();
    stream.publish(world({ ...OLD, EDS: 'old@2', RDS: '80@2>old' }));
    stream.expect('EDS +old@2', 'RDS +80@2');
    stream.publish(world({ CDS: 'old new', EDS: 'old@3 new', LDS: 'l>rds:80', RDS: '80@3>old' }));
    stream.expect('CDS +new', 'EDS +new');
    stream.ack('CDS');
    stream.expectSilence();
    stream.wait(5000);
    stream.expect('EDS +old@3', 'RDS +80@3');
  });

  test('of a removal changes nothing', () => {
    const stream = started(BOTH);
    stream.publish(world({ ...OLD }));
    stream.expect('RDS +80@old');
    stream.ack('RDS');
    stream.expect('CDS -new');
    stream.wait(60_000);
    stream.expectSilence();
  });
});
