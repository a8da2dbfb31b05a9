import { setTimeout as wait } from 'node:timers/promises';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { answerTool, type RecordingServer, startRecordingServer } from '../../support/recording-server.ts';
import { AGENTS } from './configuration.ts';

/** What became of a load. `denials` are answers that a caller with a good token must never see, outages among them, one line each. */
export type RotationReport = {
  tokens: number;
  calls: number;
  /** Identity tokens that the server behind verified, and the keys that signed what anybody got. */
  identities: number;
  readonly signers: Map<string, number>;
  readonly denials: string[];
};

/** A load that runs until it is stopped. */
export type RotationLoad = {
  readonly report: RotationReport;
  /** The access tokens that are in use, the oldest first. */
  readonly inUse: readonly string[];
  /** Stops it and waits for what is under way. */
  stop(): Promise<RotationReport>;
};

/** The server that is told who calls. */
export type IdentityServer = RecordingServer & {
  /** From now on it verifies every caller, with these keys alone: it keeps them as long as it lives, and looks at no others. */
  trust(jwks: JSONWebKeySet, origin: string, report: RotationReport): void;
  /** Waits for what is being verified. */
  settle(): Promise<void>;
};

/** Starts one; before it trusts anybody it answers all. */
export async function startIdentityServer(): Promise<IdentityServer> {
  let judge: (authorization: string) => Promise<void> = () => Promise.resolve();
  const underWay: Promise<void>[] = [];
  const server = await startRecordingServer((request, answer) => {
    underWay.push(judge(request.headers.authorization ?? ''));
    answerTool(request, answer, 'done');
  });
  return {
    ...server,
    trust(jwks, origin, report) {
      const keys = createLocalJWKSet(jwks);
      judge = async (authorization) => {
        const compact = authorization.replace('Bearer ', '');
        report.identities += 1;
        const verified = await jwtVerify(compact, keys, { issuer: origin, clockTolerance: 5 }).catch(String);
        if (typeof verified === 'string') report.denials.push(`an identity token: ${verified}`);
        else count(report, 'identity', verified.protectedHeader.kid);
      };
    },
    async settle() {
      await Promise.all(underWay);
    },
  };
}

const MAX_IN_USE = 200;
/** Tokens are given up this long before they expire, so that none dies on its way. */
const USED_SECONDS = 600 - 30;

/** Issues tokens and uses them on every function, with as many workers as there are agents and each answer looked at. */
export function startRotationLoad(origin: string, pauseMs = 0): RotationLoad {
  const report: RotationReport = { tokens: 0, calls: 0, identities: 0, signers: new Map(), denials: [] };
  const inUse: { readonly token: string; readonly untilMs: number }[] = [];
  let isStopped = false;

  const expectOk = async (what: string, response: Response): Promise<string> => {
    const text = await response.text();
    report.calls += 1;
    if (!response.ok) {
      report.denials.push(`${new Date().toISOString()} ${what}: ${response.status} ${text.slice(0, 300)}`);
    }
    return text;
  };

  const issue = async (agent: string): Promise<void> => {
    const response = await fetch(`${origin}/oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${agent}:${agent}-secret`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const text = await expectOk('a token', response);
    if (!response.ok) return;
    const token: string = JSON.parse(text).access_token;
    report.tokens += 1;
    count(report, 'access', keyIdOf(token));
    if (inUse.length >= MAX_IN_USE) inUse.splice(1 + (report.tokens % (MAX_IN_USE - 1)), 1);
    inUse.push({ token, untilMs: Date.now() + USED_SECONDS * 1000 });
  };

  const use = async (turn: number): Promise<void> => {
    while ((inUse[0]?.untilMs ?? Number.POSITIVE_INFINITY) < Date.now()) inUse.shift();
    // The oldest, the newest, and any.
    const at = [0, inUse.length - 1, (turn * 7) % Math.max(1, inUse.length)][turn % 3] ?? 0;
    const token = inUse[at]?.token;
    if (token === undefined) return;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    switch (turn % 4) {
      case 0: {
        const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"}}';
        const text = await expectOk(
          'a tool',
          await fetch(`${origin}/signed/mcp`, { method: 'POST', headers, body }),
        );
        if (!text.includes('done')) report.denials.push(`a tool: ${text.slice(0, 200)}`);
        return;
      }
      case 1:
        await expectOk('documents', await fetch(`${origin}/context/documents`, { headers }));
        return;
      case 2:
        await expectOk('/me', await fetch(`${origin}/me`, { headers }));
        return;
      default: {
        const body = JSON.stringify({ agent_name: 'a', services: { 'context-store': { namespace: 'ns' } } });
        const text = await expectOk(
          'a run',
          await fetch(`${origin}/runs`, { method: 'POST', headers, body }),
        );
        const run = JSON.parse(text).service_token;
        if (typeof run !== 'string') return;
        const service = { 'x-service-token': run };
        await expectOk(
          'documents of a run',
          await fetch(`${origin}/context/documents`, { headers: service }),
        );
      }
    }
  };

  const work = async (agent: string, index: number): Promise<void> => {
    for (let turn = index; !isStopped; turn += 1) {
      try {
        await issue(agent);
        for (let call = 0; call < 4; call += 1) await use(turn * 4 + call);
      } catch (error) {
        report.denials.push(`no answer: ${String(error)}`);
      }
      if (pauseMs > 0) await wait(pauseMs);
    }
  };
  const workers = AGENTS.map(work);
  return {
    report,
    get inUse() {
      return inUse.map(({ token }) => token);
    },
    async stop() {
      isStopped = true;
      await Promise.all(workers);
      return report;
    },
  };
}

/** The keys that are published. */
export async function readJwks(origin: string): Promise<JSONWebKeySet> {
  return JSON.parse(await (await fetch(`${origin}/.well-known/jwks.json`)).text());
}

function keyIdOf(compact: string): string {
  return JSON.parse(Buffer.from(compact.split('.')[0] ?? '', 'base64url').toString()).kid;
}

function count(report: RotationReport, kind: string, keyId = ''): void {
  const signer = `${kind} ${keyId}`;
  report.signers.set(signer, (report.signers.get(signer) ?? 0) + 1);
}
