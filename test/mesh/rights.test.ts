/** With the rights of the manifest everything works (as every other test shows); without one of them its name is told. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { KubernetesObject } from '../support/bed/kubernetes-objects.ts';
import type { Pod } from '../support/bed/pod.ts';
import { eventually } from '../support/eventually.ts';
import { Calls } from './bed/calls.ts';
import { assertLearned } from './bed/first-use.ts';
import type { Flags } from './bed/istio-controller.ts';
import { IstioMesh } from './bed/istio-mesh.ts';
import { manifestOf, readManifests } from './bed/manifests.ts';

const [HTTP, NEW_HTTP] = [8080, 8098];

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** One right that is missing. */
interface Missing {
  readonly role: 'ClusterRole' | 'Role';
  readonly verb: string;
  readonly resource: string;
  /** Of the object, where the right is one of names. */
  readonly name?: string;
}

let mesh: IstioMesh;
let server: Pod;
let calls: Calls;

before(async () => {
  mesh = await IstioMesh.start();
  await mesh.enforce('shop');
  server = await mesh.bed.pod('server-0', { interception: 'none', annotations: { 'lazyscope.io/mode': 'Off' } });
  calls = await Calls.serve(mesh.bed, server, { http1: [HTTP, NEW_HTTP] });
});
after(() => mesh.destroy());

function role(kind: Missing['role']): KubernetesObject {
  return manifestOf(readManifests('istio'), kind, 'lazyscope-controller');
}

function without(object: KubernetesObject, { verb, resource, name }: Missing): KubernetesObject {
  const rules = (object['rules'] as readonly Rule[]).flatMap((rule): Rule[] => {
    if (!rule.resources.includes(resource) || !rule.verbs.includes(verb)) return [rule];
    const { resourceNames: names } = rule;
    const others = rule.resources.filter((other) => other !== resource);
    const rest = others.length === 0 ? [] : [{ ...rule, resources: others }];
    const kept = name === undefined ? [] : (names ?? []).filter((other) => other !== name);
    const same = kept.length === 0 ? [] : [{ ...rule, resources: [resource], resourceNames: kept }];
    const verbs = rule.verbs.filter((other) => other !== verb);
    const left = { ...rule, resources: [resource], verbs, ...(name === undefined ? {} : { resourceNames: [name] }) };
    return [...rest, ...same, ...(verbs.length === 0 ? [] : [left])];
  });
  return { ...object, rules };
}

/** Restarts the controller without a right, runs, and gives it back. */
async function lacking(missing: Missing, run: () => Promise<void>, flags: Flags = {}): Promise<void> {
  await mesh.controller.stop();
  await mesh.bed.client.apply(without(role(missing.role), missing));
  mesh.controller.launch(flags);
  try {
    await run();
  } finally {
    await mesh.bed.client.apply(role(missing.role));
  }
}

/** Waits until readiness or a problem says it. */
async function told(pattern: RegExp): Promise<void> {
  await eventually(`the controller says ${pattern}`, async () => {
    const { ready, problems } = await mesh.controller.api.status();
    const texts = [
      ...ready.map(({ detail }) => detail),
      ...problems.map(({ subject, reason }) => `${subject}: ${reason}`),
    ];
    return texts.some((text) => pattern.test(text));
  });
}

test('Without the right to patch Sidecars pods stay eager, and it is said', async () => {
  await lacking({ role: 'ClusterRole', verb: 'patch', resource: 'sidecars' }, async () => {
    const client = await mesh.client('unwritten-0');
    await told(/patch.*sidecars/);
    assert.equal(await mesh.isLazy(client), false);
  });
});

test('Given back, it is used without a restart', async () => {
  const to = await mesh.service({ name: 'web', ports: { http: HTTP }, pods: [server] });
  const client = await mesh.lazyClient('written');
  await assertLearned(mesh, { client, to, call: () => calls.http1(client, to) });
});

test('Without the right to patch the decoy no service on a new port is promoted, and it is said', async () => {
  await lacking({ role: 'Role', verb: 'patch', resource: 'services', name: 'lazyscope-decoy' }, async () => {
    const to = await mesh.service({ name: 'new-port', ports: { http: NEW_HTTP }, pods: [server] });
    await told(/patch.*services.*lazyscope-decoy/);
    const client = await mesh.lazyClient('asking');
    assert.equal(await calls.http1(client, to), mesh.egress.pod.address);
  });
});

test('Without the right to update the Lease nothing is written, and it is said', async () => {
  await lacking({ role: 'Role', verb: 'update', resource: 'leases' }, () => told(/update.*leases/));
});

test('Without the right to create VirtualServices external connections cross the egress, and it is said', async () => {
  const flags = { 'external-direct-ports': '443', 'mesh-ranges': '10.0.0.0/8' };
  const missing = { role: 'Role', verb: 'create', resource: 'virtualservices' } as const;
  await lacking(missing, () => told(/create.*virtualservices/), flags);
});

for (const [kind, resource] of [
  ['DestinationRule', 'destinationrules'],
  ['Sidecar', 'sidecars'],
  ['AuthorizationPolicy', 'authorizationpolicies'],
  ['NetworkPolicy', 'networkpolicies'],
  ['EndpointSlice', 'endpointslices'],
] as const) {
  test(`Without the right to list ${kind} objects it is said`, async () => {
    await lacking({ role: 'ClusterRole', verb: 'list', resource }, () => told(new RegExp(`may not list.*${resource}`)));
  });
}
