/** DESIGN section 3's table of who may import what, tried one by one: what it forbids fails, what it allows passes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lint } from './lint.ts';

interface Rule {
  /** A file that the rule is about. */
  readonly file: string;
  readonly allowed: readonly string[];
  readonly forbidden: readonly string[];
}

/** What no shell may import, seen from a shell's folder. */
const FOREIGN = ['../cli/program.ts', '../pipeline.ts', '../main.ts', '../config.ts', '../../egress/main.ts'];

const RULES: Record<string, Rule> = {
  'the core imports only the core': {
    file: 'controller/core/one.ts',
    allowed: ['./model.ts', './graph/graph.ts'],
    forbidden: ['node:fs', 'zod', '@grpc/grpc-js', '../als/service.ts', '../wire/messages.ts', '../../egress/main.ts'],
  },
  "the core's folders import only the core": {
    file: 'controller/core/graph/one.ts',
    allowed: ['./scope.ts', '../model.ts', '../registry/registry.ts'],
    forbidden: ['node:fs', 'zod', '../../wire/messages.ts', '../../pipeline.ts', '../../../egress/main.ts'],
  },
  'the pipeline imports only the core and its own parts': {
    file: 'controller/pipeline.ts',
    allowed: ['./core/model.ts', './core/graph/graph.ts', './persistence.ts', './dirt.ts'],
    forbidden: ['node:fs', 'pino', './als/service.ts', './store/sqlite.ts', './config.ts', './main.ts'],
  },
  'a part of the pipeline imports only the core': {
    file: 'controller/persistence.ts',
    allowed: ['./core/ports.ts'],
    forbidden: ['node:fs', './store/sqlite.ts', './pipeline.ts'],
  },
  'what main composes from does not import main': {
    file: 'controller/config.ts',
    allowed: ['commander', 'node:os', './core/model.ts', './als/service.ts'],
    forbidden: ['./main.ts', '../egress/main.ts', '../test/support/bed/bed.ts'],
  },
  'the log service imports no other shell': {
    file: 'controller/als/one.ts',
    allowed: ['./two.ts', '../core/model.ts', '../wire/grpc.ts', '@grpc/grpc-js', 'node:events'],
    forbidden: ['../xds/server.ts', '../store/sqlite.ts', 'fastify', ...FOREIGN],
  },
  'the files source imports no other shell': {
    file: 'controller/files/one.ts',
    allowed: ['../core/model.ts', '../wire/kubernetes/reduction.ts', 'yaml', 'node:fs/promises'],
    forbidden: ['../als/service.ts', '../k8s/source.ts', '@grpc/grpc-js', ...FOREIGN],
  },
  'the probe imports no other shell': {
    file: 'controller/istiod/one.ts',
    allowed: ['./two.ts', '../core/arrival/arrival-rounds.ts', '../wire/grpc.ts', '@grpc/grpc-js', 'node:dns/promises'],
    forbidden: ['../k8s/writer.ts', '../xds/server.ts', 'fastify', ...FOREIGN],
  },
  'the Kubernetes source imports no other shell': {
    file: 'controller/k8s/one.ts',
    allowed: ['../core/model.ts', '../wire/kubernetes/reduction.ts', '@kubernetes/client-node', 'node:https'],
    forbidden: ['../files/files-source.ts', '../http/server.ts', 'pino', ...FOREIGN],
  },
  'a store imports no other shell': {
    file: 'controller/store/one.ts',
    allowed: ['../core/ports.ts', './memory.ts', 'node:sqlite', 'zod'],
    forbidden: ['../http/server.ts', '../files/files-source.ts', 'fastify', ...FOREIGN],
  },
  'the xDS server imports no other shell': {
    file: 'controller/xds/one.ts',
    allowed: ['../core/delta/subscription.ts', '../wire/messages.ts', '@grpc/grpc-js'],
    forbidden: ['../als/service.ts', '../store/memory.ts', 'fastify', ...FOREIGN],
  },
  'certificates know the core and gRPC, since both programs share them': {
    file: 'controller/tls/one.ts',
    allowed: ['./two.ts', '../core/ports.ts', '@grpc/grpc-js', 'node:crypto'],
    forbidden: ['../als/service.ts', '../wire/grpc.ts', 'pino', ...FOREIGN],
  },
  'the HTTP API imports no other shell': {
    file: 'controller/http/one.ts',
    allowed: ['../core/report.ts', 'fastify', '@fastify/swagger', 'node:net'],
    forbidden: ['../xds/server.ts', '../store/sqlite.ts', '@grpc/grpc-js', ...FOREIGN],
  },
  'wire formats import only the words of the core': {
    file: 'controller/wire/one.ts',
    allowed: ['./messages.ts', './kubernetes/mode.ts', '../core/model.ts', 'protobufjs', 'node:fs'],
    forbidden: ['../als/service.ts', '../pipeline.ts', '../../egress/main.ts'],
  },
  'Kubernetes formats import only the words of the core': {
    file: 'controller/wire/kubernetes/one.ts',
    allowed: ['./mode.ts', '../messages.ts', '../../core/model.ts', 'zod'],
    forbidden: ['../../files/files-source.ts', '../../pipeline.ts', '../../../egress/main.ts'],
  },
  'client commands import words, and no part of the server': {
    file: 'controller/cli/one.ts',
    allowed: ['./table.ts', '../core/model.ts', '../core/report.ts', '../core/error.ts', 'commander', 'node:util'],
    forbidden: ['../core/graph/graph.ts', '../http/server.ts', '../wire/messages.ts', ...FOREIGN.slice(1)],
  },
  'the egress imports wire formats and words, not the controller': {
    file: 'egress/one.ts',
    allowed: [
      './sniff.ts',
      '../controller/wire/grpc.ts',
      '../controller/tls/certificate-folder.ts',
      '../controller/core/model.ts',
      '../controller/core/error.ts',
    ],
    forbidden: [
      '../controller/core/graph/graph.ts',
      '../controller/pipeline.ts',
      '../controller/als/service.ts',
      './main.ts',
    ],
  },
  'the composition root imports everything of the controller': {
    file: 'controller/main.ts',
    allowed: ['./pipeline.ts', './als/service.ts', './store/sqlite.ts', './config.ts', 'pino'],
    forbidden: ['../test/support/bed/bed.ts'],
  },
  'the bin imports the composition roots': {
    file: 'bin/lazyscope.ts',
    allowed: ['../controller/main.ts', '../egress/main.ts', '../controller/cli/program.ts'],
    forbidden: ['../demo/main.ts'],
  },
};

