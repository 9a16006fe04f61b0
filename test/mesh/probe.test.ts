/** The probe on a real istiod, and on two. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { LazyscopeError } from '../../controller/core/error.ts';
import type { SocketAddress } from '../../controller/core/model.ts';
import { IstiodProbe, type IstiodProbeOptions } from '../../controller/istiod/istiod-probe.ts';
import { probeSidecar } from '../../controller/istiod/probe-sidecar.ts';
import { answers } from '../support/bed/http-get.ts';
import type { KubernetesObject } from '../support/bed/kubernetes-objects.ts';
import { eventually } from '../support/eventually.ts';
import type { StoredObject } from './bed/kubernetes-client.ts';
import { MeshBed } from './bed/mesh-bed.ts';
import { MeshServer } from './bed/mesh-server.ts';
import { XDS_PORT } from './bed/ports.ts';
import { rewriting } from './unrelated-writes.ts';

const NAMESPACE = 'lazyscope';
const SETTLE_MS = 1_000;
/** Below the 100 ms of quiet that istiod wants before it pushes. */
const HOLD_BACK_MS = 60;
/** How far the ports of the second istiod are from those of the first. */
const PORT_OFFSET = 200;

let mesh: MeshBed;
let istiod: SocketAddress;
const probes: IstiodProbe[] = [];
/** Marks that were written. */
let written = 0;

before(async () => {
  mesh = await MeshBed.start();
  await mesh.namespace(NAMESPACE);
  await mesh.namespace('shop');
  istiod = { address: mesh.bed.network.hostAddress, port: XDS_PORT };
});
afterEach(async () => {
  for (const probe of probes.splice(0)) await probe.stop();
});
after(() => mesh.destroy());

async function startProbe(options: Partial<IstiodProbeOptions> = {}): Promise<IstiodProbe> {
  const probe = new IstiodProbe({
    istiods: async () => [istiod],
    credentials: credentials.createInsecure(),
    namespace: NAMESPACE,
    clusterDomain: 'cluster.local',
    settleMs: SETTLE_MS,
    writer: {
      write: async (change) => {
        if (change.type !== 'Apply') return;
        await mesh.client.apply(change.manifest as unknown as KubernetesObject);
        written += 1;
      },
    },
    logger: { debug: () => {}, info: () => {}, warn: () => {} },
    ...options,
  });
  probes.push(probe);
  await probe.start();
  return probe;
}

async function storedSidecar(): Promise<StoredObject> {
  return mesh.client.get(probeSidecar(NAMESPACE, 0) as unknown as KubernetesObject);
}

/** Milliseconds of a confirmation, less what it lets sidecars settle. */
async function confirmMs(probe: IstiodProbe): Promise<number> {
  const startedAt = performance.now();
  await probe.confirm();
  return performance.now() - startedAt - SETTLE_MS;
}

async function rejection(promise: Promise<void>): Promise<LazyscopeError> {
  const error = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof LazyscopeError, String(error));
  return error;
}

test('istiod accepts the Sidecar of the probe', async () => {
  const manifest = probeSidecar(NAMESPACE, 20_001) as unknown as KubernetesObject;
  assert.deepEqual(await mesh.istiod.validate(manifest), { allowed: true, message: '' });
});

test('a quiet istiod confirms within a second, also when the Sidecar does not exist yet', async (t) => {
  await assert.rejects(storedSidecar());
  const probe = await startProbe();
  for (const _ of [1, 2, 3]) {
    const milliseconds = await confirmMs(probe);
    t.diagnostic(`${milliseconds.toFixed(0)} ms`);
    assert.ok(milliseconds > 200 && milliseconds < 1_000, `${milliseconds} ms: twice 100 ms of istiod's debounce`);
  }
});

test('an idle probe writes nothing and is pushed nothing', async () => {
  const probe = await startProbe();
  await probe.confirm();
  const { resourceVersion } = (await storedSidecar()).metadata;
  const pushes = await mesh.istiod.metric('pilot_xds_pushes');
  // Longer than the probe waits between two looks for new istiods.
  await delay(11_000);
  assert.equal((await storedSidecar()).metadata.resourceVersion, resourceVersion);
  assert.equal(await mesh.istiod.metric('pilot_xds_pushes'), pushes);
  await probe.confirm();
});

test('calls at once share two marks, and a later one takes two of its own', async () => {
  const probe = await startProbe();
  const before = written;
  await Promise.all([probe.confirm(), probe.confirm(), probe.confirm()]);
  assert.equal(written - before, 2);
  await probe.confirm();
  assert.equal(written - before, 4);
});

test('a probe that starts anew goes on where the last one was', async () => {
  for (const _ of [1, 2]) {
    const probe = await startProbe();
    assert.ok((await confirmMs(probe)) < 1_000);
    await probe.stop();
    assert.equal((await rejection(probe.confirm())).code, 'Unavailable');
  }
});

