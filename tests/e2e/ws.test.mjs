// SPDX-License-Identifier: MIT
//
// ws: a WebSocket goes through the switchboard as a two-way pipe.

import test from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { lookup, patienceMs, request, withPool } from './pool.mjs';

const echo = path.join(path.dirname(fileURLToPath(import.meta.url)),
  'ws_echo.mjs');
// Its library lies beside it, which the command line does not say.
const TENANTS = [{ host: 'ws.localhost', command: [process.execPath, echo],
  read: path.dirname(echo) }];

async function open(pool) {
  const ws = new WebSocket(`ws://ws.localhost:${pool.port}/`, { lookup });
  await once(ws, 'open');
  return ws;
}

async function said(ws, data) {
  const answer = once(ws, 'message');
  ws.send(data);
  return (await answer)[0];
}

test('ws: text, binary and a megabyte come back as they went',
  withPool(TENANTS, async (pool) => {
    const ws = await open(pool);
    assert.equal(String(await said(ws, 'hold the line')), 'hold the line');
    const binary = Buffer.from([0, 255, 13, 10, 128]);
    assert.deepEqual(await said(ws, binary), binary);
    const big = Buffer.alloc(1 << 20, 'x');
    assert.ok(big.equals(await said(ws, big)));
    const closed = once(ws, 'close');
    ws.close(4321, 'enough');
    const [code] = await closed;
    assert.equal(code, 4321, 'the close frame came back');
  }));

test('ws: many at once, and plain requests beside them',
  withPool(TENANTS, async (pool) => {
    const all = await Promise.all(Array.from({ length: 20 },
      () => open(pool)));
    await Promise.all(all.map(async (ws, n) =>
      assert.equal(String(await said(ws, `line ${n}`)), `line ${n}`)));
    assert.equal((await request(pool, 'ws.localhost')).body, 'plain\n');
    for (const ws of all) ws.terminate();
  }));

test('ws: SIGTERM ends an open socket and leaves nothing',
  withPool(TENANTS, async (pool) => {
    const ws = await open(pool);
    ws.on('error', () => {});
    const closed = once(ws, 'close');
    const end = await pool.signal('SIGTERM');
    await closed;
    assert.equal(end.code, 0);
    assert.ok(end.ms < patienceMs / 2, `took ${end.ms} ms`);
  }));
