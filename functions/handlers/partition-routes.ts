import type { Hono } from 'hono';
import { isReservedPartition, parsePartition, toWirePartition } from '../core/documents/partition.ts';
import type { AppEnv } from './app.ts';
import {
  type DocumentContext,
  type DocumentPorts,
  failWith,
  PRIVATE,
  withoutParameters,
} from './document-route.ts';
import { readJsonBody } from './document-upload.ts';

const PARTITIONS = '/context/partitions';

/** The partitions of the caller's org, for administrators of the context store (formats §1.0.6). */
export function addPartitionRoutes(app: Hono<AppEnv>, ports: DocumentPorts): void {
  const resolve = async (context: DocumentContext, operation: string) =>
    withoutParameters(context, await ports.resolveAdministrator(context.req.raw, context.env, operation));

  app.get(PARTITIONS, async (context) => {
    const orgId = await resolve(context, 'partitions/list');
    if (!orgId.ok) return orgId.error;
    const found = await ports.documents.listPartitions(orgId.value);
    if (!found.ok) return failWith(ports, context, found.error);
    return context.json({ partitions: found.value.map(toWirePartition) }, 200, PRIVATE);
  });

  app.post(PARTITIONS, async (context) => {
    const orgId = await resolve(context, 'partitions/create');
    if (!orgId.ok) return orgId.error;
    const body = await readJsonBody(context.req.raw);
    const partition = body.ok ? parsePartition(body.value) : body;
    if (!partition.ok) return failWith(ports, context, partition.error);
    const made = await ports.documents.createPartition(orgId.value, partition.value);
    if (!made.ok) return failWith(ports, context, made.error);
    return context.json(toWirePartition(made.value), 201, PRIVATE);
  });

  app.delete(`${PARTITIONS}/:name`, async (context) => {
    const orgId = await resolve(context, 'partitions/delete');
    if (!orgId.ok) return orgId.error;
    const name = context.req.param('name');
    if (isReservedPartition(name)) return failWith(ports, context, { reason: 'partition_reserved' });
    const gone = await ports.documents.deletePartition(orgId.value, name);
    if (!gone.ok) return failWith(ports, context, gone.error);
    if (gone.value.isComplete) {
      return context.json(
        { success: true, message: `deleted partition ${name} and its documents` },
        200,
        PRIVATE,
      );
    }
    const message = 'deleted some of the documents; repeat the request for the others';
    return context.json({ success: false, message }, 202, PRIVATE);
  });
}
