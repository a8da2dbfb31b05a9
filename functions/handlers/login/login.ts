import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { AppEnv } from '../app.ts';
import type { IssuerPorts } from '../issuer-ports.ts';
import { endHere } from './answer.ts';
import { authorize } from './authorize.ts';
import { callback } from './callback.ts';
import { consent } from './consent.ts';
import { askToSignOut, signOut } from './logout.ts';
import { askToSignIn, signIn } from './page-login.ts';
import { authorizePosted } from './posted-request.ts';

const MAX_FORM_BYTES = 16_384;

/** Login of users by their browsers: brokered to an identity provider, for a client after consent, or for a page of ours (contract §2). */
export function createLogin(ports: IssuerPorts): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const limit = bodyLimit({ maxSize: MAX_FORM_BYTES, onError: (c) => endHere(ports, c.env, 'too_large') });
  app.get('/oauth/authorize', (c) => authorize(ports, c.req.raw, c.env));
  app.post('/oauth/authorize', limit, (c) => authorizePosted(ports, c.req.raw, c.env));
  app.post('/oauth/consent', limit, (c) => consent(ports, c.req.raw, c.env));
  app.get('/oauth/callback/:idp', (c) => callback(ports, c.req.raw, c.req.param('idp'), c.env));
  app.get('/login', (c) => askToSignIn(ports, c.req.raw, c.env));
  app.post('/login', limit, (c) => signIn(ports, c.req.raw, c.env));
  app.get('/logout', (c) => askToSignOut(ports, c.req.raw, c.env));
  app.post('/logout', limit, (c) => signOut(ports, c.req.raw, c.env));
  return app;
}
