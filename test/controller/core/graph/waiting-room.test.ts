import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WaitingRoom } from '../../../../controller/core/graph/waiting-room.ts';
import { entry } from '../../../support/mesh-objects.ts';

const late = entry('10.0.0.1', '10.96.0.1:80');

describe('WaitingRoom', () => {
  it('lets an entry wait 30 s from its arrival, however often it is tried', () => {
    const room = new WaitingRoom();
    room.add(late, 0);
    const [waiting] = room.takeAll();
    assert.ok(waiting && room.putBack(waiting, 29_999));
    const [again] = room.takeAll();
    assert.equal(again && room.putBack(again, 30_000), false);
    assert.equal(room.size, 0);
  });

  it('is bounded: the oldest leaves, and that is said', () => {
    const room = new WaitingRoom(2);
    assert.equal(room.add(entry('10.0.0.1', '10.96.0.1:80'), 0), 0);
    assert.equal(room.add(entry('10.0.0.2', '10.96.0.1:80'), 0), 0);
    assert.equal(room.add(entry('10.0.0.3', '10.96.0.1:80'), 0), 1);
    assert.deepEqual(
      room.takeAll().map((waiting) => waiting.entry.source.address),
      ['10.0.0.2', '10.0.0.3'],
    );
  });
});
