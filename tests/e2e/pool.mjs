// SPDX-License-Identifier: MIT
//
// pool: run holdline for a test in node. The work is done by pool.py, which
// finds what was left behind; this file starts it and speaks with it.

import { spawn } from 'node:child_process';
import assert from 'node:assert/strict';
import http from 'node:http';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Agent, fetch as undiciFetch } from 'undici';

const here = path.dirname(fileURLToPath(import.meta.url));
export const buildDir = path.resolve(
  process.env.HOLDLINE_BUILD ?? path.join(here, '../../build'));
export const patienceMs = process.env.HOLDLINE_SANITIZED ? 60_000 : 20_000;

// *.localhost is loopback (RFC 6761 6.3), which node's resolver does not know.
export function lookup(host, options, done) {
  assert.match(host, /(^|\.)localhost$/, `a test asks for ${host}`);
  const found = { address: '127.0.0.1', family: 4 };
  if (options.all) done(null, [found]);
  else done(null, found.address, found.family);
}

// A row of the tenants' table: a host that has the flight tool of the build.
export function bookFlight(host, more = {}) {
  return { host, ...more,
    tools: [path.join(buildDir, 'backend/tools/book_flight.so')] };
}

export class Pool {
  lines = [];
  #waiting = new Set();

  // tenants as in the configuration; more: { pool, switchboard } settings.
  static async start(tenants, more = {}) {
    const pool = new Pool();
    pool.child = spawn('python3', [path.join(here, 'pool.py')],
      { stdio: ['pipe', 'pipe', 'inherit'] });
    pool.child.stdin.on('error', () => {});
    pool.child.stdin.write(JSON.stringify({ tenants, ...more }) + '\n');
    pool.ended = new Promise((resolve) => { pool.resolveEnd = resolve; });
    readline.createInterface({ input: pool.child.stdout })
      .on('line', (line) => pool.#hear(JSON.parse(line)));
    pool.child.on('exit', (code) => pool.resolveEnd(
      { code: null, left: `pool.py ended with ${code}` }));
    const ready = await Promise.race([
      new Promise((resolve) => { pool.resolveReady = resolve; }),
      pool.ended.then((end) => { throw new Error(end.left); }),
    ]);
    return Object.assign(pool, ready);
  }

  #hear(message) {
    if (message.event === 'ready') this.resolveReady(message);
    if (message.event === 'end') this.resolveEnd(message);
    if (message.event !== 'log') return;
    this.lines.push(message.line);
    for (const waiter of this.#waiting) waiter(message.line);
  }

  // The first log line, at or after index since, that matches.
  line(pattern, since = 0) {
    const seen = this.lines.slice(since).find((l) => pattern.test(l));
    if (seen) return Promise.resolve(seen);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(waiter);
        reject(new Error(`no log line matches ${pattern}:\n`
          + this.lines.slice(since).join('\n')));
      }, patienceMs);
      const waiter = (line) => {
        if (!pattern.test(line)) return;
        clearTimeout(timer);
        this.#waiting.delete(waiter);
        resolve(line);
      };
      this.#waiting.add(waiter);
    });
  }

  url(host, pathname = '/mcp') {
    return new URL(`http://${host}:${this.port}${pathname}`);
  }

  // Signal poold; resolves with { code, ms } when it has ended.
  async signal(name) {
    const began = performance.now();
    process.kill(this.pid, name);
    const end = await this.ended;
    return { ...end, ms: performance.now() - began };
  }

  // End the pool in every case; fails when a process or a socket is left.
  async close() {
    this.child.stdin.end();
    const end = await this.ended;
    assert.equal(end.left, '', end.left);
    return end;
  }

  // GET a page of the admin address.
  async adminPage(pathname) {
    const answer = await fetch(`http://127.0.0.1:${this.admin}${pathname}`);
    assert.equal(answer.status, 200);
    return answer.json();
  }

  // The pid of the running backend of a host.
  async backendPid(host) {
    const { servers } = await this.adminPage('/__switchboard/servers');
    return servers.find((s) => s.hostname === host)?.pid;
  }
}

// A test body with a pool that is ended whatever happens in the body.
export function withPool(tenants, body, more = {}) {
  return async (t) => {
    const pool = await Pool.start(tenants, more);
    let failed = true;
    try {
      await body(pool, t);
      failed = false;
    } finally {
      if (failed) {
        for (const line of pool.lines.slice(-60)) t.diagnostic(line);
      }
      await pool.close();
    }
  };
}

// A fetch on connections of its own: close() ends them all, and the next
// Line is a new client as far as sockets go.
export class Line {
  connections = 0;

  constructor() {
    this.agent = new Agent({ connect: { lookup }, bodyTimeout: 0 });
    this.agent.on('connect', () => { this.connections += 1; });
    this.fetch = (url, init = {}) =>
      undiciFetch(url, { ...init, dispatcher: this.agent });
  }

  // Break what is open, as a client that lost its network does.
  break() {
    return this.agent.destroy();
  }

  close() {
    return this.agent.close();
  }
}

// One request by node:http; resolves with { status, headers, body }.
export function request(pool, host, options = {}, body = null) {
  return new Promise((resolve, reject) => {
    const req = http.request({ host: '127.0.0.1', port: pool.port,
      path: '/', agent: false, ...options,
      headers: { host: `${host}:${pool.port}`, ...options.headers } },
    (res) => {
      const parts = [];
      res.on('data', (part) => parts.push(part));
      res.on('error', reject);
      res.on('end', () => resolve({ status: res.statusCode,
        headers: res.headers, body: Buffer.concat(parts).toString() }));
    });
    req.on('error', reject);
    req.end(body);
  });
}
