import type { Hono } from 'hono';
import { permittedItems } from '../../functions/core/spi.ts';
import {
  authorize,
  createModule,
  type ModuleEnv,
  type ModulePorts,
} from '../../functions/handlers/module.ts';

/** A note, with who may see it. */
export type Note = {
  readonly id: string;
  readonly orgId: string;
  readonly visibility: string;
  readonly text: string;
};

/** Notes in memory. Every key begins with the organisation. */
export class NoteStore {
  readonly #notes = new Map<string, Note>();
  writes = 0;

  find(orgId: string, id: string): Note | undefined {
    return this.#notes.get(JSON.stringify([orgId, id]));
  }

  list(orgId: string): readonly Note[] {
    return [...this.#notes.values()].filter((note) => note.orgId === orgId);
  }

  put(note: Note): void {
    this.writes += 1;
    this.#notes.set(JSON.stringify([note.orgId, note.id]), note);
  }
}

/** An example of a module: notes that are read and written. docs/modules.md walks through it. */
export function createNotes(ports: ModulePorts & { readonly notes: NoteStore }): Hono<ModuleEnv> {
  const app = createModule(ports);

  app.get('/notes', (c) => {
    const { caller } = c.get('admission');
    const notes = permittedItems(caller, 'resources.read', ports.notes.list(caller.orgId));
    return c.json({ notes: notes.map(({ id, text }) => ({ id, text })) });
  });

  app.get('/notes/:id', async (c) => {
    const { caller } = c.get('admission');
    const id = c.req.param('id');
    const operation = { permission: 'resources.read', area: 'access', method: 'read', name: id } as const;
    const note = await authorize(ports, c, operation, ports.notes.find(caller.orgId, id));
    return note.ok ? c.json({ id, text: note.value.text }) : note.error;
  });

  app.put('/notes/:id', async (c) => {
    const { caller } = c.get('admission');
    const id = c.req.param('id');
    const operation = { permission: 'resources.update', area: 'access', method: 'update', name: id } as const;
    const note = await authorize(ports, c, operation, ports.notes.find(caller.orgId, id));
    if (!note.ok) return note.error;
    ports.notes.put({ ...note.value, text: await c.req.text() });
    return c.body(null, 204);
  });
  return app;
}
