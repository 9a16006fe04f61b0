/** The workload grammar of the command line: `ns/Kind/name`, `deploy/cart.shop`, `<pod>.<ns>`, `cart`. */
import { InvalidArgumentError } from 'commander';
import type { WorkloadReport } from '../core/report.ts';
import { workloadParts } from './names.ts';

/** One way to read a name. What is absent may be anything. */
interface Reading {
  readonly namespace?: string;
  /** In lower case, aliases resolved: `deployment`. */
  readonly kind?: string;
  readonly name: string;
}

/** What somebody typed. A dot may belong to the name or stand before the namespace, so there may be two readings. */
export interface WorkloadName {
  readonly text: string;
  readonly readings: readonly Reading[];
}

const kindByAlias: ReadonlyMap<string, string> = new Map([
  ['deploy', 'deployment'],
  ['sts', 'statefulset'],
  ['ds', 'daemonset'],
  ['rs', 'replicaset'],
  ['cj', 'cronjob'],
  ['po', 'pod'],
]);

function canonicalKind(text: string): string {
  const singular = text.toLowerCase().replace(/(?<=.{3})s$/, '');
  return kindByAlias.get(text.toLowerCase()) ?? kindByAlias.get(singular) ?? singular;
}

function readings(name: string, kind?: string): readonly Reading[] {
  const ofKind = kind === undefined ? {} : { kind };
  const dot = name.lastIndexOf('.');
  const whole = { ...ofKind, name };
  if (dot < 1 || dot === name.length - 1) return [whole];
  return [{ ...ofKind, name: name.slice(0, dot), namespace: name.slice(dot + 1) }, whole];
}

/** Parser for commander: a name that cannot be read is a usage error. */
export function parseWorkloadName(text: string): WorkloadName {
  const parts = text.split('/');
  const [first = '', second = '', third = ''] = parts;
  if (parts.length > 3 || parts.includes('')) {
    throw new InvalidArgumentError('It must be namespace/Kind/name, deploy/cart.shop, or <pod>.<namespace>.');
  }
  if (parts.length === 3) return { text, readings: [{ namespace: first, kind: canonicalKind(second), name: third }] };
  return { text, readings: parts.length === 2 ? readings(second, canonicalKind(first)) : readings(first) };
}

/** How a name matched: as the workload, or as a pod of it. */
export interface WorkloadMatch {
  readonly report: WorkloadReport;
  readonly pod?: string;
}

function match(report: WorkloadReport, { namespace, kind, name }: Reading): WorkloadMatch | undefined {
  const parts = workloadParts(report.workload);
  if (namespace !== undefined && namespace !== parts.namespace) return undefined;
  const actualKind = canonicalKind(parts.kind);
  if (parts.name === name && (kind === undefined || kind === actualKind)) return { report };
  const isPod = kind === undefined || kind === 'pod';
  return isPod && report.pods.some((pod) => pod.name === name) ? { report, pod: name } : undefined;
}

/** Every workload that `name` may mean. A namespace within the name is stronger than the option's. */
export function matchWorkloads(
  name: WorkloadName,
  reports: readonly WorkloadReport[],
  namespace?: string,
): readonly WorkloadMatch[] {
  const within = namespace === undefined ? {} : { namespace };
  for (const reading of name.readings) {
    const matches = reports.flatMap((report) => match(report, { ...within, ...reading }) ?? []);
    if (matches.length > 0) return matches;
  }
  return [];
}
