/**
 * Sum of a metric's samples, over all labels or those whose text contains `label`; 0 when there is none.
 * @param text Prometheus text format
 */
export function metricSum(text: string, name: string, label = ''): number {
  const samples = text
    .split('\n')
    .filter((line) => (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) && line.includes(label));
  return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
