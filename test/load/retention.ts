import { setTimeout as wait } from 'node:timers/promises';
import { writeHeapSnapshot } from 'node:v8';
import { runIsolation, type Spoil } from './isolation.ts';

/** Ways to keep something of a request; the test asks for one of them by name. */
const KEEPERS: Readonly<Record<string, () => Spoil>> = {
  none: () => ({}),
  'all cookies': () => {
    const kept = new Set<string>();
    return {
      fetch:
        (fetch) =>
        (request, ...rest) => {
          kept.add(request.headers.get('cookie') ?? '');
          return fetch(request, ...rest);
        },
    };
  },
  'the last body': () => {
    const kept = new Map<string, unknown>();
    return {
      ports: (ports) => ({
        ...ports,
        upstream: {
          send(request) {
            if (request.body !== undefined)
              kept.set('last', JSON.parse(Buffer.from(request.body).toString()));
            return ports.upstream.send(request);
          },
        },
      }),
    };
  },
  'secrets in another place': () => {
    const kept = new Map<string, string>();
    return {
      ports: (ports) => ({
        ...ports,
        upstream: {
          send(request) {
            kept.set(request.isolationKey, request.headers.get('x-api-key') ?? '');
            return ports.upstream.send(request);
          },
        },
      }),
    };
  },
};

const [file = '', keeper = ''] = process.argv.slice(2);
const spoil = KEEPERS[keeper]?.() ?? {};

/** Serves some thousand requests and writes down what is on the heap when all of them are over, while the gateways are still there. */
await runIsolation({
  requests: 800,
  seed: 20_261_121,
  orgs: 3,
  spoil,
  async onServed() {
    for (let collections = 0; collections < 4; collections += 1) {
      await wait(50);
      globalThis.gc?.();
    }
    writeHeapSnapshot(file);
  },
});
