// Builds the page: `node build.mjs [--watch] [FOLDER]` writes into FOLDER, by default where the service reads it.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, context } from 'esbuild';

// KB after gzip: what Overview and Runs load first, and what the other pages load when one of them is shown.
const BUDGET = { scripts: 55, styles: 10, html: 1, 'scripts of other pages': 30, 'scripts of SQL': 130 };
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

/** Writes index.html and LICENSES.txt; prints sizes, and fails when something is over its budget. */
function finish({ metafile }) {
  const files = Object.entries(metafile.outputs);
  const of = (entry) => files.find(([, output]) => output.entryPoint === entry)[0];
  const styles = of('src/style.css');
  const html = readFileSync('src/index.html', 'utf8')
    .replace('theme.js', basename(of('src/theme.ts')))
    .replace('app.js', basename(of('src/app.tsx')))
    .replace('style.css', basename(styles))
    .replace('icon.svg', basename(files.find(([path]) => path.endsWith('.svg'))[0]));
  const page = join(out, 'index.html');
  writeFileSync(join(out, 'LICENSES.txt'), licenses(Object.keys(metafile.inputs)));
  writeFileSync(page, html);
  const first = new Set([of('src/theme.ts'), ...loadedWith(metafile.outputs, of('src/app.tsx'))]);
  const later = loadedWith(metafile.outputs, of('src/pages/others.ts')).filter((path) => !first.has(path));
  const sql = loadedWith(metafile.outputs, of('src/pages/sql/page.tsx')).filter((path) => !first.has(path));
  const parts = {
    ...{ scripts: [...first], styles: [styles], html: [page] },
    ...{ 'scripts of other pages': later, 'scripts of SQL': sql },
  };
  for (const [name, paths] of Object.entries(parts)) {
    const kb = paths.reduce((sum, path) => sum + gzipSync(readFileSync(path), { level: 9 }).length / 1024, 0);
    console.log(`${kb.toFixed(1).padStart(7)} of ${BUDGET[name]} KB  ${name}, ${paths.length} of them`);
    if (kb > BUDGET[name]) throw new Error(`${name} are over their budget`);
  }
}

/** A script and those that it imports. */
function loadedWith(outputs, path) {
  const imported = outputs[path].imports.filter(({ kind }) => kind === 'import-statement');
  return [...new Set([path, ...imported.flatMap((one) => loadedWith(outputs, one.path))])];
}

const options = {
  entryPoints: ['src/app.tsx', 'src/theme.ts', 'src/style.css', 'src/icon.svg'],
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
