/** `dist/`: what is published and put into images. Node strips no types under `node_modules`, so it is JavaScript. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const fromRoot = (path: string): string => join(root, path);

rmSync(fromRoot('dist'), { recursive: true, force: true });
execFileSync(fromRoot('node_modules/.bin/tsc'), ['-p', fromRoot('tsconfig.build.json')], { stdio: 'inherit' });
cpSync(fromRoot('controller/wire/gen/envoy.json'), fromRoot('dist/controller/wire/gen/envoy.json'));
chmodSync(fromRoot('dist/bin/lazyscope.js'), 0o755);
