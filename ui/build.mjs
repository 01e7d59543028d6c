// Builds the page: `node build.mjs [--watch] [FOLDER]` writes into FOLDER, by default where the service reads it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, context } from 'esbuild';

const BUDGET = { '.js': 55, '.css': 10, '.html': 1 }; // KB after gzip, of what the first screen loads
const args = process.argv.slice(2);
const watch = args.includes('--watch');
const out = args.find((arg) => !arg.startsWith('--')) ?? '../src/runlake/ui/static';

/** The license texts of the packages that the bundle holds code of. */
function licenses(inputs) {
  const names = new Set(inputs.map((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1]).filter(Boolean));
  const parts = [...names].sort().map((name) => {
    const { version, license } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'));
    return `${name} ${version} (${license})\n\n${readFileSync(`node_modules/${name}/LICENSE`, 'utf8').trim()}\n`;
  });
  return `The scripts of this folder hold code of these packages.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

/** Writes index.html and LICENSES.txt; prints sizes, and fails when the first screen is over the budget. */
function finish({ metafile }) {
  const files = Object.entries(metafile.outputs);
  const built = (entry) => basename(files.find(([, output]) => output.entryPoint === entry)[0]);
  const app = files.find(([, output]) => output.entryPoint === 'src/app.tsx')[1];
  const html = readFileSync('src/index.html', 'utf8')
    .replace('theme.js', built('src/theme.ts'))
    .replace('app.js', built('src/app.tsx'))
    .replace('app.css', basename(app.cssBundle))
    .replace('icon.svg', basename(files.find(([path]) => path.endsWith('.svg'))[0]));
  writeFileSync(join(out, 'LICENSES.txt'), licenses(Object.keys(metafile.inputs)));
  writeFileSync(join(out, 'index.html'), html);
  const first = new Set([built('src/theme.ts'), built('src/app.tsx'), basename(app.cssBundle), 'index.html']);
  for (const { path, kind } of app.imports) if (kind === 'import-statement') first.add(basename(path));
  const sums = { '.js': 0, '.css': 0, '.html': 0 };
  for (const path of [...files.map(([path]) => path), join(out, 'index.html')]) {
    const name = basename(path);
    const kb = gzipSync(readFileSync(path), { level: 9 }).length / 1024;
    const kind = name.slice(name.lastIndexOf('.'));
    if (first.has(name) && kind in sums) sums[kind] += kb;
    console.log(`${kb.toFixed(1).padStart(7)} KB  ${name}${first.has(name) ? '' : '  (when needed)'}`);
  }
  for (const [kind, limit] of Object.entries(BUDGET)) {
    if (sums[kind] > limit) throw new Error(`${kind} of the first screen: ${sums[kind].toFixed(1)} KB, over ${limit}`);
  }
}

const options = {
  entryPoints: ['src/app.tsx', 'src/theme.ts', 'src/icon.svg'],
  outdir: join(out, 'assets'),
  entryNames: '[name]-[hash]',
  ...{ assetNames: '[name]-[hash]', chunkNames: '[name]-[hash]' },
  ...{ bundle: true, splitting: true, format: 'esm', minify: true, metafile: true, legalComments: 'none' },
  ...{ target: 'es2022', charset: 'utf8', jsx: 'automatic', jsxImportSource: 'preact', loader: { '.svg': 'copy' } },
  plugins: [{ name: 'finish', setup: (made) => made.onEnd((result) => result.errors.length || finish(result)) }],
};
rmSync(join(out, 'assets'), { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await (watch ? (await context(options)).watch() : build(options));
