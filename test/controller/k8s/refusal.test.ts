import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerBehind, refusal } from '../../../controller/k8s/refusal.ts';

const WRITE = { verb: 'patch', resource: 'sidecars.networking.istio.io', namespace: 'shop', name: 'cart' };
const READ = { verb: 'list', resource: 'pods', namespace: '' };
const status = (message: string) => ({ kind: 'Status', message });

for (const [name, intent, code, body, expected] of [
  ['400', WRITE, 'InvalidObject', status('bad'), 'patch sidecars.networking.istio.io shop/cart: bad'],
  ['422', WRITE, 'InvalidObject', status('bad'), 'patch sidecars.networking.istio.io shop/cart: bad'],
  ['409', WRITE, 'Unavailable', status('busy'), 'patch sidecars.networking.istio.io shop/cart: busy'],
  ['401', READ, 'Unavailable', status('Unauthorized'), 'list pods in all namespaces: Unauthorized'],
  ['429', READ, 'Unavailable', 'slow down', 'list pods in all namespaces: the API server answered 429'],
  ['503', READ, 'Unavailable', undefined, 'list pods in all namespaces: the API server answered 503'],
  ['404', READ, 'NotFound', undefined, 'list pods in all namespaces: the API server does not have this kind'],
  [
    '403',
    WRITE,
    'Forbidden',
    status('no'),
    'may not patch sidecars.networking.istio.io shop/cart: grant verb "patch" on "sidecars.networking.istio.io" in a Role of namespace shop or a ClusterRole (no)',
  ],
  [
    '403',
    READ,
    'Forbidden',
    status('no'),
    'may not list pods in all namespaces: grant verb "list" on "pods" in a ClusterRole (no)',
  ],
] as const) {
  test(`${name} to ${intent.verb} is ${code}: ${expected}`, () => {
    const answer = { status: Number(name), body };
    const error = refusal(answer, intent);
    assert.deepEqual([error.code, error.message], [code, expected]);
    assert.equal(answerBehind(error), answer);
  });
}

test('500 for a field that the kind does not have is the fault of the object', () => {
  const body = status('failed to create typed patch object (shop/cart; v1, Kind=Service): .spec.portz: not declared');
  assert.equal(refusal({ status: 500, body }, WRITE).code, 'InvalidObject');
  assert.equal(refusal({ status: 500, body: status('etcd: out of space') }, WRITE).code, 'Unavailable');
});

test('other errors have no answer behind them', () => {
  assert.equal(answerBehind(new Error('x')), undefined);
});
