import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { ConnectionOwner } from '../../functions/core/connection.ts';
import { type ConnectionCloud, startConnectionCloud } from './connection-app.ts';
import { type ScriptedProvider, startScriptedProvider } from './scripted-provider.ts';

/** What tests of connections run in: one cloud for all of a file, and a provider for each. */
export type ConnectionWorld = {
  readonly cloud: ConnectionCloud;
  readonly provider: ScriptedProvider;
  /** Somebody whom no other test knows. */
  readonly somebody: () => ConnectionOwner;
};

/** Starts it before the tests of the file that calls it, and ends it after them. */
export function useConnectionWorld(): ConnectionWorld {
  let cloud: ConnectionCloud | undefined;
  let provider: ScriptedProvider | undefined;
  let users = 0;
  beforeAll(async () => {
    cloud = await startConnectionCloud();
  });
  afterAll(() => cloud?.close());
  beforeEach(async () => {
    provider = await startScriptedProvider();
  });
  afterEach(() => provider?.close());
  const started = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error('it is there in a test alone');
    return part;
  };
  return {
    get cloud() {
      return started(cloud);
    },
    get provider() {
      return started(provider);
    },
    somebody() {
      users += 1;
      return { orgId: 'acme', subject: `office:user-${users}` };
    },
  };
}