const importing = (specifier: string, index: number): string =>
  `import { a as a${index} } from '${specifier}';\nexport const b${index} = a${index};\n`;

for (const [name, { file, allowed, forbidden }] of Object.entries(RULES)) {
  test(name, (t) => {
    assert.deepEqual(lint(t, { [file]: allowed.map(importing).join('') }), []);
    const findings = lint(t, { [file]: forbidden.map(importing).join('') });
    assert.deepEqual(
      findings.map(({ line }) => forbidden[(line - 1) / 2]),
      forbidden,
    );
    assert.deepEqual([...new Set(findings.map(({ rule }) => rule))], ['lint/style/noRestrictedImports']);
  });
}

const FORMS: Record<string, (specifier: string) => string> = {
  'an import': (specifier) => `import { a } from '${specifier}';\nexport const b = a;\n`,
  'an import of types': (specifier) => `import type { A } from '${specifier}';\nexport type B = readonly A[];\n`,
  'a dynamic import': (specifier) => `export const b = await import('${specifier}');\n`,
};

for (const [form, write] of Object.entries(FORMS)) {
  test(`${form} falls under the rules`, (t) => {
    const file = 'controller/core/one.ts';
    const findings = lint(t, { [file]: write('../als/service.ts') });
    assert.deepEqual(findings, [{ rule: 'lint/style/noRestrictedImports', line: 1 }]);
    assert.deepEqual(lint(t, { [file]: write('./model.ts') }), []);
  });
}
