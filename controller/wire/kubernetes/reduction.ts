/** What reducing Kubernetes objects yields, and how one kind is read. */
import { z } from 'zod';
import type { MeshObject, ObjectRef } from '../../core/mesh-object.ts';
import type { PortProtocol } from '../../core/model.ts';
import type { Problem } from '../../core/ports.ts';
import { metadataSchema, namespaceOf } from './metadata.ts';

/** Settings of the mesh that the reduction depends on. */
export interface ReduceOptions {
  /** Suffix of service hosts, usually `cluster.local`. */
  readonly clusterDomain: string;
  /** Protocol of a port that declares none; `TCP` by default, as in direct mode. With `Auto` ports are read as istiod does. */
  readonly undeclared?: PortProtocol;
}

/** Something we have no use for. It is counted by kind, and is no problem. */
interface IgnoredObject {
  /** `Service`, or with the group and version for kinds that we do not know: `apps/v1 Deployment`. */
  readonly kind: string;
  /** Present where an object of a kind that we know is ignored: it may have been of use before. */
  readonly ref?: ObjectRef;
  /** Why, for a kind that we know. */
  readonly reason?: string;
}

/** What one Kubernetes object or list came to. */
export interface Reduction {
  readonly objects: readonly MeshObject[];
  readonly problems: readonly Problem[];
  /** Objects that exist but cannot be read: each has a problem, and whoever knew it keeps what it knew. */
  readonly rejected: readonly ObjectRef[];
  /** Rejected objects that do not even tell who they are. */
  readonly unnamed: number;
  readonly ignored: readonly IgnoredObject[];
}

const NOTHING: Reduction = { objects: [], problems: [], rejected: [], unnamed: 0, ignored: [] };

/** A reduction with only these parts. */
export function reduction(parts: Partial<Reduction>): Reduction {
  return { ...NOTHING, ...parts };
}

/** All parts of several reductions, in order. */
export function joinReductions(reductions: readonly Reduction[]): Reduction {
  const [only] = reductions;
  if (reductions.length === 1 && only) return only;
  return {
    objects: reductions.flatMap((one) => one.objects),
    problems: reductions.flatMap((one) => one.problems),
    rejected: reductions.flatMap((one) => one.rejected),
    unnamed: reductions.reduce((sum, one) => sum + one.unnamed, 0),
    ignored: reductions.flatMap((one) => one.ignored),
  };
}

/** `Service shop/cart`, `Node worker-1`: how problems name an object. */
export function objectName({ kind, namespace, name }: ObjectRef): string {
  return namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/** Reads an object whose kind is already known. */
export type KindReader = (value: unknown, options: ReduceOptions) => Reduction;

/** What a kind's own code makes of a well-formed object. */
export type Converted =
  | { readonly object: MeshObject; readonly problems?: readonly Problem[] }
  | { readonly ignored: string };

const CLUSTER_SCOPED: ReadonlySet<string> = new Set<ObjectRef['kind']>(['Namespace', 'Node']);
const identitySchema = z.object({ metadata: metadataSchema });

function refOf(kind: ObjectRef['kind'], value: unknown): ObjectRef | undefined {
  const { data } = identitySchema.safeParse(value);
  if (!data) return undefined;
  const namespace = CLUSTER_SCOPED.has(kind) ? '' : namespaceOf(data.metadata);
  return { kind, namespace, name: data.metadata.name };
}

/** `spec.ports[0].port`. */
function fieldPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}

const SHOWN_ISSUES = 3;

/** One sentence of every field that is wrong, up to three. */
function describe(error: z.ZodError): string {
  const shown = error.issues
    .slice(0, SHOWN_ISSUES)
    .map((issue) => `${fieldPath(issue.path)}: ${issue.message.replace(/^Invalid input: /, '')}`);
  const more = error.issues.length - shown.length;
  return shown.join('; ') + (more > 0 ? `; and ${more} more` : '');
}

/**
 * A reader from a kind's schema and its conversion. A value that does not fit the schema is rejected with a problem
 * that names object, field and what was expected there.
 */
export function kindReader<Shape>(
  kind: ObjectRef['kind'],
  schema: z.ZodType<Shape>,
  convert: (shape: Shape, options: ReduceOptions) => Converted,
): KindReader {
  return (value, options) => {
    const parsed = schema.safeParse(value);
    if (!parsed.success) {
      const ref = refOf(kind, value);
      const subject = ref ? objectName(ref) : `${kind} without a name`;
      const problems = [{ subject, reason: describe(parsed.error) }];
      return reduction(ref ? { problems, rejected: [ref] } : { problems, unnamed: 1 });
    }
    const converted = convert(parsed.data, options);
    if ('object' in converted) return reduction({ objects: [converted.object], problems: converted.problems ?? [] });
    const ref = refOf(kind, value);
    return reduction({ ignored: [{ kind, ...(ref ? { ref } : {}), reason: converted.ignored }] });
  };
}
