import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddressBook } from '../../../../controller/core/registry/address-book.ts';
import type { KnownPod, PodRecord } from '../../../../controller/core/registry/known-pod.ts';
import { pod } from '../../../support/mesh-objects.ts';

const ADDRESS = '10.0.0.1';

/** A Deployment's pod, which started at this time. */
function podOf(deployment: string, startedAt?: number): PodRecord {
  const known = pod(`${deployment}-0`, ADDRESS, startedAt === undefined ? {} : { startedAt });
  return { pod: known, workload: `shop/Deployment/${deployment}` };
}

/** Who had the address at each of these times. */
function ownersAt(book: AddressBook, ...times: readonly number[]): readonly (KnownPod | undefined)[] {
  return times.map((at) => book.ownerAt(ADDRESS, at));
}

describe('AddressBook', () => {
  it('gives an address of unknown beginning to its first owner from ever', () => {
    const book = new AddressBook();
    const owner = podOf('a');
    book.claim(ADDRESS, owner, 5_000);
    assert.deepEqual(ownersAt(book, 1), [owner]);
  });

  it('knows nobody before a pod started', () => {
    const book = new AddressBook();
    const owner = podOf('a', 3_000);
    book.claim(ADDRESS, owner, 5_000);
    assert.deepEqual(ownersAt(book, 2_999, 3_000), [undefined, owner]);
  });

  it('never blames a former owner for the next one', () => {
    const book = new AddressBook();
    const [first, second] = [podOf('a', 1_000), podOf('b', 5_000)];
    book.claim(ADDRESS, first, 1_000);
    book.release(ADDRESS, first, 5_500);
    book.claim(ADDRESS, second, 6_200);
    const [exact, begun] = ownersAt(book, 5_200, 5_600);
    assert.equal(exact, first, 'startTime is cut to the second; the release is exact');
    assert.equal(begun, second, 'before the source told us, after the pod began');
  });

  it('gives a reused address to the next owner from when it was told, where its beginning is unknown', () => {
    const book = new AddressBook();
    const [first, second] = [podOf('a', 1_000), podOf('b')];
    book.claim(ADDRESS, first, 1_000);
    book.release(ADDRESS, first, 5_000);
    book.claim(ADDRESS, second, 6_000);
    assert.deepEqual(ownersAt(book, 4_999, 5_000), [first, second]);
  });

  it('believes the newest claim where the release was never told', () => {
    const book = new AddressBook();
    const [first, second] = [podOf('a', 1_000), podOf('b', 9_000)];
    book.claim(ADDRESS, first, 1_000);
    book.claim(ADDRESS, second, 9_500);
    assert.deepEqual(ownersAt(book, 8_000, 9_000), [first, second]);
    book.release(ADDRESS, first, 12_000);
    assert.deepEqual(ownersAt(book, 12_500), [second], 'a late release closes only its own claim');
  });

  it('changes the workload of a claim without a gap', () => {
    const book = new AddressBook();
    const owner = podOf('a', 1_000);
    book.claim(ADDRESS, owner, 1_000);
    owner.workload = 'shop/CronJob/a';
    book.claim(ADDRESS, owner, 2_000);
    assert.equal(book.ownerAt(ADDRESS, 1_500)?.workload, 'shop/CronJob/a');
  });

  it('remembers former owners for ten minutes and no longer', () => {
    const book = new AddressBook();
    const owner = podOf('a', 0);
    book.claim(ADDRESS, owner, 0);
    book.release(ADDRESS, owner, 1_000);
    book.prune(600_000);
    assert.deepEqual(ownersAt(book, 500), [owner]);
    book.prune(601_001);
    assert.deepEqual(ownersAt(book, 500), [undefined]);
  });

  it('keeps the present owner when it forgets the former one', () => {
    const book = new AddressBook();
    const [first, second] = [podOf('a', 0), podOf('b', 2_000)];
    book.claim(ADDRESS, first, 0);
    book.release(ADDRESS, first, 1_000);
    book.claim(ADDRESS, second, 2_000);
    book.prune(700_000);
    assert.deepEqual(ownersAt(book, 500, 700_000), [undefined, second]);
    assert.equal(book.has(ADDRESS), true);
  });
});
