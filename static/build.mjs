// Builds what the browser gets: `node build.mjs` turns `src/` and the npm packages into
//
//     dist/manifest.json    logical name -> file name, for build.rs
//     dist/assets/          the files themselves, named by their content, each also as .br and .gz
//                           where that is smaller; all of it is embedded into the binary
//
// The same input gives the same bytes. `make assets` runs this when something changed.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, extname, basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const HERE = dirname(fileURLToPath(import.meta.url));
const NOVNC = join(HERE, 'node_modules', '@novnc', 'novnc');
const DIST = join(HERE, 'dist');
const OLDEST_NODE = 20;

function fail(message) {
  console.error(`build.mjs: ${message}`);
  process.exit(1);
}

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  fail(`Node ${OLDEST_NODE} or newer is needed, and this is ${process.versions.node}`);
}
if (!existsSync(NOVNC) || !existsSync(join(HERE, 'node_modules', 'esbuild'))) {
  fail('the npm packages are missing: run `npm ci` in static/, or `make assets`');
}

const { build } = await import('esbuild');
const { version } = JSON.parse(await readFile(join(NOVNC, 'package.json'), 'utf8'));

// esbuild drops noVNC's licence comments, so the bundle says it once at its head.
const NOVNC_BANNER = `/*! noVNC ${version}, Copyright (C) The noVNC authors, MPL-2.0 <https://mozilla.org/MPL/2.0/>.
Unmodified; source: <https://github.com/novnc/noVNC/tree/v${version}> and npm package @novnc/novnc ${version}.
Contains pako, MIT; the full notices are in the licences file that the console page links to. */`;
const PAGE_BANNER = '/*! Fanlight, Apache-2.0 */';

/** Bundles one entry and returns its bytes. */
async function bundle(entry, banner) {
  const type = extname(entry).slice(1);
  const result = await build({
    absWorkingDir: HERE,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022', // noVNC has a top-level await
    charset: 'utf8',
    legalComments: 'none',
    banner: { [type]: banner },
    logLevel: 'warning',
    write: false,
  });
  return Buffer.from(result.outputFiles[0].contents);
}

/** The notices of everything in the bundles that is not Fanlight's own. */
async function licences() {
  const read = async (path) => (await readFile(join(NOVNC, path), 'utf8')).trim();
  const firstComment = (text) => text.slice(0, text.indexOf('*/') + 2);
  const parts = [
    ['The console page', 'Fanlight is licensed under the Apache License 2.0.\nThe page contains noVNC and pako, whose notices follow.'],
    [`noVNC ${version}: licence`, await read('LICENSE.txt')],
    [`noVNC ${version}: source`, `https://github.com/novnc/noVNC/tree/v${version}\nThe files are unmodified; they are bundled and minified.`],
    [`noVNC ${version}: authors`, await read('AUTHORS')],
    [`noVNC ${version}: core/crypto/des.js`, firstComment(await read('core/crypto/des.js'))],
    [`noVNC ${version}: core/crypto/md5.js`, firstComment(await read('core/crypto/md5.js'))],
    ['pako: licence', await read('vendor/pako/LICENSE')],
    ['Mozilla Public License 2.0', await read('docs/LICENSE.MPL-2.0')],
    ['BSD 2-Clause', await read('docs/LICENSE.BSD-2-Clause')],
    ['BSD 3-Clause', await read('docs/LICENSE.BSD-3-Clause')],
  ];
  const rule = '='.repeat(78);
  return Buffer.from(parts.map(([title, text]) => `${rule}\n${title}\n${rule}\n\n${text}\n`).join('\n'));
}

/** The packed forms of a file, as [extension, bytes]. */
async function packed(bytes) {
  const brotli = promisify(brotliCompress)(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
  return [
    ['.br', await brotli],
    ['.gz', await promisify(gzip)(bytes, { level: 9 })],
  ];
}

const assets = {
  'console.css': await bundle('src/console.css', PAGE_BANNER),
  'console.js': await bundle('src/main.js', PAGE_BANNER),
  'licenses.txt': await licences(),
  'novnc.js': await bundle('src/novnc-entry.js', NOVNC_BANNER),
};

await rm(DIST, { recursive: true, force: true });
await mkdir(join(DIST, 'assets'), { recursive: true });
const manifest = {};
for (const [name, bytes] of Object.entries(assets)) {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const file = `${basename(name, extname(name))}-${hash}${extname(name)}`;
  manifest[name] = file;
  await writeFile(join(DIST, 'assets', file), bytes);
  const sizes = [`${bytes.length} bytes`];
  for (const [extension, small] of await packed(bytes)) {
    if (small.length < bytes.length) {
      await writeFile(join(DIST, 'assets', file + extension), small);
      sizes.push(`${small.length} ${extension}`);
    }
  }
  console.log(`${file}: ${sizes.join(', ')}`);
}
// Last, so that it stands only for a build that is whole.
await writeFile(join(DIST, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
