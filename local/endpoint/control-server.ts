import { parseJson } from '../json.ts';
import { FaultError, type Faults } from './faults.ts';
import { type LoopbackServer, startLoopbackServer } from './loopback-server.ts';

/** Serves `POST /faults`, `GET /faults` and `DELETE /faults` on loopback (contract §12). */
export function startControlServer(faults: Faults): Promise<LoopbackServer> {
  return startLoopbackServer(async (request, body, response) => {
    const send = (status: number, answer: object) => {
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(answer));
    };
    // A page in the developer's browser can reach loopback: it says so by its Origin, and gets nothing.
    if (request.headers.origin !== undefined) return send(403, { error: 'not for browsers' });
    if (request.url !== '/faults') return send(404, { error: 'the one path is /faults' });
    switch (request.method) {
      case 'POST':
        try {
          faults.add(parseJson(body.toString()), Date.now());
        } catch (error) {
          if (error instanceof FaultError) return send(400, { error: error.message });
          if (error instanceof SyntaxError) return send(400, { error: 'the body is not JSON' });
          throw error;
        }
        break;
      case 'DELETE':
        faults.clear();
        break;
      case 'GET':
        break;
      default:
        return send(405, { error: 'use POST, GET or DELETE' });
    }
    send(200, { faults: faults.list(Date.now()).map(toWire) });
  });
}

function toWire({ expiresAtMs, ...fault }: ReturnType<Faults['list']>[number]): object {
  return expiresAtMs === undefined ? fault : { ...fault, expires_at: new Date(expiresAtMs).toISOString() };
}
