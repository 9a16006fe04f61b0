import { stringify } from 'yaml';

/** Versioned data for programs, as the API gives it. */
export function renderData(format: 'json' | 'yaml', value: object): string {
  return format === 'json' ? `${JSON.stringify(value, undefined, 2)}\n` : stringify(value, { lineWidth: 0 });
}
