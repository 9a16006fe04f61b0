/** The controller as a process: how it starts, refuses to start, and ends. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { CLUSTER_LOAD_ASSIGNMENT } from '../../controller/core/model.ts';
import type { StartReport } from '../../controller/start-phases.ts';
import { AggregatedDiscoveryService } from '../../controller/wire/grpc.ts';

const BIN = fileURLToPath(new URL('../../bin/lazyscope.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lazyscope-main-'));
after(() => rmSync(folder, { recursive: true }));

/** A controller process, read from its first line on. */
class Controller {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  readonly complaint: Promise<string>;
  readonly #lines: Record<string, unknown>[] = [];
  #wake: () => void = () => undefined;

  constructor(...flags: readonly string[]) {
    const common = ['--path', folder, '--egress', '10.0.0.9:15080', '--store-path', join(folder, 'store', 'a.db')];
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    this.child = spawn(process.execPath, [BIN, 'controller', ...common, '--grpc-listen', '127.0.0.1:0', ...flags], {
      stdio: [...stdio],
    });
    this.exited = once(this.child, 'exit').then(([code]) => code);
    this.complaint = text(this.child.stderr as Readable);
    createInterface({ input: this.child.stdout as Readable }).on('line', (line) => {
      this.#lines.push(JSON.parse(line));
      this.#wake();
    });
  }

  /** The first log line with this message. */
  async logged(message: string): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.#lines.find(({ msg }) => msg === message);
      if (found) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** @returns the exit code */
  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.exited;
  }
}

/** Where its API answers, once it does. */
async function httpOf(controller: Controller): Promise<string> {
  const { http } = (await controller.logged('Listening')) as { readonly http: { readonly port: number } };
  return `http://127.0.0.1:${http.port}`;
}

describe('lazyscope controller', () => {
  it('says where it listens, answers, and ends with 0 on SIGTERM', async () => {
    const controller = new Controller('--http-listen', '127.0.0.1:0');
    const url = await httpOf(controller);
    assert.equal((await fetch(`${url}/livez`)).status, 200);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    for (const name of ['edges', 'access_log_entries_total', 'xds_clients', 'store_degraded', 'build_info']) {
      assert.match(metrics, new RegExp(`^lazyscope_${name}`, 'm'));
    }
    assert.equal(await controller.stop(), 0);
  });

  it('says how long each phase of its start took', async () => {
    const controller = new Controller('--http-listen', '127.0.0.1:0');
    const { phases, cpu } = (await controller.logged('Started')) as unknown as StartReport;
    const { loaded = 0, http = 0, graph = 0, grpc = 0, synced = 0 } = phases;
    assert.ok(0 < loaded && loaded <= http && http <= graph && graph <= grpc, JSON.stringify(phases));
    assert.ok(http <= synced && cpu > 0, JSON.stringify(phases));
    assert.equal(await controller.stop(), 0);
  });

  it('is not ready before the mesh is read', async () => {
    const controller = new Controller('--http-listen', '127.0.0.1:0', '--path', join(folder, 'later'));
    const ready = await fetch(`${await httpOf(controller)}/readyz?verbose`);
    assert.equal(ready.status, 503);
    assert.match(await ready.text(), /\[-\]source/);
    assert.equal(await controller.stop(), 0);
  });

  it('hears a client that names more than 4 MB of resources', async () => {
    const controller = new Controller('--http-listen', '127.0.0.1:0');
    const { grpc } = (await controller.logged('Listening')) as { readonly grpc: { readonly port: number } };
    const client = new Client(`127.0.0.1:${grpc.port}`, credentials.createInsecure());
    const { path, requestSerialize, responseDeserialize } = AggregatedDiscoveryService.DeltaAggregatedResources;
    const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, new Metadata());
    call.on('error', () => undefined);
    call.write({
      node: { id: 'sidecar~10.0.0.1~all-0.shop~shop.svc.cluster.local' },
      type_url: CLUSTER_LOAD_ASSIGNMENT,
      resource_names_subscribe: Array.from(
        { length: 50_000 },
        (_, at) => `outbound|80||service-${at}.${'n'.repeat(100)}`,
      ),
    });
    assert.match(String((await controller.logged('Connected'))['node']), /all-0/);
    client.close();
    assert.equal(await controller.stop(), 0);
  });

  it('ends with 1 and one sentence when a port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { readonly port: number };
    const controller = new Controller('--http-listen', '127.0.0.1:0', '--grpc-listen', `127.0.0.1:${port}`);
    assert.equal(await controller.exited, 1);
    taken.close();
    assert.match(await controller.complaint, new RegExp(`^lazyscope controller cannot start: .*${port}.*\\n$`));
  });

  it('sets a corrupt store aside and goes on', async () => {
    const path = join(folder, 'corrupt.db');
    writeFileSync(path, 'this is no database, but it is long enough to be read as the header of one '.repeat(20));
    const controller = new Controller('--http-listen', '127.0.0.1:0', '--store-path', path);
    const skipped = await controller.logged('Skipped');
    assert.match(String(skipped['reason']), /set aside/);
    assert.equal(await controller.stop(), 0);
  });
});
