import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddressBook } from '../../../../controller/core/registry/address-book.ts';

const first = { pod: 'shop/a-0', workload: 'shop/Deployment/a' };
const second = { pod: 'shop/b-0', workload: 'shop/Deployment/b' };

describe('AddressBook', () => {
  it('gives an address of unknown beginning to its first owner from ever', () => {
    const book = new AddressBook();
    book.claim('10.0.0.1', first, undefined, 5_000);
    assert.equal(book.ownerAt('10.0.0.1', 1)?.workload, first.workload);
  });

  it('knows nobody before a pod started', () => {
    const book = new AddressBook();
    book.claim('10.0.0.1', first, 3_000, 5_000);
    assert.equal(book.ownerAt('10.0.0.1', 2_999), undefined);
    assert.equal(book.ownerAt('10.0.0.1', 3_000)?.pod, first.pod);
  });

  it('never blames a former owner for the next one', () => {
    const book = new AddressBook();
    book.claim('10.0.0.1', first, 1_000, 1_000);
    book.release('10.0.0.1', first.pod, 5_500);
    book.claim('10.0.0.1', second, 5_000, 6_200);
    assert.equal(
      book.ownerAt('10.0.0.1', 5_200)?.pod,
      first.pod,
      'startTime is cut to the second; the release is exact',
    );
    assert.equal(book.ownerAt('10.0.0.1', 5_600)?.pod, second.pod, 'before the source told us, after the pod began');
  });

  it('believes the newest claim where the release was never told', () => {
    const book = new AddressBook();
    book.claim('10.0.0.1', first, 1_000, 1_000);
    book.claim('10.0.0.1', second, 9_000, 9_500);
    assert.equal(book.ownerAt('10.0.0.1', 8_000)?.pod, first.pod);
    assert.equal(book.ownerAt('10.0.0.1', 9_000)?.pod, second.pod);
    book.release('10.0.0.1', first.pod, 12_000);
    assert.equal(book.ownerAt('10.0.0.1', 12_500)?.pod, second.pod, 'a late release closes only its own claim');
  });

  it('changes the workload of a claim without a gap', () => {
    const book = new AddressBook();
    book.claim('10.0.0.1', first, 1_000, 1_000);
    book.claim('10.0.0.1', { ...first, workload: 'shop/CronJob/a' }, 1_000, 2_000);
    assert.equal(book.ownerAt('10.0.0.1', 1_500)?.workload, 'shop/CronJob/a');
  });

  it('remembers former owners for ten minutes and no longer', () => {
    const book = new AddressBook();
    book.claim('10.0.0.1', first, 0, 0);
    book.release('10.0.0.1', first.pod, 1_000);
    book.prune(600_000);
    assert.equal(book.ownerAt('10.0.0.1', 500)?.pod, first.pod);
    book.prune(601_001);
    assert.equal(book.ownerAt('10.0.0.1', 500), undefined);
  });
});
