// Runs the unit tests: bundles test/*.test.ts into a temporary folder, and gives them to Node's test runner.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const folder = mkdtempSync(join(tmpdir(), 'runlake-ui-'));
try {
  const tests = readdirSync('test').filter((name) => name.endsWith('.test.ts'));
  await build({
    entryPoints: tests.map((name) => join('test', name)),
    outdir: folder,
    ...{
      bundle: true,
      format: 'esm',
      platform: 'node',
      sourcemap: 'inline',
      jsx: 'automatic',
      jsxImportSource: 'preact',
    },
    outExtension: { '.js': '.mjs' },
  });
  const files = tests.map((name) => join(folder, name.replace(/\.ts$/, '.mjs')));
  const ran = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...files], { stdio: 'inherit' });
  process.exitCode = ran.status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
