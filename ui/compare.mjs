// Builds into a temporary folder, and fails when that differs from what is committed: no file there is made otherwise.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const COMMITTED = '../src/runlake/ui/static';

/** The files below a folder, by name, as text. */
function files(folder) {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = found.map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [path.slice(folder.length), readFileSync(path, 'latin1')]));
}

const folder = mkdtempSync(join(tmpdir(), 'runlake-ui-'));
try {
  const built = spawnSync(process.execPath, ['build.mjs', folder], { stdio: 'inherit' });
  if (built.status !== 0) throw new Error('the build failed');
  const [fresh, committed] = [files(folder), files(COMMITTED)];
  const names = [...new Set([...fresh.keys(), ...committed.keys()])];
  const different = names.filter((name) => fresh.get(name) !== committed.get(name));
  if (different.length) throw new Error(`run make ui: ${different.join(', ')} of ${COMMITTED} would be others`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
