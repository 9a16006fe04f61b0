import type { LabelSelector } from '../mesh-policy.ts';
import type { Labels } from '../model.ts';

/** Whether a Kubernetes label selector matches: every part must; an absent label is `NotIn` everything. */
export function selects(selector: LabelSelector, labels: Labels): boolean {
  return (
    Object.entries(selector.matchLabels).every(([key, value]) => labelOf(labels, key) === value) &&
    selector.matchExpressions.every((requirement) => meets(requirement, labelOf(labels, requirement.key)))
  );
}

function meets({ operator, values }: LabelSelector['matchExpressions'][number], value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
