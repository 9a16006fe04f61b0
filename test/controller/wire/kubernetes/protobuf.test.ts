/** Lists in protobuf, encoded by protobufjs from the published message definitions, with fields that nobody reads. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { LazyscopeError } from '../../../../controller/core/error.ts';
import { protobufList, readProtobufStatus } from '../../../../controller/wire/kubernetes/protobuf.ts';
import { ListStream } from '../../../../controller/wire/kubernetes/protobuf-stream.ts';
import { reduce } from '../../../../controller/wire/kubernetes/reduce.ts';

/** From `generated.proto` of k8s.io/api and k8s.io/apimachinery. */
const { root } = protobuf.parse(
  `syntax = "proto2";
  message Time { optional int64 seconds = 1; optional int32 nanos = 2; }
  message OwnerReference { optional string kind = 1; optional string name = 3; optional string uid = 4;
    optional string apiVersion = 5; optional bool controller = 6; optional bool blockOwnerDeletion = 7; }
  message ManagedFields { optional string manager = 1; optional string operation = 2; optional bytes fields = 7; }
  message ObjectMeta { optional string name = 1; optional string generateName = 2; optional string namespace = 3;
    optional string uid = 5; optional string resourceVersion = 6; optional int64 generation = 7;
    optional Time creationTimestamp = 8; map<string, string> labels = 11; map<string, string> annotations = 12;
    repeated OwnerReference ownerReferences = 13; repeated ManagedFields managedFields = 17; }
  message ListMeta { optional string selfLink = 1; optional string resourceVersion = 2; optional string continue = 3;
    optional int64 remainingItemCount = 4; }
  message IntOrString { optional int64 type = 1; optional int32 intVal = 2; optional string strVal = 3; }
  message ServicePort { optional string name = 1; optional string protocol = 2; optional int32 port = 3;
    optional IntOrString targetPort = 4; optional int32 nodePort = 5; optional string appProtocol = 6; }
  message ServiceSpec { repeated ServicePort ports = 1; map<string, string> selector = 2; optional string clusterIP = 3;
    optional string type = 4; repeated string externalIPs = 5; optional string externalName = 10;
    repeated string clusterIPs = 18; }
  message Service { optional ObjectMeta metadata = 1; optional ServiceSpec spec = 2; }
  message EndpointConditions { optional bool ready = 1; optional bool serving = 2; optional bool terminating = 3; }
  message Endpoint { repeated string addresses = 1; optional EndpointConditions conditions = 2;
    optional string hostname = 3; optional string nodeName = 6; optional string zone = 7; }
  message EndpointPort { optional string name = 1; optional string protocol = 2; optional int32 port = 3; }
  message EndpointSlice { optional ObjectMeta metadata = 1; repeated Endpoint endpoints = 2;
    repeated EndpointPort ports = 3; optional string addressType = 4; }
  message PodIP { optional string ip = 1; }
  message Container { optional string name = 1; optional string image = 2; }
  message PodSpec { repeated Container containers = 2; optional string serviceAccountName = 8;
    optional string nodeName = 10; optional bool hostNetwork = 11; }
  message PodStatus { optional string phase = 1; optional string message = 3; optional string hostIP = 5;
    optional string podIP = 6; optional Time startTime = 7; repeated PodIP podIPs = 12; }
  message Pod { optional ObjectMeta metadata = 1; optional PodSpec spec = 2; optional PodStatus status = 3; }
  message NamespaceSpec { repeated string finalizers = 1; }
  message Namespace { optional ObjectMeta metadata = 1; optional NamespaceSpec spec = 2; }
  message NodeAddress { optional string type = 1; optional string address = 2; }
  message ContainerImage { repeated string names = 1; optional int64 sizeBytes = 2; }
  message NodeStatus { optional string phase = 3; repeated NodeAddress addresses = 5;
    repeated ContainerImage images = 8; }
  message Node { optional ObjectMeta metadata = 1; optional NodeStatus status = 3; }
  message NamespaceList { optional ListMeta metadata = 1; repeated Namespace items = 2; }
  message NodeList { optional ListMeta metadata = 1; repeated Node items = 2; }
  message ServiceList { optional ListMeta metadata = 1; repeated Service items = 2; }
  message EndpointSliceList { optional ListMeta metadata = 1; repeated EndpointSlice items = 2; }
  message PodList { optional ListMeta metadata = 1; repeated Pod items = 2; }
  message Status { optional ListMeta metadata = 1; optional string status = 2; optional string message = 3;
    optional string reason = 4; optional int32 code = 6; }
  message TypeMeta { optional string apiVersion = 1; optional string kind = 2; }
  message Unknown { optional TypeMeta typeMeta = 1; optional bytes raw = 2; optional string contentEncoding = 3;
    optional string contentType = 4; }`,
  { keepCase: true },
);

