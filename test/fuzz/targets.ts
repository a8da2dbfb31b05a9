import type { Target } from './target.ts';
import { accessToken } from './targets/access-token.ts';
import { address } from './targets/address.ts';
import { eventStream } from './targets/event-stream.ts';
import { gateway } from './targets/gateway.ts';
import { headerBody } from './targets/header-body.ts';
import { ingressToken } from './targets/ingress-token.ts';
import { requestPath } from './targets/request-path.ts';
import { strictJson } from './targets/strict-json.ts';

/** Everything that is fuzzed, from the bytes of a body to the address that is called. */
export const TARGETS: readonly Target[] = [
  strictJson,
  headerBody,
  gateway,
  requestPath,
  accessToken,
  ingressToken,
  eventStream,
  address,
];
