/** Configuration that has nothing to do with us, written again and again. */
import type { MeshBed } from './bed/mesh-bed.ts';

/**
 * Rewrites a ServiceEntry that every eager proxy sees, until the returned function is called. Keeps its pace when writes
 * take their time: at less than 100 ms istiod then waits for its longest, 10 s, before it pushes.
 *
 * That function waits for the last write, so that it must be called while there is an API server. It returns how many
 * there were.
 */
export function rewriting(mesh: MeshBed, everyMs: number): () => Promise<number> {
  const writes = new Set<Promise<unknown>>();
  let number = 0;
  const write = async (index: number): Promise<unknown> =>
    mesh.client.apply({
      apiVersion: 'networking.istio.io/v1',
      kind: 'ServiceEntry',
      metadata: { name: 'unrelated', namespace: 'shop' },
      spec: {
        hosts: ['unrelated.example.com'],
        addresses: [`10.200.${index % 200}.1`],
        ports: [{ number: 8080, name: 'http', protocol: 'HTTP' }],
        resolution: 'STATIC',
        endpoints: [{ address: `192.0.2.${(index % 200) + 1}` }],
      },
    });
  const timer = setInterval(() => {
    const written = write(number).finally(() => writes.delete(written));
    number += 1;
    writes.add(written);
  }, everyMs);
  return async () => {
    clearInterval(timer);
    await Promise.all(writes);
    return number;
  };
}
