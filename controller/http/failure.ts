/** Every failure as a status and the body `{error: {code, message}}`. */
import type { FastifyError } from 'fastify';
import type { ApiError } from '../core/answer.ts';
import { type ErrorCode, LazyscopeError } from '../core/error.ts';

/** A status and what to say with it. */
export interface Failure {
  readonly status: number;
  readonly body: ApiError;
}

const statusByCode: Readonly<Record<ErrorCode, number>> = {
  Forbidden: 403,
  NotFound: 404,
  InvalidConfiguration: 400,
  Unavailable: 503,
  InvalidObject: 500,
  InvalidBytes: 500,
  StoreUnusable: 500,
};

/** A body and its status. */
export function failure(status: number, code: string, message: string): Failure {
  return { status, body: { error: { code, message } } };
}

/** What a client is told about a caught error. What we did not foresee is told to the log only. */
export function failureOf(caught: FastifyError | LazyscopeError): Failure {
  if (caught instanceof LazyscopeError) {
    const status = statusByCode[caught.code];
    return status === 500 ? internal() : failure(status, caught.code, caught.message);
  }
  const status = caught.statusCode ?? 500;
  if (status >= 500) return internal();
  const where = caught.validationContext === 'querystring' ? 'Query parameter ' : '';
  return failure(status, 'BadRequest', `${where}${caught.message}. See /api/v1/openapi.json.`);
}

function internal(): Failure {
  return failure(500, 'Internal', "The controller failed to answer; the reason is in the controller's log.");
}
