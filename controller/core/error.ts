/** Stable codes of {@link LazyscopeError}; operators and scripts match on them. */
export type ErrorCode =
  /** A flag, environment variable or file of configuration is wrong. */
  | 'InvalidConfiguration'
  /** A Kubernetes object or YAML document cannot be used. */
  | 'InvalidObject'
  /** Bytes of a protocol (PROXY header, access log, xDS) cannot be read. */
  | 'InvalidBytes'
  /** The store cannot be opened, or was written by a newer version. */
  | 'StoreUnusable'
  /** A server that we call did not answer as it should. */
  | 'Unavailable'
  /** A server that we call does not allow it. */
  | 'Forbidden'
  /** What was asked for does not exist. */
  | 'NotFound';

/** The one error class: a stable code, a message that names object, field and fix, and the cause where there is one. */
export class LazyscopeError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'LazyscopeError';
    this.code = code;
  }

  /** Any caught value as one of ours; an error that already is one passes unchanged. */
  static from(code: ErrorCode, subject: string, caught: unknown): LazyscopeError {
    if (caught instanceof LazyscopeError) return caught;
    const reason = reasonOf(caught);
    return new LazyscopeError(code, `${subject}: ${reason}`, { cause: caught });
  }
}

/** What a caught value says, whatever was thrown. */
export function reasonOf(caught: unknown): string {
  return caught instanceof Error ? caught.message : String(caught);
}
