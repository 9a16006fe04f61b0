/** The API server's answers that are no success, as errors of ours. */
import { type ErrorCode, LazyscopeError } from '../core/error.ts';
import type { Answer } from './answer.ts';

/** What was asked of the API server, in the words of RBAC. */
export interface Intent {
  /** `list`, `watch`, `patch`, ... */
  readonly verb: string;
  /** `sidecars.networking.istio.io`, `pods`. */
  readonly resource: string;
  /** Empty: in all of them, or a resource that has none. */
  readonly namespace: string;
  readonly name?: string;
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'InvalidObject',
  403: 'Forbidden',
  404: 'NotFound',
  422: 'InvalidObject',
};

/** `patch sidecars.networking.istio.io shop/cart`, `list pods in all namespaces`. */
export function describeIntent({ verb, resource, namespace, name }: Intent): string {
  if (name !== undefined) return `${verb} ${resource} ${namespace === '' ? name : `${namespace}/${name}`}`;
  return `${verb} ${resource} in ${namespace === '' ? 'all namespaces' : `namespace ${namespace}`}`;
}

/** `message` of a `Status`. */
function messageOf({ status, body }: Answer): string {
  if (typeof body === 'object' && body !== null && 'message' in body && typeof body.message === 'string') {
    return body.message;
  }
  return status === 404 ? 'the API server does not have this kind' : `the API server answered ${status}`;
}

/** Server-side apply answers 500 to a field that is unknown or of another type, though it is the object's fault. */
const UNTYPED_PATCH = 'failed to create typed patch object';

function codeOf(answer: Answer): ErrorCode {
  if (answer.status === 500 && messageOf(answer).startsWith(UNTYPED_PATCH)) return 'InvalidObject';
  return CODES[answer.status] ?? 'Unavailable';
}

/** What an answer of status 300 or more means to the caller; the answer is the cause. */
export function refusal(answer: Answer, intent: Intent): LazyscopeError {
  const code = codeOf(answer);
  const what = describeIntent(intent);
  if (code !== 'Forbidden') return new LazyscopeError(code, `${what}: ${messageOf(answer)}`, { cause: answer });
  const place = intent.namespace === '' ? 'a ClusterRole' : `a Role of namespace ${intent.namespace} or a ClusterRole`;
  return new LazyscopeError(
    code,
    `may not ${what}: grant verb "${intent.verb}" on "${intent.resource}" in ${place} (${messageOf(answer)})`,
    { cause: answer },
  );
}

/** The answer behind an error of {@link refusal}. */
export function answerBehind(error: unknown): Answer | undefined {
  if (!(error instanceof LazyscopeError) || typeof error.cause !== 'object' || error.cause === null) return undefined;
  return 'status' in error.cause && typeof error.cause.status === 'number' ? (error.cause as Answer) : undefined;
}