function encoded(kind: string, apiVersion: string, value: object): Buffer {
  const raw = root.lookupType(kind).encode(root.lookupType(kind).fromObject(value)).finish();
  const unknown = { typeMeta: { apiVersion, kind }, raw, contentEncoding: '', contentType: '' };
  const type = root.lookupType('Unknown');
  return Buffer.concat([Buffer.from('k8s\0'), type.encode(type.fromObject(unknown)).finish()]);
}

const SECONDS = Date.parse('2026-01-31T12:00:00Z') / 1_000;
const managedFields = [{ manager: 'kubelet', operation: 'Update', fields: Buffer.from('{"f:status":{}}') }];
const meta = (name: string, more: object = {}): object => ({
  name,
  namespace: 'shop',
  uid: 'b5d7',
  resourceVersion: '7',
  creationTimestamp: { seconds: SECONDS },
  managedFields,
  ...more,
});

/** A kind's list as protobufjs encodes it, and the objects that its JSON reduces to. */
interface SentList {
  readonly apiVersion: string;
  readonly kind: string;
  readonly items: readonly Item[];
  /** What the API server prints where it encodes something else. */
  readonly json: (item: Item) => object;
}

type Loose = Readonly<Record<string, unknown>>;

interface Item extends Loose {
  readonly metadata: object;
  readonly spec?: Loose & { readonly ports?: readonly (Loose & { readonly targetPort?: Loose })[] };
  readonly status?: Loose;
}

