// SPDX-License-Identifier: MIT
//
// run: the published conformance suite against a tenant of holdline, through
// the switchboard. A report, not a test: scenarios about prompts, resources
// and tasks need what the backend does not have. It fails only when a suite
// could not be run.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Pool, buildDir } from '../e2e/pool.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const suite = path.join(here,
  'node_modules/@modelcontextprotocol/conformance/dist/index.js');
const revisions = process.argv.slice(2);

const pool = await Pool.start([{ host: 'localhost',
  tools: [path.join(buildDir, 'tests/e2e/tool_conformance.so')] }]);
const out = mkdtempSync(path.join(os.tmpdir(), 'holdline-conformance-'));
let unrun = 0;
try {
  for (const revision of revisions.length ? revisions
    : ['2025-11-25', '2026-07-28']) {
    const done = spawnSync(process.execPath, [suite, 'server', '--url',
      `http://localhost:${pool.port}/mcp`, '--requirements', revision,
      '-o', path.join(out, revision)], { encoding: 'utf8' });
    const summary = done.stdout.split('=== SUMMARY ===')[1];
    console.log(`== ${revision}${summary ?? `: not run\n${done.stderr}`}`);
    if (process.env.VERBOSE) console.log(done.stdout);
    unrun += !summary;
  }
} finally {
  rmSync(out, { recursive: true });
  await pool.close();
}
process.exit(unrun ? 1 : 0);
