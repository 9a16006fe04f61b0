import { after, before, describe } from 'node:test';
import { testMeshSource } from '../../contract/mesh-source.ts';
import { ApiBed } from './api-bed.ts';
import { ClusterWorld } from './cluster-world.ts';

let api: ApiBed;

before(async () => {
  api = await ApiBed.start({ istioKinds: true });
});
after(() => api.destroy());

describe('the Kubernetes source on a real API server', () => {
  testMeshSource((t) => ClusterWorld.make(api, t));
});
