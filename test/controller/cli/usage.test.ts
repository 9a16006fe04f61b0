import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientCommands } from '../../../controller/cli/client-commands.ts';
import { examplesOf } from '../../../controller/cli/examples.ts';
import { startServer } from '../http/start-server.ts';
import { runCli } from './run-cli.ts';

for (const command of clientCommands()) {
  test(`${command.name()} --help has a summary, examples of itself and the common options`, async () => {
    const { exitCode, stdout, stderr } = await runCli([command.name(), '--help']);
    assert.deepEqual([exitCode, stderr], [0, '']);
    assert.match(command.summary(), /^[a-z].*[^.]$/);
    // Wrapped to the terminal's width: line breaks of our own would leave ragged lines in a narrow one.
    assert.ok(!command.description().includes('\n'));
    for (const option of ['-o, --output', '-n, --namespace', '-A, --all-namespaces', '--server', 'LAZYSCOPE_SERVER']) {
      assert.ok(stdout.includes(option), option);
    }
    assert.ok(examplesOf(command).length > 0);
    for (const [line] of examplesOf(command)) {
      assert.ok(line.startsWith(command.name()), line);
      assert.ok(stdout.includes(`$ lazyscope ${line}`), line);
    }
  });

  test(`every example of ${command.name()} is a line that parses`, async (t) => {
    const server = await startServer(t);
    for (const [line] of examplesOf(command)) {
      const [words = ''] = line.split(/ [|>] /);
      const { exitCode, stderr } = await runCli([...words.split(' '), '--server', server]);
      assert.notEqual(exitCode, 2, `${line}: ${stderr}`);
    }
  });
}

const mistakes: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [['statsu'], /Did you mean status/],
  [['status', '--nope'], /unknown option '--nope'/],
  [['status', '-o', 'dot'], /Allowed choices are table, json, yaml/],
  [['status', '-n', 'a', '-A'], /cannot be used with/],
  [['status', '--server', '127.0.0.1:15014'], /must be a URL, for example http:\/\/127\.0\.0\.1:15014/],
  [['explain'], /missing required argument 'workload'/],
  [['explain', 'a/b/c/d'], /must be namespace\/Kind\/name/],
  [['explain', 'a', 'b'], /too many arguments/],
  [['bootstrap', 'cart.shop', '--admin-port', '0'], /port number from 1 to 65535/],
];

for (const [args, message] of mistakes) {
  test(`"lazyscope ${args.join(' ')}" is a usage error`, async () => {
    const { exitCode, stdout, stderr } = await runCli(args);
    assert.deepEqual([exitCode, stdout], [2, '']);
    assert.match(stderr, message);
  });
}

test('what the controller finds wrong with a question is a usage error too', async (t) => {
  const server = await startServer(t);
  const { exitCode, stderr } = await runCli(['edges', '-n', 'NOT_A_NAME', '--server', server]);
  assert.equal(exitCode, 2);
  assert.match(stderr, /"namespace" must be a Kubernetes namespace/);
});

test('without a command the help is shown and it is a usage error', async () => {
  const { exitCode, stderr } = await runCli([]);
  assert.equal(exitCode, 2);
  assert.match(stderr, /Usage: lazyscope/);
});

test('--version prints the version alone', async () => {
  assert.deepEqual(await runCli(['--version']), { exitCode: 0, stdout: '1.2.3\n', stderr: '' });
});
