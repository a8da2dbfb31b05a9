import type { UpstreamResponse } from '../../../functions/core/ports.ts';
import { ok } from '../../../functions/core/result.ts';
import { Sealer, type SealPurpose } from '../../../functions/core/seal.ts';
import type { GatewayPorts } from '../../../functions/handlers/gateway.ts';
import type { Spoil } from '../isolation.ts';

/** A way to get isolation wrong, made anew for each run, and how the harness must call it. */
export type SpoiltGateway = { readonly name: string; readonly spoil: () => Spoil; readonly finding: RegExp };

/** Mistakes that gateways have made, each put around or into one that makes none. */
export const SPOILT_GATEWAYS: readonly SpoiltGateway[] = [
  {
    name: 'keeps an answer for a server and method, whoever asks',
    finding: /another's content .* in answer|the list of somebody else|the answer of/,
    spoil() {
      const kept = new Map<string, string>();
      return {
        fetch:
          (fetch) =>
          async (request, ...rest) => {
            const response = await fetch(request, ...rest);
            const key = `${request.url} ${request.headers.get('mcp-method')}`;
            const text =
              kept.get(key) ??
              (await response
                .clone()
                .text()
                .catch(() => ''));
            kept.set(key, text);
            return response.ok && response.body !== null
              ? new Response(text, { status: response.status, headers: response.headers })
              : response;
          },
      };
    },
  },
  {
    name: 'finds the answer to a request by its JSON-RPC id',
    finding: /another's content .* in answer/,
    spoil() {
      const byId = new Map<string, UpstreamResponse & { readonly bytes: Blob }>();
      return aroundUpstream((send) => async (request) => {
        const answer = await send(request);
        const id = /"id":("?\w+"?)/.exec(Buffer.from(request.body ?? []).toString())?.[1];
        if (!answer.ok || id === undefined || answer.value.status !== 200) return answer;
        const bytes = await new Response(answer.value.body).blob().catch(() => new Blob([]));
        const whose = byId.get(id) ?? { ...answer.value, bytes };
        byId.set(id, { ...answer.value, bytes });
        return ok({ ...whose, body: whose.bytes.stream() });
      });
    },
  },
  {
    name: 'keeps the credential of a server, whoever calls it',
    finding: /another's secret .* in upstream|a token upstream with/,
    spoil() {
      const kept = new Map<string, string>();
      return aroundPut((put) => async (call) => {
        const { target, outgoing } = call;
        const done = await put(call);
        const authorization = kept.get(target.name) ?? outgoing.headers.get('authorization');
        if (authorization !== undefined) {
          kept.set(target.name, authorization);
          outgoing.headers.set('authorization', authorization);
        }
        return done;
      });
    },
  },
  {
    name: 'forgets what must not come back',
    finding: /its own secret .* in answer|a token in answer|Base64 in answer/,
    spoil: () =>
      aroundPut((put) => async (call) => {
        const done = await put(call);
        return done.ok ? ok({ ...done.value, hidden: [] }) : done;
      }),
  },
  {
    name: 'remembers a caller by too little of the token',
    finding: /another's .* in (?:audit|lookup|upstream)/,
    spoil() {
      const kept = new Map<string, Awaited<ReturnType<GatewayPorts['ingress']['authenticate']>>>();
      return {
        ports: (ports) => ({
          ...ports,
          ingress: {
            ...ports.ingress,
            async authenticate(headers, ...rest) {
              const key = (headers.get('authorization') ?? '').slice(-3);
              const admission = kept.get(key) ?? (await ports.ingress.authenticate(headers, ...rest));
              if (admission.ok) kept.set(key, admission);
              return admission;
            },
          },
        }),
      };
    },
  },
  {
    name: 'logs what it sends',
    finding: /its own secret .* in log/,
    spoil: () => ({
      ports: (ports) => ({
        ...ports,
        upstream: {
          send(request) {
            ports.log({ event: 'sent', headers: [...request.headers] });
            return ports.upstream.send(request);
          },
        },
      }),
    }),
  },
  {
    name: 'says in a log line which request came before',
    finding: /another's requestId .* in log/,
    spoil() {
      let before: unknown;
      return {
        ports: (ports) => ({
          ...ports,
          log(entry) {
            ports.log({ ...entry, before });
            before = entry['request_id'];
          },
        }),
      };
    },
  },
  {
    name: 'writes a record under the organisation before',
    finding: /another's org .* in audit/,
    spoil() {
      let before: string | undefined;
      return {
        ports: (ports) => ({
          ...ports,
          audit: {
            write(record) {
              const orgId = before ?? record.org_id;
              before = record.org_id;
              return ports.audit.write(orgId === undefined ? record : { ...record, org_id: orgId });
            },
          },
        }),
      };
    },
  },
  {
    name: 'sends first and records never',
    finding: /sent before a record was written/,
    spoil: () => ({
      ports: (ports) => ({ ...ports, audit: { write: () => Promise.resolve(ok(undefined)) } }),
    }),
  },
  {
    name: 'opens a session for any caller',
    finding: /another's session .* in upstream/,
    spoil() {
      const sealer = new UnboundSealer(['0'.repeat(64)]);
      return { ports: (ports) => ({ ...ports, sealer: () => Promise.resolve(sealer) }) };
    },
  },
  {
    name: 'shares connections between callers',
    finding: /connections of .* are shared/,
    spoil: () =>
      aroundUpstream((send) => (request) => send({ ...request, isolationKey: request.url.origin })),
  },
  {
    name: "lets the caller's cookies travel, or those of the one before",
    finding: /hidden .* in upstream/,
    spoil() {
      let cookie = '';
      return {
        fetch:
          (fetch) =>
          (request, ...rest) => {
            cookie = request.headers.get('cookie') ?? '';
            return fetch(request, ...rest);
          },
        ...aroundUpstream(
          (send) => (request) =>
            send({ ...request, headers: new Map([...request.headers, ['cookie', cookie]]) }),
        ),
      };
    },
  },
  {
    name: 'sends the body that came last',
    finding: /another's argument .* in upstream/,
    spoil() {
      let last: Uint8Array | undefined;
      return aroundUpstream((send) => async (request) => {
        last = request.body ?? last;
        await new Promise((resolve) => setImmediate(resolve));
        return send({ ...request, body: last });
      });
    },
  },
  {
    name: "lets a server's own headers pass",
    finding: /its own topology .* in answer/,
    spoil: () =>
      aroundUpstream((send) => async (request) => {
        const answer = await send(request);
        if (!answer.ok) return answer;
        const headers = new Map(answer.value.headers);
        headers.set('retry-after', headers.get('server') ?? '');
        return ok({ ...answer.value, headers });
      }),
  },
];

class UnboundSealer extends Sealer {
  override seal(purpose: SealPurpose, _context: string, plaintext: string, nonce: Uint8Array): string {
    return super.seal(purpose, '', plaintext, nonce);
  }

  override open(purpose: SealPurpose, _context: string, sealed: string): string | undefined {
    return super.open(purpose, '', sealed);
  }
}

type Send = GatewayPorts['upstream']['send'];
type Put = GatewayPorts['credentials']['put'];

function aroundUpstream(around: (send: Send) => Send): Spoil {
  return {
    ports: (ports) => ({ ...ports, upstream: { send: around((request) => ports.upstream.send(request)) } }),
  };
}

function aroundPut(around: (put: Put) => Put): Spoil {
  return {
    ports: (ports) => ({
      ...ports,
      credentials: { put: around((call) => ports.credentials.put(call)) },
    }),
  };
}
