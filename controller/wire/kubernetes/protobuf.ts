/**
 * Lists as the API server encodes them in protobuf, which costs it and us a fraction of JSON: read to the form that their
 * JSON is parsed to, as far as our kinds are read.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 */
import { ProtoReader } from '../proto-reader.ts';
import {
  boolean,
  type FieldKind,
  list,
  type MessageKind,
  message,
  number,
  numberOrText,
  recurring,
  text,
  texts,
  time,
} from './protobuf-fields.ts';
import { type ListKind, MAGIC } from './protobuf-stream.ts';

/** Media type of requests and answers. */
export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

/** Numbers and names as in `generated.proto` of k8s.io/api and k8s.io/apimachinery; they never change. */
const OWNER_REFERENCE = message({ kind: [1, recurring], name: [3, recurring], controller: [6, boolean] });

function metadata(name: FieldKind): MessageKind {
  return message({
    name: [1, name],
    namespace: [3, recurring],
    resourceVersion: [6, text],
    creationTimestamp: [8, time],
    labels: [11, texts],
    annotations: [12, texts],
    ownerReferences: [13, list(OWNER_REFERENCE)],
  });
}

/** Other objects name it too: a Service's EndpointSlices, a ReplicaSet's pods. */
const METADATA = metadata(recurring);
/** Hardly anything else names it. */
const METADATA_OF_PART = metadata(text);

const SERVICE_PORT = message({
  name: [1, recurring],
  protocol: [2, recurring],
  port: [3, number],
  targetPort: [4, numberOrText],
  appProtocol: [6, recurring],
});

const SERVICE = message({
  metadata: [1, METADATA],
  spec: [
    2,
    message({
      ports: [1, list(SERVICE_PORT)],
      clusterIP: [3, text],
      type: [4, recurring],
      clusterIPs: [18, list(text)],
    }),
  ],
});

const ENDPOINT = message({ addresses: [1, list(text)], conditions: [2, message({ ready: [1, boolean] })] });
const ENDPOINT_PORT = message({ name: [1, recurring], protocol: [2, recurring], port: [3, number] });

const ENDPOINT_SLICE = message({
  metadata: [1, METADATA_OF_PART],
  endpoints: [2, list(ENDPOINT)],
  ports: [3, list(ENDPOINT_PORT)],
  addressType: [4, recurring],
});

const POD = message({
  metadata: [1, METADATA_OF_PART],
  spec: [2, message({ serviceAccountName: [8, recurring], hostNetwork: [11, boolean] })],
  status: [
    3,
    message({
      phase: [1, recurring],
      podIP: [6, text],
      startTime: [7, time],
      podIPs: [12, list(message({ ip: [1, text] }))],
    }),
  ],
});

const NAMESPACE = message({ metadata: [1, METADATA] });

const NODE = message({
  metadata: [1, METADATA],
  status: [3, message({ addresses: [5, list(message({ address: [2, text] }))] })],
});

const METADATA_OF_LIST = message({ resourceVersion: [2, text], continue: [3, text] });

const LISTS: ReadonlyMap<string, ListKind> = new Map(
  Object.entries({
    'v1 Namespace': NAMESPACE,
    'v1 Node': NODE,
    'v1 Service': SERVICE,
    'v1 Pod': POD,
    'discovery.k8s.io/v1 EndpointSlice': ENDPOINT_SLICE,
  }).map(([name, item]) => [name, { metadata: METADATA_OF_LIST, item }]),
);

/** Any kind, where only metadata is asked for. */
const METADATA_LIST: ListKind = { metadata: METADATA_OF_LIST, item: message({ metadata: [1, METADATA] }) };

/** @returns how lists of a kind are read; `undefined`: only from JSON */
export function protobufList(apiVersion: string, kind: string, metadataOnly: boolean): ListKind | undefined {
  return metadataOnly ? METADATA_LIST : LISTS.get(`${apiVersion} ${kind}`);
}

/** Bytes, as where they are. */
const RANGE: FieldKind = {
  wireType: 2,
  read: ({ reader }): Range => {
    reader.range();
    return [reader.rangeStart, reader.rangeEnd];
  },
};

/** `Unknown`, which wraps everything. */
const ENVELOPE = message({ type: [1, message({ kind: [2, text] })], raw: [2, RANGE] });

const STATUS = message({ message: [3, text], reason: [4, text], code: [6, number] });

type Range = readonly [start: number, end: number];

interface Envelope {
  readonly type?: { readonly kind?: string };
  readonly raw?: Range;
}

/**
 * The `Status` by which the API server refuses a request that would have been answered in protobuf, as its JSON.
 * @returns `undefined` for bytes that are none
 */
export function readProtobufStatus(bytes: Buffer): unknown {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const { type, raw } = (read(ENVELOPE, bytes, [MAGIC.length, bytes.length]) ?? {}) as Envelope;
  return type?.kind === 'Status' && raw ? read(STATUS, bytes, raw) : undefined;
}

function read(kind: MessageKind, bytes: Buffer, [start, end]: Range): unknown {
  const reader = new ProtoReader();
  reader.open(bytes, start, end);
  const value = kind.readFields({ reader, bytes });
  return reader.fault === undefined ? value : undefined;
}
