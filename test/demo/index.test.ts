import { expect, test } from 'vitest';
import { startDemo } from '../../local/demo/index.ts';
import { serveOnLoopback } from '../../local/demo/loopback.ts';

const options = {
  origin: 'http://127.0.0.1:1',
  fininfoClientSecret: 'x',
  polygonKeys: new Map([['k', 'a']]),
  weatherKeys: new Map([['k', 'a']]),
};

test('the demo tells where its servers are, and closing it frees their ports', async () => {
  const demo = await startDemo({
    ...options,
    ports: { fininfo: 0, weather: 0, polygon: 0, company: 0, carrier: 0 },
  });
  const { FININFO_URL, WEATHER_URL, POLYGON_URL, COMPANY_URL, CARRIER_URL } = demo.urls;
  for (const url of [FININFO_URL, WEATHER_URL, POLYGON_URL]) {
    expect((await fetch(url, { method: 'POST' })).status).toBe(401);
  }
  expect((await fetch(`${COMPANY_URL}/keys`)).status).toBe(200);
  expect((await fetch(`${CARRIER_URL}/me`)).status).toBe(401);
  await demo.close();
  for (const url of [FININFO_URL, WEATHER_URL, POLYGON_URL, COMPANY_URL, CARRIER_URL])
    await expect(fetch(url)).rejects.toThrow();
});

test('where one port is taken, none of the servers stays', async () => {
  const taken = await serveOnLoopback(0, () => new Response());
  const free = await serveOnLoopback(0, () => new Response());
  const [weather, polygon] = [taken, free].map(({ origin }) => Number(new URL(origin).port));
  await free.close();
  const ports = { fininfo: 0, weather: weather ?? 0, polygon: polygon ?? 0, company: 0, carrier: 0 };
  await expect(startDemo({ ...options, ports })).rejects.toThrow('EADDRINUSE');
  await expect(fetch(free.origin)).rejects.toThrow();
  await taken.close();
});