const LISTS: readonly SentList[] = [
  {
    apiVersion: 'v1',
    kind: 'Service',
    items: [
      {
        metadata: meta('cart', { labels: { app: 'cart' } }),
        spec: {
          ports: [
            { name: 'http', protocol: 'TCP', port: 80, targetPort: { type: 0, intVal: 8080 }, nodePort: 30_080 },
            { name: 'db', protocol: 'TCP', port: 5432, targetPort: { type: 1, strVal: 'pg' }, appProtocol: 'tcp' },
            { name: 'dns', protocol: 'UDP', port: 53 },
          ],
          selector: { app: 'cart' },
          clusterIP: '10.1.2.3',
          clusterIPs: ['10.1.2.3', 'fd00::1'],
          type: 'ClusterIP',
        },
      },
      { metadata: meta('db'), spec: { ports: [{ port: 5432 }], clusterIP: 'None', clusterIPs: ['None'] } },
      { metadata: meta('away'), spec: { type: 'ExternalName', externalName: 'ü.example.com' } },
    ],
    json: (item) => ({
      ...item,
      spec: {
        ...item.spec,
        ports: item.spec?.ports?.map((port) => ({
          ...port,
          targetPort: port.targetPort && (port.targetPort['strVal'] ?? port.targetPort['intVal']),
        })),
      },
    }),
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    items: [
      {
        metadata: meta('cart-abc', { labels: { 'kubernetes.io/service-name': 'cart' } }),
        endpoints: [
          { addresses: ['10.2.0.1'], conditions: { ready: true, serving: true }, nodeName: 'node-1', zone: 'a' },
          { addresses: ['10.2.0.2'], conditions: { ready: false, terminating: true }, hostname: 'cart-1' },
          { addresses: ['10.2.0.3'] },
        ],
        ports: [{ name: 'http', protocol: 'TCP', port: 8080 }, { name: 'any' }],
        addressType: 'IPv4',
      },
      { metadata: meta('own'), addressType: 'IPv4' },
    ],
    json: (item) => item,
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    items: [
      {
        metadata: meta('cart-1', {
          labels: { app: 'cart', 'pod-template-hash': '5d4', größe: 'XL' },
          annotations: { 'lazyscope.io/mode': 'Enforce', 'example.com/long': 'x'.repeat(300) },
          ownerReferences: [
            { kind: 'ReplicaSet', name: 'cart-5d4', uid: 'r', apiVersion: 'apps/v1', controller: true },
          ],
        }),
        spec: { containers: [{ name: 'app', image: 'cart:1' }], serviceAccountName: 'cart', nodeName: 'node-1' },
        status: {
          phase: 'Running',
          hostIP: '10.0.0.1',
          podIP: '10.2.0.1',
          podIPs: [{ ip: '10.2.0.1' }, { ip: 'fd00::2' }],
          startTime: { seconds: SECONDS + 1 },
        },
      },
      { metadata: meta('agent'), spec: { hostNetwork: true }, status: { phase: 'Failed', podIP: '10.0.0.1' } },
      { metadata: meta('new'), spec: {}, status: { phase: 'Pending' } },
    ],
    json: (item) => ({
      ...item,
      status: { ...item.status, startTime: item.status?.['startTime'] && '2026-01-31T12:00:01Z' },
    }),
  },
  {
    apiVersion: 'v1',
    kind: 'Namespace',
    items: [
      {
        metadata: meta('shop', { namespace: '', annotations: { 'lazyscope.io/mode': 'Off' } }),
        spec: { finalizers: ['kubernetes'] },
      },
      { metadata: meta('plain', { namespace: '' }) },
    ],
    json: (item) => item,
  },
  {
    apiVersion: 'v1',
    kind: 'Node',
    items: [
      {
        metadata: meta('node-1', { namespace: '' }),
        status: {
          addresses: [
            { type: 'InternalIP', address: '10.0.0.1' },
            { type: 'ExternalIP', address: 'fd00::1' },
            { type: 'Hostname', address: 'node-1' },
          ],
          images: [{ names: ['cart:1'], sizeBytes: 12_345_678 }],
        },
      },
      { metadata: meta('new', { namespace: '' }), status: {} },
    ],
    json: (item) => item,
  },
];

const listOf = ({ apiVersion, kind, items }: SentList): Buffer =>
  encoded(`${kind}List`, apiVersion, { metadata: { resourceVersion: '42', continue: 'next' }, items });

/** Items and metadata of a list that comes in chunks. */
function streamed(list: SentList, chunks: readonly Buffer[]) {
  const kind = protobufList(list.apiVersion, list.kind, false);
  assert.ok(kind);
  const stream = new ListStream(kind);
  const items = chunks.flatMap((chunk) => stream.push(chunk));
  stream.end();
  return { items, metadata: stream.metadata };
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const ends = [...new Set(at.map((each) => each % bytes.length))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

describe('a list in protobuf', () => {
  for (const list of LISTS) {
    const { apiVersion, kind } = list;

    it(`reduces to the same ${kind}s as its JSON`, () => {
      const reduced = (item: object) =>
        reduce({ ...item, apiVersion, kind }, { clusterDomain: 'cluster.local', undeclared: 'Auto' });
      const fromJson = (item: Item): object =>
        list.json({ ...item, metadata: { ...item.metadata, creationTimestamp: '2026-01-31T12:00:00Z' } });
      const { items, metadata } = streamed(list, [listOf(list)]);
      assert.deepEqual(
        items.map((item) => reduced(item as object)),
        list.items.map((item) => reduced(fromJson(item))),
      );
      assert.deepEqual(metadata, { resourceVersion: '42', continue: 'next' });
    });

    it(`gives the same ${kind}s wherever its bytes are cut`, () => {
      const whole = streamed(list, [listOf(list)]);
      fc.assert(
        fc.property(fc.array(fc.nat({ max: 10_000 }), { maxLength: 12 }), (at) => {
          assert.deepEqual(streamed(list, cut(listOf(list), at)), whole);
        }),
      );
      const bytewise = Array.from({ length: listOf(list).length }, (_, index) => index);
      assert.deepEqual(streamed(list, cut(listOf(list), bytewise)), whole);
    });

    it(`is refused by a code where it ends before its end: ${kind}`, () => {
      const bytes = listOf(list);
      // The last field of the envelope may be missing: what it would say is empty.
      for (let end = 0; end < bytes.length - 4; end += 1) {
        assert.throws(() => streamed(list, [bytes.subarray(0, end)]), { code: 'InvalidBytes' }, `cut at ${end}`);
      }
    });

    it(`never fails otherwise than by a code, whatever became of its bytes: ${kind}`, () => {
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.nat({ max: 10_000 }), fc.nat({ max: 255 })), { minLength: 1 }), (flips) => {
          const bytes = Buffer.from(listOf(list));
          for (const [at, byte] of flips) bytes[at % bytes.length] = byte;
          try {
            streamed(list, [bytes]);
          } catch (error) {
            assert.ok(error instanceof LazyscopeError && error.code === 'InvalidBytes', String(error));
          }
        }),
        { numRuns: 1_000 },
      );
    });
  }
});

