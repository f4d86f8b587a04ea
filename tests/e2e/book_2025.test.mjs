// SPDX-License-Identifier: MIT
//
// book_2025: revision 2025-11-25 with the published client of that revision.
// A question arrives on the stream of the call and is answered by a POST of
// its own; a stream that broke is taken up again by GET with Last-Event-ID.

import test from 'node:test';
import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport }
  from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CreateMessageRequestSchema, ElicitRequestSchema,
  CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { Line, bookFlight, request, withPool } from './pool.mjs';
import { accept, say } from './answers.mjs';

const CALL = { name: 'book_flight',
  arguments: { city: 'Oslo', date: '2026-12-24' } };
const BOTH = { elicitation: { form: {} }, sampling: {} };

// A client on a line of its own. person(params, n) answers question n.
async function connect(pool, host, options = {}) {
  const line = new Line();
  const { capabilities = BOTH, person = accept, tip = 'Bring a coat.' } =
    options;
  const client = new Client({ name: 'e2e', version: '1' }, { capabilities });
  const asked = [];
  if (capabilities.elicitation) {
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      asked.push(params);
      return person(params, asked.length);
    });
  }
  if (capabilities.sampling) {
    client.setRequestHandler(CreateMessageRequestSchema, () => say(tip));
  }
  const transport = new StreamableHTTPClientTransport(pool.url(host),
    { fetch: (url, init) => line.fetch(url, init),
      sessionId: options.sessionId,
      reconnectionOptions: { initialReconnectionDelay: 5,
        maxReconnectionDelay: 50, reconnectionDelayGrowFactor: 1,
        maxRetries: options.retries ?? 20 } });
  if (options.sessionId) transport.setProtocolVersion('2025-11-25');
  await client.connect(transport);
  return { client, transport, asked, line,
    async close() {
      await client.close();
      await line.break();
    } };
}

function booked(result, tip) {
  assert.ok(!result.isError, JSON.stringify(result));
  assert.deepEqual(Object.keys(result.structuredContent).sort(),
    ['flight', 'seat', 'tip']);
  assert.equal(result.structuredContent.tip, tip);
  assert.ok(result.content.some((c) => c.type === 'text'
    && c.text.includes(tip)), 'the result is there as text too');
}

test('2025: two tenants book at once, each asks twice and samples',
  withPool([bookFlight('acme.localhost'), bookFlight('beta.localhost')],
    async (pool) => {
      const hosts = ['acme.localhost', 'beta.localhost'];
      // Nobody answers a second question before both tenants have asked it.
      let both;
      const bothAsked = new Promise((resolve) => { both = resolve; });
      let n = 0;
      const person = async (params, nth) => {
        if (nth === 2 && (n += 1) === 2) both();
        if (nth === 2) await bothAsked;
        return accept(params);
      };
      await Promise.all(hosts.map(async (host) => {
        const c = await connect(pool, host, { person, tip: `Go, ${host}.` });
        const { tools } = await c.client.listTools();
        assert.deepEqual(tools.map((t) => t.name), ['book_flight']);
        booked(await c.client.callTool(CALL), `Go, ${host}.`);
        assert.equal(c.asked.length, 2);
        await c.close();
      }));
      const pids = await Promise.all(hosts.map((h) => pool.backendPid(h)));
      assert.notEqual(pids[0], pids[1], 'each tenant has its own process');
    }));

test('2025: the second answer comes on a new connection, the call goes on',
  withPool([bookFlight('acme.localhost'), bookFlight('beta.localhost')],
    async (pool) => {
      await Promise.all(['acme.localhost', 'beta.localhost'].map(
        async (host) => {
          const c = await connect(pool, host, {
            tip: host,
            person: async (params, nth) => {
              if (nth === 2) {
                const old = c.line;
                c.line = new Line();
                c.line.connections = 0;
                c.transport._fetch = (url, init) => c.line.fetch(url, init);
                await old.break();
              }
              return accept(params);
            } });
          booked(await c.client.callTool(CALL), host);
          assert.equal(c.asked.length, 2, 'no question was asked again');
          assert.ok(c.line.connections > 0, 'a new connection was used');
          await c.close();
        }));
    }));

test('2025: another client process takes the session and the call over',
  withPool([bookFlight('acme.localhost')], async (pool) => {
    const tokens = [];
    let second;
    const secondAsked = new Promise((resolve) => { second = resolve; });
    const first = await connect(pool, 'acme.localhost', { retries: 0,
      person: (params, nth) => {
        if (nth === 1) return accept(params);
        second();
        return new Promise(() => {}); // this client never gets to answer
      } });
    const lost = first.client.callTool(CALL, undefined,
      { onresumptiontoken: (token) => tokens.push(token) })
      .catch((e) => e);
    await secondAsked;
    const { sessionId } = first.transport;
    await first.line.break();
    first.transport._fetch = () => Promise.reject(new Error('gone'));

    // What it had seen before the second question: that one is told again.
    const next = await connect(pool, 'acme.localhost', { sessionId });
    const result = await next.client.request(
      { method: 'tools/call', params: CALL }, CallToolResultSchema,
      { resumptionToken: tokens.at(-2) });
    booked(result, 'Bring a coat.');
    assert.equal(next.asked.length, 1, 'only the second question is left');
    await first.client.close();
    assert.ok(await lost instanceof Error);
    await next.close();
  }));

for (const action of ['decline', 'cancel']) {
  for (const at of [1, 2]) {
    test(`2025: ${action} at question ${at} books nothing`,
      withPool([bookFlight('acme.localhost')], async (pool) => {
        const c = await connect(pool, 'acme.localhost', {
          person: (params, nth) =>
            (nth === at ? { action } : accept(params)) });
        const result = await c.client.callTool(CALL);
        assert.equal(result.content[0].text, 'Nothing was booked.');
        assert.equal(c.asked.length, at);
        await c.close();
      }));
  }
}

test('2025: a client that cannot be asked is told so, in a result',
  withPool([bookFlight('acme.localhost')], async (pool) => {
    for (const [capabilities, word] of [
      [{ sampling: {} }, /elicit/i], [{ elicitation: {} }, /sampl/i]]) {
      const c = await connect(pool, 'acme.localhost', { capabilities });
      const result = await c.client.callTool(CALL);
      assert.equal(result.isError, true);
      assert.match(result.content[0].text, word);
      await c.close();
    }
  }));

test('2025: DELETE ends the session; what comes after gets 404',
  withPool([bookFlight('acme.localhost')], async (pool) => {
    const c = await connect(pool, 'acme.localhost');
    const { sessionId } = c.transport;
    assert.match(sessionId, /^[\x21-\x7e]{16,}$/);
    await c.transport.terminateSession();
    const again = await request(pool, 'acme.localhost', { method: 'POST',
      path: '/mcp', headers: { 'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-11-25',
        'mcp-session-id': sessionId } },
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }));
    assert.equal(again.status, 404, again.body);
    await c.close();
  }));

test('2025: a request without a session gets 400, one of another tenant 404',
  withPool([bookFlight('acme.localhost'), bookFlight('beta.localhost')],
    async (pool) => {
      const c = await connect(pool, 'acme.localhost');
      const ask = (host, more) => request(pool, host, { method: 'POST',
        path: '/mcp', headers: { 'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2025-11-25', ...more } },
      JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }));
      assert.equal((await ask('acme.localhost', {})).status, 400);
      const id = { 'mcp-session-id': c.transport.sessionId };
      assert.equal((await ask('acme.localhost', id)).status, 200);
      assert.equal((await ask('beta.localhost', id)).status, 404);
      await c.close();
    }));
