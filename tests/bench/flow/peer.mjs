// SPDX-License-Identifier: MIT

// The same work with Effection. Needs node --expose-gc.
import { readFileSync } from "node:fs";
import {
  createQueue, createSignal, main, spawn, suspend, until, withResolvers,
} from "effection";

const PARK_N = 60_000;
const SPAWN_N = 30_000;
const HALT_N = 6000;
const MEMORY_TASKS = 10_000;
const SIGNAL_VALUES = 100_000;

// Processor time, as in the other programs, so that a busy machine counts less.
function now() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

// Let the tasks that were started run up to their first wait.
function* turn() {
  yield* until(new Promise((resolve) => setImmediate(resolve)));
}

function* park(n) {
  const [a, b] = [createQueue(), createQueue()];
  const began = now();
  const other = yield* spawn(function* () {
    for (let i = 0; i < n / 2; i++) {
      yield* a.next();
      b.add(i);
    }
  });
  for (let i = 0; i < n / 2; i++) {
    a.add(i);
    yield* b.next();
  }
  yield* other;
  return (now() - began) / n;
}

function* noop() {}

function* starts(n) {
  const began = now();
  for (let i = 0; i < n; i++) {
    const task = yield* spawn(noop);
    yield* task;
  }
  return (now() - began) / n;
}

let cleaned = 0;

function* frame(depth) {
  try {
    if (depth > 1) yield* frame(depth - 1);
    else yield* suspend();
  } finally {
    cleaned++;
  }
}

function* halt(count) {
  const rounds = HALT_N / count;
  let took = 0;
  for (let r = 0; r < rounds; r++) {
    const tasks = [];
    for (let i = 0; i < count; i++) {
      tasks.push(yield* spawn(() => frame(5)));
    }
    yield* turn();
    const began = now();
    for (const task of tasks) yield* task.halt();
    took += now() - began;
  }
  if (cleaned % (5 * HALT_N)) throw new Error(`${cleaned} cleanups`);
  return took / HALT_N;
}

function resident() {
  globalThis.gc();
  const text = readFileSync("/proc/self/smaps_rollup", "latin1");
  return Number(/^Rss:\s+(\d+) kB/m.exec(text)[1]) * 1024;
}

function* memory(depth) {
  function* start(n) {
    for (let i = 0; i < n; i++) yield* spawn(() => frame(depth));
    yield* turn();
  }
  yield* start(100);
  const before = resident();
  yield* start(MEMORY_TASKS);
  return (resident() - before) / MEMORY_TASKS;
}

function* signal(subscribers) {
  const source = createSignal();
  let left = 0;
  let done;
  for (let i = 0; i < subscribers; i++) {
    yield* spawn(function* () {
      const subscription = yield* source;
      for (;;) {
        yield* subscription.next();
        if (--left === 0) done.resolve();
      }
    });
  }
  yield* turn();
  function* send(values) {
    for (let v = 0; v < values; v++) {
      left = subscribers;
      done = withResolvers();
      source.send(v);
      yield* done.operation;
    }
  }
  const values = SIGNAL_VALUES / subscribers;
  yield* send(Math.floor(values / 10) + 1);
  const began = now();
  yield* send(values);
  return (now() - began) / (values * subscribers);
}

// The first time is the warming up.
function* both(bench, n) {
  yield* bench(n);
  return yield* bench(n);
}

function* twice(bench, n) {
  yield* bench(Math.ceil(n / 3));
  return yield* bench(n);
}

const BENCHES = {
  park: () => twice(park, PARK_N),
  spawn: () => twice(starts, SPAWN_N),
  "halt-50": () => both(halt, 50),
  "halt-1000": () => both(halt, 1000),
  memory: () => memory(1),
  "memory-deep": () => memory(5),
  "signal-1000": () => signal(1000),
  "signal-10000": () => signal(10_000),
};

await main(function* () {
  const r = yield* BENCHES[process.argv[2]]();
  process.stdout.write(`${r.toFixed(1)}\n`);
  process.exit(0); // taking 10 000 tasks down is not what is measured
});