/** The one pod of a list. */
function podOf(pod: object): object {
  const bytes = encoded('PodList', 'v1', { metadata: { resourceVersion: '42' }, items: [pod] });
  const list: SentList = { apiVersion: 'v1', kind: 'Pod', items: [], json: (item) => item };
  const [item] = streamed(list, [bytes]).items;
  return item as object;
}

describe('an object in protobuf', () => {
  // As Go prints it in JSON. Only clients that write protobuf bring such texts in, and nobody refuses them.
  it('has replacement characters where a text is not UTF-8, and costs the list nothing else', () => {
    const odd = 'o\u{1F4A3}dd';
    const bytes = encoded('PodList', 'v1', {
      metadata: { resourceVersion: '42' },
      items: [{ metadata: meta(odd, { annotations: { note: odd } }) }, { metadata: meta('cart-1') }],
    });
    for (let at = bytes.indexOf(odd); at >= 0; at = bytes.indexOf(odd, at)) bytes.fill(0xff, at + 1, at + 5);
    const list: SentList = { apiVersion: 'v1', kind: 'Pod', items: [], json: (item) => item };
    const items = streamed(list, [bytes]).items as { readonly metadata: Loose }[];
    const broken = `o${'\u{fffd}'.repeat(4)}dd`;
    assert.deepEqual(
      items.map(({ metadata }) => [metadata['name'], metadata['annotations']]),
      [
        [broken, { note: broken }],
        ['cart-1', undefined],
      ],
    );
  });

  it('has no time where Go has none, rather than 1970', () => {
    const pod = { metadata: meta('cart-1', { creationTimestamp: {} }), status: { startTime: {} } };
    const reduced = reduce({ ...podOf(pod), apiVersion: 'v1', kind: 'Pod' }, { clusterDomain: 'cluster.local' });
    assert.deepEqual(reduced.problems, []);
    assert.deepEqual(
      reduced.objects.map((object) => 'startedAt' in object),
      [false],
    );
  });
});

describe('a Status in protobuf', () => {
  it('tells its message', () => {
    const status = { status: 'Failure', message: 'pods is forbidden', reason: 'Forbidden', code: 403 };
    const { status: _, ...read } = status;
    assert.deepEqual(readProtobufStatus(encoded('Status', 'v1', status)), read);
  });

  for (const [what, bytes] of [
    ['JSON', Buffer.from('{"kind":"Status"}')],
    ['nothing', Buffer.alloc(0)],
    ['another kind', encoded('ServiceList', 'v1', {})],
    ['half of one', encoded('Status', 'v1', { message: 'long enough' }).subarray(0, 20)],
  ] as const) {
    it(`is not found in ${what}`, () => {
      assert.equal(readProtobufStatus(bytes), undefined);
    });
  }
});
