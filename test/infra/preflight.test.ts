import { describe, expect, test } from 'vitest';
import { apiMethods, synthesize } from './synthesized.ts';

const ORIGIN = 'https://app.example.com';
const closed = apiMethods(synthesize());
const open = apiMethods(synthesize({ allowedOrigins: ORIGIN }));
const several = apiMethods(synthesize({ allowedOrigins: `${ORIGIN}, https://b.example.com` }));

function preflights(methods: typeof closed) {
  return methods.filter(({ route }) => route.startsWith('OPTIONS '));
}

function headersOf({ properties }: (typeof closed)[number]): Record<string, string> {
  return properties.Integration.IntegrationResponses[0].ResponseParameters;
}

describe('OPTIONS', () => {
  test('is answered on every path that has a route', () => {
    const paths = closed
      .filter(({ route }) => !route.startsWith('OPTIONS '))
      .map(({ route }) => route.split(' ')[1]);
    expect(
      preflights(closed)
        .map(({ route }) => route.split(' ')[1])
        .sort(),
    ).toEqual([...new Set(paths)].sort());
  });

  test.for(preflights(closed))('$route needs no token, reaches no function and is 204', ({ properties }) => {
    expect(properties.AuthorizationType).toBe('NONE');
    expect(properties.Integration).toMatchObject({
      Type: 'MOCK',
      ContentHandling: 'CONVERT_TO_TEXT',
      IntegrationResponses: [
        {
          StatusCode: '204',
          ResponseParameters: { 'method.response.header.X-Request-Id': 'context.requestId' },
        },
      ],
    });
    expect(properties.MethodResponses).toMatchObject([{ StatusCode: '204' }]);
  });

  test('every header that it sends is declared on the method', () => {
    for (const method of preflights(open)) {
      expect(Object.keys(method.properties.MethodResponses[0].ResponseParameters).sort()).toEqual(
        Object.keys(headersOf(method)).sort(),
      );
    }
  });

  test('allows no origin unless one is listed', () => {
    const names = preflights(closed).flatMap((method) => Object.keys(headersOf(method)));
    expect(names.filter((name) => /access-control/i.test(name))).toEqual([]);
  });

  test('allows the one listed origin, with the headers that carry tokens and without credentials', () => {
    for (const method of preflights(open)) {
      const headers = headersOf(method);
      expect(headers['method.response.header.Access-Control-Allow-Origin']).toBe(`'${ORIGIN}'`);
      expect(headers['method.response.header.Access-Control-Allow-Headers']).toMatch(
        /Authorization.*X-Authorization/,
      );
      expect(headers).not.toHaveProperty('method.response.header.Access-Control-Allow-Credentials');
    }
  });

  test('leaves several origins to CloudFront', () => {
    const names = preflights(several).flatMap((method) => Object.keys(headersOf(method)));
    expect(names.filter((name) => /access-control/i.test(name))).toEqual([]);
  });
});
