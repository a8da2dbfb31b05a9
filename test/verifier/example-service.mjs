// A service that is not part of Sallyport: notes, kept by organisation, namespace and filters. It knows the verifier by its package alone.
import { createServer } from 'node:http';
// biome-ignore lint/correctness/noUndeclaredDependencies: the package that the test builds, packs and installs beside this file
import { createRunTokenVerifier } from 'sallyport-verifier';

const [issuer, service] = process.argv.slice(2);
const verifier = createRunTokenVerifier({ issuer, service });
const notes = [];

const server = createServer(async (request, response) => {
  const answer = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  const verified = await verifier.verify(request.headers.authorization);
  if (!verified.ok) return answer(verified.refusal.status, { error: verified.refusal.message });
  const { orgId, namespace, scopeFilters, permissions } = verified.scope;
  if (request.method === 'POST') {
    if (!permissions.write) return answer(403, { error: 'this run may only read' });
    let text = '';
    for await (const chunk of request) text += chunk;
    notes.push({ orgId, namespace, scopeFilters, text });
    return answer(201, {});
  }
  const isVisible = (note) =>
    note.orgId === orgId &&
    note.namespace === namespace &&
    (Object.keys(note.scopeFilters).length === 0 ||
      Object.entries(scopeFilters).every(([name, value]) => note.scopeFilters[name] === value));
  return answer(
    200,
    notes.filter(isVisible).map(({ text }) => text),
  );
});

server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
