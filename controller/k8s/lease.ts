/** `coordination.k8s.io/v1` Leases at the API server. */
import type { LeaseRecord } from '../core/leader-election.ts';
import type { Timestamp } from '../core/model.ts';
import type { Answer } from './answer.ts';
import type { Cluster } from './cluster.ts';
import { microTime } from './micro-time.ts';
import { metadataOf, property, textProperty } from './object-metadata.ts';
import { type Intent, refusal } from './refusal.ts';
import { collectionPath, qualifiedName } from './resources.ts';

const LEASES = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases' };

/** A Lease as the API server has it. */
export interface StoredLease {
  readonly record: LeaseRecord;
  /** With the resourceVersion, and with labels of others: they are written back. */
  readonly metadata: unknown;
}

export interface LeaseOptions {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly name: string;
  /** Milliseconds until a request is given up. */
  readonly timeout: number;
}

/** One Lease, by name. */
export class LeaseObject {
  readonly #options: LeaseOptions;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /**
   * `undefined` where there is none.
   * @throws LazyscopeError
   */
  async read(): Promise<StoredLease | undefined> {
    const answer = await this.#request('GET', 'get');
    if (answer.status === 404) return undefined;
    if (answer.status >= 300) throw refusal(answer, this.#intent('get'));
    return storedLease(answer.body);
  }

  /**
   * Writes a record in place of the one that was read, or a new Lease without one.
   * @returns `undefined` when somebody else was faster
   * @throws LazyscopeError
   */
  async write(record: LeaseRecord, before: StoredLease | undefined): Promise<StoredLease | undefined> {
    const { namespace, name } = this.#options;
    const body = {
      apiVersion: LEASES.apiVersion,
      kind: LEASES.kind,
      metadata: before?.metadata ?? { namespace, name },
      spec: {
        holderIdentity: record.holder,
        leaseDurationSeconds: record.durationSeconds,
        acquireTime: microTime(record.acquiredAt),
        renewTime: microTime(record.renewedAt),
        leaseTransitions: record.transitions,
      },
    };
    const verb = before ? 'update' : 'create';
    const answer = await this.#request(before ? 'PUT' : 'POST', verb, body);
    if (answer.status === 409 || (before && answer.status === 404)) return undefined;
    if (answer.status >= 300) throw refusal(answer, this.#intent(verb));
    return storedLease(answer.body);
  }

  async #request(method: 'GET' | 'PUT' | 'POST', verb: string, body?: object): Promise<Answer> {
    const { cluster, namespace, name, timeout } = this.#options;
    const collection = collectionPath(LEASES, namespace);
    const path = method === 'POST' ? collection : `${collection}/${name}`;
    return cluster.request({ method, path, body, intent: this.#intent(verb), timeout });
  }

  #intent(verb: string): Intent {
    const { namespace, name } = this.#options;
    return { verb, resource: qualifiedName(LEASES), namespace, name };
  }
}

function storedLease(body: unknown): StoredLease {
  const spec = property(body, 'spec');
  const time = (name: string): Timestamp => Date.parse(textProperty(spec, name)) || 0;
  const number = (name: string): number => Number(property(spec, name) ?? 0);
  const record: LeaseRecord = {
    holder: textProperty(spec, 'holderIdentity'),
    durationSeconds: number('leaseDurationSeconds'),
    acquiredAt: time('acquireTime'),
    renewedAt: time('renewTime'),
    transitions: number('leaseTransitions'),
  };
  return { record, metadata: withoutManagedFields(body) };
}

/** The server keeps them itself. */
function withoutManagedFields(body: unknown): unknown {
  return metadataOf(body).name === '' ? undefined : { ...Object(property(body, 'metadata')), managedFields: undefined };
}
