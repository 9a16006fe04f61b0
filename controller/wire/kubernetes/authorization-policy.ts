/** security.istio.io AuthorizationPolicy. https://istio.io/latest/docs/reference/config/security/authorization-policy/ */
import { z } from 'zod';
import { metadataSchema, namespaceOf } from './metadata.ts';
import { kindReader } from './reduction.ts';

/** A JSON Web Token is the same through a relay. Every other field of a source, known to us or not, is about the peer. */
const SAFE_SOURCE_FIELDS: ReadonlySet<string> = new Set(['requestPrincipals', 'notRequestPrincipals']);
/** Conditions on the peer: https://istio.io/latest/docs/reference/config/security/conditions/ */
const CALLER_KEY = /^(source\.|remote\.ip$)/;

const ruleSchema = z.object({
  from: z.array(z.object({ source: z.record(z.string(), z.unknown()).nullish() })).nullish(),
  when: z.array(z.object({ key: z.string() })).nullish(),
});
type Rule = z.infer<typeof ruleSchema>;

const authorizationPolicySchema = z.object({
  metadata: metadataSchema,
  spec: z.object({ rules: z.array(ruleSchema).nullish() }).nullish(),
});

const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || (Array.isArray(value) && value.length === 0);

function sourceField({ from }: Rule): string | undefined {
  for (const [index, { source }] of (from ?? []).entries()) {
    const field = Object.keys(source ?? {}).find((name) => !SAFE_SOURCE_FIELDS.has(name) && !isEmpty(source?.[name]));
    if (field !== undefined) return `from[${index}].source.${field}`;
  }
  return undefined;
}

function conditionField({ when }: Rule): string | undefined {
  const index = when?.findIndex(({ key }) => CALLER_KEY.test(key)) ?? -1;
  return index < 0 ? undefined : `when[${index}].key`;
}

/** Whatever its action: also a policy that denies or only asks another server decides by what it sees of the peer. */
function callerField(rules: readonly Rule[]): { readonly callerField?: string } {
  for (const [index, rule] of rules.entries()) {
    const field = sourceField(rule) ?? conditionField(rule);
    if (field !== undefined) return { callerField: `spec.rules[${index}].${field}` };
  }
  return {};
}

/** Reads a security.istio.io AuthorizationPolicy. */
export const readAuthorizationPolicy = kindReader(
  'AuthorizationPolicy',
  authorizationPolicySchema,
  ({ metadata, spec }) => ({
    object: {
      kind: 'AuthorizationPolicy',
      namespace: namespaceOf(metadata),
      name: metadata.name,
      ...callerField(spec?.rules ?? []),
    },
  }),
);