test('an istiod that holds back its pushes is waited for', async (t) => {
  // Less patient than by default (100 ms of quiet, at most 10 s), so that a busy machine's pauses do not end it early.
  const second = await startSecondIstiod({ PILOT_DEBOUNCE_AFTER: '1s', PILOT_DEBOUNCE_MAX: '4s' });
  const stop = rewriting(mesh, HOLD_BACK_MS);
  try {
    const probe = await startProbe({ istiods: async () => [secondAddress()] });
    const milliseconds = await confirmMs(probe);
    t.diagnostic(`${milliseconds.toFixed(0)} ms`);
    assert.ok(milliseconds > 4_000 && milliseconds < 15_000, `${milliseconds} ms: istiod pushes every 4 s`);
  } finally {
    await stop();
    await second.stop();
  }
});

test('a change that istiod does not push in time is named with the istiod', async () => {
  const stop = rewriting(mesh, HOLD_BACK_MS);
  try {
    const error = await rejection((await startProbe({ timeoutMs: 50 })).confirm());
    assert.equal(error.code, 'Unavailable');
    assert.match(error.message, new RegExp(`istiod ${istiod.address}:${XDS_PORT}: .* within 0.05 s`));
  } finally {
    await stop();
  }
});

test('a Sidecar that cannot be written is named', async () => {
  const refusal = new LazyscopeError('Forbidden', 'patch sidecars in lazyscope is not allowed');
  const probe = await startProbe({ writer: { write: () => Promise.reject(refusal) } });
  assert.equal(await rejection(probe.confirm()), refusal);
});

test('when istiod ends in the middle the confirmation fails with its name, and works again when it is back', async () => {
  const probe = await startProbe();
  await probe.confirm();
  // It stands still, so that it cannot push the mark before it ends.
  process.kill(mesh.istiod.process.pid, 'SIGSTOP');
  const before = written;
  const confirmed = rejection(probe.confirm());
  await eventually('the mark is written', () => written > before);
  await mesh.istiod.stop('SIGKILL');
  const name = `istiod ${istiod.address}:${XDS_PORT}: `;
  for (const error of [await confirmed, await rejection(probe.confirm())]) {
    assert.equal(error.code, 'Unavailable');
    assert.ok(error.message.startsWith(name), error.message);
  }
  const writes = written;
  await mesh.istiod.start();
  assert.equal(written, writes, 'it writes nothing on its own');
  await eventually('the probe confirms again', async () => {
    await probe.confirm();
    return true;
  });
});

function secondAddress(): SocketAddress {
  return { ...istiod, port: istiod.port + PORT_OFFSET };
}

/** A second istiod, like the running one but for its ports. */
async function startSecondIstiod(settings: Readonly<Record<string, string>> = {}): Promise<MeshServer> {
  const { pid } = mesh.istiod.process;
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  const shifted = (text: string): string =>
    text.replace(/(?<=Addr=[\d.]+:)\d+$/, (port) => String(Number(port) + PORT_OFFSET));
  const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
  const environment = Object.fromEntries(entries.map((entry) => entry.split(/=(.*)/s).slice(0, 2)));
  const http = command
    .map(shifted)
    .find((flag) => flag.startsWith('--httpAddr='))
    ?.replace('--httpAddr=', 'http://');
  const second = new MeshServer(mesh.bed, {
    name: 'istiod-1',
    command: ['env', `--chdir=${mesh.bed.folder('istiod')}`, ...command.map(shifted)],
    environment: { ...environment, ...settings },
    isReady: () => answers(`${http}/ready`),
  });
  await second.start();
  return second;
}

test('of two istiods both must push, and one that is gone is not waited for', async () => {
  const second = await startSecondIstiod();
  const both = [istiod, secondAddress()];
  let istiods = both;
  const probe = await startProbe({ istiods: async () => istiods, timeoutMs: 2_000 });
  assert.ok((await confirmMs(probe)) < 1_500);
  // One that lives and does not push: its process stands still.
  process.kill(second.process.pid, 'SIGSTOP');
  const late = await rejection(probe.confirm());
  assert.match(late.message, new RegExp(`^istiod ${istiod.address}:${secondAddress().port}: it has not pushed`));
  process.kill(second.process.pid, 'SIGCONT');
  assert.ok((await confirmMs(probe)) < 1_500);
  istiods = [istiod];
  await second.stop();
  assert.ok((await confirmMs(probe)) < 1_500);
});

test('while nobody knows where istiod is the confirmation says so; known ones are watched on', async () => {
  let isKnown = false;
  const istiods = async (): Promise<readonly SocketAddress[]> => {
    if (!isKnown) throw new Error('queryA ENOTFOUND istiod');
    return [istiod];
  };
  const probe = await startProbe({ istiods });
  assert.match((await rejection(probe.confirm())).message, /cannot find out where istiod is: queryA ENOTFOUND/);
  isKnown = true;
  await probe.confirm();
  isKnown = false;
  await probe.confirm();
});
