// SPDX-License-Identifier: MIT
//
// book_2026: revision 2026-07-28 with the published client of that revision.
// A question is the result of the call (input_required); the answer is the
// same call again with inputResponses and requestState.

import test from 'node:test';
import assert from 'node:assert/strict';
import { Client, StreamableHTTPClientTransport }
  from '@modelcontextprotocol/client';
import { Line, bookFlight, request, withPool } from './pool.mjs';
import { accept, say } from './answers.mjs';

const CALL = { name: 'book_flight',
  arguments: { city: 'Oslo', date: '2026-12-24' } };
const BOTH = { elicitation: { form: {} }, sampling: {} };
const REVISION = '2026-07-28';

async function connect(pool, host, options = {}) {
  const { capabilities = BOTH, autoFulfill = false } = options;
  const line = new Line();
  const client = new Client({ name: 'e2e', version: '1' }, { capabilities,
    versionNegotiation: { mode: { pin: REVISION } },
    inputRequired: { autoFulfill } });
  await client.connect(new StreamableHTTPClientTransport(pool.url(host),
    { fetch: line.fetch }));
  return { client, line,
    call: (more = {}) => client.request(
      { method: 'tools/call', params: { ...CALL, ...more } },
      { allowInputRequired: true }),
    async close() {
      await client.close();
      await line.break();
    } };
}

// The one question of an input_required result: [key, request].
function question(result) {
  assert.equal(result.resultType, 'input_required', JSON.stringify(result));
  assert.ok(Buffer.from(result.requestState).length >= 16);
  const entries = Object.entries(result.inputRequests);
  assert.equal(entries.length, 1);
  return entries[0];
}

function booked(result, tip) {
  assert.ok(!result.isError, JSON.stringify(result));
  assert.equal(result.structuredContent.tip, tip);
  assert.deepEqual(Object.keys(result.structuredContent).sort(),
    ['flight', 'seat', 'tip']);
}

// Answer what a result asks on a connection of its own, as a new client.
async function retry(pool, host, result, answer, options) {
  const [key] = question(result);
  const c = await connect(pool, host, options);
  const next = await c.call({ inputResponses: { [key]: answer },
    requestState: result.requestState });
  await c.close();
  return next;
}

test('2026: two tenants book at once, each answer on a new connection',
  withPool([bookFlight('acme.localhost'), bookFlight('beta.localhost')],
    async (pool) => {
      await Promise.all(['acme.localhost', 'beta.localhost'].map(
        async (host) => {
          const c = await connect(pool, host);
          let result = await c.call();
          await c.close();
          const keys = [];
          for (const wanted of ['pickFlight', 'pickSeat']) {
            const [key, ask] = question(result);
            keys.push(key);
            assert.equal(key, wanted);
            assert.equal(ask.method, 'elicitation/create');
            result = await retry(pool, host, result, accept(ask.params));
          }
          const [key, ask] = question(result);
          assert.equal(ask.method, 'sampling/createMessage');
          assert.ok(!keys.includes(key));
          booked(await retry(pool, host, result, say(`Go, ${host}.`)),
            `Go, ${host}.`);
        }));
    }));

test('2026: the client that fulfils by itself books too',
  withPool([bookFlight('acme.localhost')], async (pool) => {
    const c = await connect(pool, 'acme.localhost', { autoFulfill: true });
    const asked = [];
    c.client.setRequestHandler('elicitation/create', ({ params }) => {
      asked.push(params.message);
      return accept(params);
    });
    c.client.setRequestHandler('sampling/createMessage', () => say('Go.'));
    const { tools } = await c.client.listTools();
    assert.deepEqual(tools.map((t) => t.name), ['book_flight']);
    booked(await c.client.callTool(CALL), 'Go.');
    assert.equal(asked.length, 2);
    await c.close();
  }));

test('2026: the same answer again gets the same reply, and runs nothing',
  withPool([bookFlight('acme.localhost')], async (pool) => {
    const c = await connect(pool, 'acme.localhost');
    const first = await c.call();
    const [key, ask] = question(first);
    const more = { inputResponses: { [key]: accept(ask.params) },
      requestState: first.requestState };
    const [one, two] = [await c.call(more), await c.call(more)];
    assert.deepEqual(one.inputRequests, two.inputRequests);
    await c.close();
  }));

for (const action of ['decline', 'cancel']) {
  for (const at of [1, 2]) {
    test(`2026: ${action} at question ${at} books nothing`,
      withPool([bookFlight('acme.localhost')], async (pool) => {
        const c = await connect(pool, 'acme.localhost');
        let result = await c.call();
        for (let nth = 1; nth <= at; nth += 1) {
          const [, ask] = question(result);
          result = await retry(pool, 'acme.localhost', result,
            nth === at ? { action } : accept(ask.params));
        }
        assert.equal(result.content[0].text, 'Nothing was booked.');
        await c.close();
      }));
  }
}

test('2026: a client that cannot be asked gets -32021 and what is missing',
  withPool([bookFlight('acme.localhost')], async (pool) => {
    const c = await connect(pool, 'acme.localhost', { capabilities: {} });
    await assert.rejects(c.call(), (e) => {
      assert.equal(e.code, -32021, String(e));
      assert.ok(e.data.requiredCapabilities.elicitation, String(e.data));
      return true;
    });
    await c.close();
  }));

test('2026: a state that was never given, or of another tenant, is an error',
  withPool([bookFlight('acme.localhost'), bookFlight('beta.localhost')],
    async (pool) => {
      const c = await connect(pool, 'acme.localhost');
      const first = await c.call();
      const [key, ask] = question(first);
      const inputResponses = { [key]: accept(ask.params) };
      await assert.rejects(c.call({ inputResponses,
        requestState: `${first.requestState}x` }), { code: -32602 });
      await assert.rejects(
        retry(pool, 'beta.localhost', first, accept(ask.params)),
        { code: -32602 });
      // And the true one still stands.
      question(await c.call({ inputResponses,
        requestState: first.requestState }));
      await c.close();
    }));

test('2026: a header that does not say what the body says gets -32020',
  withPool([bookFlight('acme.localhost')], async (pool) => {
    const answer = await request(pool, 'acme.localhost', { method: 'POST',
      path: '/mcp', headers: { 'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': REVISION, 'mcp-method': 'tools/call',
        'mcp-name': 'another_tool' } },
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call',
      params: { ...CALL, _meta: {
        'io.modelcontextprotocol/protocolVersion': REVISION,
        'io.modelcontextprotocol/clientCapabilities': BOTH } } }));
    assert.equal(answer.status, 400);
    assert.equal(JSON.parse(answer.body).error.code, -32020);
  }));
