/** Child process of the durability test: saves one dependency per line it prints, until it is killed. */
import assert from 'node:assert/strict';
import { SqliteStore } from '../../../controller/store/sqlite.ts';
import { dependency } from '../../support/dependencies.ts';

const [, , path] = process.argv;
assert.ok(path, 'usage: saves-until-killed.ts FILE');
const store = new SqliteStore({ path, onProblem: ({ reason }) => process.stderr.write(`${reason}\n`) });
await store.load(Date.now());
for (let saved = 1; ; saved++) {
  await store.save([dependency({ source: `shop/Deployment/client-${saved}` })]);
  process.stdout.write(`${saved}\n`);
  // Lets the pipe drain, so that what was printed is what was saved.
  await new Promise((resolve) => setImmediate(resolve));
}
