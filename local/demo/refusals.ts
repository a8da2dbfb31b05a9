/** Says that a browser was not sent by the demo's gateway; it is sent nowhere. */
export function notTheDemo(): Response {
  return new Response('this is no question of the demo\n', {
    status: 400,
    headers: { 'cache-control': 'no-store' },
  });
}

/** RFC 6749 §5.2. */
export function invalidGrant(): Response {
  return Response.json({ error: 'invalid_grant' }, { status: 400, headers: { 'cache-control': 'no-store' } });
}

/** Says that there is no such page. */
export function nothingHere(): Response {
  return new Response('there is nothing here\n', { status: 404 });
}
