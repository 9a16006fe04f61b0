/** Writes our objects to the API server by server-side apply. */
import { hostname } from 'node:os';
import { LazyscopeError } from '../core/error.ts';
import type { Manifest, ManifestRef, ManifestWrite, ManifestWriter, OperatorEvent } from '../core/publishing.ts';
import type { Cluster, ClusterRequest } from './cluster.ts';
import { microTime } from './micro-time.ts';
import { type Intent, refusal } from './refusal.ts';
import { collectionPath, qualifiedName, type Resource } from './resources.ts';

/** Whose fields these are. https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
const FIELD_MANAGER = 'lazyscope';
const REPORTER = 'lazyscope.io/controller';
/** Longest `note` of an event that the API server takes. */
const MAX_NOTE_BYTES = 1024;

const EVENTS: Resource = { apiVersion: 'events.k8s.io/v1', kind: 'Event', plural: 'events' };

/** The kinds that we write. A table instead of discovery: they are few, and it needs no request and no right. */
const WRITTEN: readonly Resource[] = [
  { apiVersion: 'networking.istio.io/v1', kind: 'Sidecar', plural: 'sidecars' },
  { apiVersion: 'networking.istio.io/v1', kind: 'DestinationRule', plural: 'destinationrules' },
  { apiVersion: 'networking.istio.io/v1', kind: 'ServiceEntry', plural: 'serviceentries' },
  { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', plural: 'virtualservices' },
  { apiVersion: 'v1', kind: 'Service', plural: 'services' },
];

export interface ManifestWriterOptions {
  readonly cluster: Cluster;
  /** Told of events that could not be written. */
  readonly log: { warn(fields: object, message: string): void };
  /** Milliseconds since the epoch, `Date.now` by default. */
  readonly now?: () => number;
}

export class KubernetesManifestWriter implements ManifestWriter {
  readonly #options: ManifestWriterOptions;
  #events = 0;

  constructor(options: ManifestWriterOptions) {
    this.#options = options;
  }

  async write(change: ManifestWrite): Promise<void> {
    if (change.type === 'Apply') await this.#apply(change.manifest);
    else await this.#delete(change.ref);
  }

  async event(event: OperatorEvent): Promise<void> {
    const { about } = event;
    // Events of objects of the cluster are kept there, too.
    const namespace = about.namespace || 'default';
    try {
      const now = (this.#options.now ?? Date.now)();
      this.#events += 1;
      const name = `${about.name.slice(0, 200)}.${now.toString(16)}${this.#events.toString(16)}`;
      await this.#send({
        method: 'POST',
        path: collectionPath(EVENTS, namespace),
        body: eventObject(event, { namespace, name }, now),
        intent: { verb: 'create', resource: qualifiedName(EVENTS), namespace },
      });
    } catch (error) {
      const { reason, message } = event;
      this.#options.log.warn({ err: error, about, reason, note: message }, 'An event could not be written');
    }
  }

  async #apply(manifest: Manifest): Promise<void> {
    const { path, intent } = target({ ...manifest, ...manifest.metadata }, 'patch');
    await this.#send({
      method: 'PATCH',
      path: `${path}?fieldManager=${FIELD_MANAGER}&force=true`,
      body: manifest,
      intent,
      // YAML by name; JSON is YAML.
      headers: { 'content-type': 'application/apply-patch+yaml' },
    });
  }

  async #delete(ref: ManifestRef): Promise<void> {
    const { path, intent } = target(ref, 'delete');
    try {
      await this.#send({ method: 'DELETE', path, intent });
    } catch (error) {
      if (!(error instanceof LazyscopeError) || error.code !== 'NotFound') throw error;
    }
  }

  async #send(request: ClusterRequest): Promise<void> {
    const answer = await this.#options.cluster.request(request);
    if (answer.status >= 300) throw refusal(answer, request.intent);
  }
}

/** @throws LazyscopeError `InvalidObject` for a kind that we do not write */
function target(ref: ManifestRef, verb: string): { readonly path: string; readonly intent: Intent } {
  const { apiVersion, kind, namespace, name } = ref;
  const resource = WRITTEN.find((known) => known.apiVersion === apiVersion && known.kind === kind);
  if (!resource) {
    throw new LazyscopeError('InvalidObject', `${apiVersion} ${kind} ${namespace}/${name}: not a kind that is written`);
  }
  return {
    path: `${collectionPath(resource, namespace)}/${name}`,
    intent: { verb, resource: qualifiedName(resource), namespace, name },
  };
}

function eventObject(
  { about, type, reason, message }: OperatorEvent,
  metadata: { readonly namespace: string; readonly name: string },
  now: number,
): object {
  return {
    apiVersion: EVENTS.apiVersion,
    kind: EVENTS.kind,
    metadata,
    eventTime: microTime(now),
    reportingController: REPORTER,
    reportingInstance: hostname(),
    action: 'Scope',
    type,
    reason,
    note: Buffer.from(message)
      .subarray(0, MAX_NOTE_BYTES)
      .toString()
      .replace(/\uFFFD+$/, ''),
    regarding: { apiVersion: about.apiVersion, kind: about.kind, namespace: about.namespace, name: about.name },
  };
}
