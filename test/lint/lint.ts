/** Runs the project's linter on files of a project of their own. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '..', '..');
const BIOME = join(ROOT, 'node_modules', '.bin', 'biome');
const CONFIGURATION = ['biome.json', 'scripts/lint'];

const report = z.object({
  diagnostics: z.array(
    z.object({ category: z.string(), location: z.object({ start: z.object({ line: z.number() }) }) }),
  ),
});

export interface Finding {
  /** As Biome names it: `lint/style/noProcessEnv`; `plugin` for a rule of our own. */
  readonly rule: string;
  /** 1 is the first. */
  readonly line: number;
}

/** Lints files given by path and code. */
export function lint(t: TestContext, files: Record<string, string>): Finding[] {
  const folder = mkdtempSync(join(tmpdir(), 'lazyscope-lint-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const path of CONFIGURATION) cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  for (const [path, code] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), code);
  }
  const args = ['lint', '--reporter=json', '--max-diagnostics=none', ...Object.keys(files)];
  const { stdout } = spawnSync(BIOME, args, { cwd: folder, encoding: 'utf8' });
  const { diagnostics } = report.parse(JSON.parse(stdout));
  return diagnostics.map(({ category, location }) => ({ rule: category, line: location.start.line }));
}
