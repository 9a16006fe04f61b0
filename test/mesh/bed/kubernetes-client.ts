/**
 * A client of the bed's API server, for what tests do as users or in place of the controllers that no bed runs. Objects
 * are written by server-side apply. https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
import { Agent } from 'node:https';
import type { KubernetesObject } from '../../support/bed/kubernetes-objects.ts';
import { type HttpsAnswer, type HttpsRequest, httpsRequest } from './https-request.ts';

/** How to reach an API server, and as whom. */
export interface KubernetesAccess {
  /** `https://...` without a path. */
  readonly server: string;
  /** PEM. */
  readonly certificateAuthority: string;
  readonly token: string;
}

/** What names an object. */
export type ObjectReference = Pick<KubernetesObject, 'apiVersion' | 'kind' | 'metadata'>;

/** An object as the API server returns it. */
export interface StoredObject extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & { readonly uid: string; readonly resourceVersion: string };
}

interface ApiResource {
  /** Plural, as in paths. */
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** The API server's refusal. */
class KubernetesApiError extends Error {
  readonly status: number;

  constructor(method: string, path: string, { status, body }: { readonly status: number; readonly body: string }) {
    super(`${method} ${path}: ${status} ${body.slice(0, 1_000)}`);
    this.name = 'KubernetesApiError';
    this.status = status;
  }
}

const FIELD_MANAGER = 'lazyscope-test';

function groupPath(apiVersion: string): string {
  return apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
}

export class KubernetesClient {
  readonly access: KubernetesAccess;
  readonly #agent: Agent;
  readonly #resources = new Map<string, readonly ApiResource[]>();

  constructor(access: KubernetesAccess) {
    this.access = access;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 16, ca: access.certificateAuthority });
  }

  /** The same server as another user. */
  as(token: string): KubernetesClient {
    return new KubernetesClient({ ...this.access, token });
  }

  /**
   * Any request, with JSON as answer.
   * @throws KubernetesApiError
   */
  async request<T>(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<T> {
    const answer = await this.#send(method, path, {
      headers: { 'content-type': contentType },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.status >= 300) throw new KubernetesApiError(method, path, answer);
    return JSON.parse(answer.body);
  }

  /** Whether a path is answered with 200. */
  async answers(path: string): Promise<boolean> {
    return (await this.#send('GET', path)).status === 200;
  }

  /** Writes an object's fields, made where it does not exist; conflicts with other managers are won. */
  async apply<T extends StoredObject = StoredObject>(object: KubernetesObject): Promise<T> {
    const path = `${await this.path(object)}?fieldManager=${FIELD_MANAGER}&force=true`;
    return this.request('PATCH', path, object, 'application/apply-patch+yaml');
  }

  /** One after the other, as later ones may need earlier ones. */
  async applyAll(objects: readonly KubernetesObject[]): Promise<void> {
    for (const object of objects) await this.apply(object);
  }

  async get<T extends KubernetesObject = StoredObject>(reference: ObjectReference): Promise<T> {
    return this.request('GET', await this.path(reference));
  }

  /** At once, without a grace period. */
  async delete(reference: ObjectReference): Promise<void> {
    await this.request('DELETE', `${await this.path(reference)}?gracePeriodSeconds=0`);
  }

  /** What a kubelet or controller would say of the object. */
  async patchStatus(reference: ObjectReference, status: object): Promise<void> {
    const path = `${await this.path(reference)}/status`;
    await this.request('PATCH', path, { status }, 'application/merge-patch+json');
  }

  /** A bound token of a ServiceAccount, valid for 2 h. @param audiences default: the API server's own */
  async serviceAccountToken(namespace: string, name: string, audiences?: readonly string[]): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 7_200, ...(audiences ? { audiences } : {}) },
    };
    const { status } = await this.request<{ readonly status: { readonly token: string } }>('POST', path, body);
    return status.token;
  }

  /** Where the object is. */
  async path({ apiVersion, kind, metadata: { name, namespace } }: ObjectReference): Promise<string> {
    const { name: plural, namespaced } = await this.#resource(apiVersion, kind);
    const scope = namespaced ? `/namespaces/${namespace ?? 'default'}` : '';
    return `${groupPath(apiVersion)}${scope}/${plural}/${name}`;
  }

  async #send(method: string, path: string, more: Partial<HttpsRequest> = {}): Promise<HttpsAnswer> {
    const { server, token } = this.access;
    const headers = { authorization: `Bearer ${token}`, ...more.headers };
    return httpsRequest({ ...more, method, url: server + path, headers, agent: this.#agent });
  }

  async #resource(apiVersion: string, kind: string): Promise<ApiResource> {
    const find = (): ApiResource | undefined =>
      this.#resources.get(apiVersion)?.find((resource) => resource.kind === kind && !resource.name.includes('/'));
    const known = find();
    if (known) return known;
    const { resources } = await this.request<{ readonly resources: readonly ApiResource[] }>(
      'GET',
      groupPath(apiVersion),
    );
    this.#resources.set(apiVersion, resources);
    const found = find();
    if (!found) throw new Error(`The API server has no ${kind} in ${apiVersion}`);
    return found;
  }
}
