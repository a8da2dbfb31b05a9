declare module 'dynalite' {
  import type { Server } from 'node:http';

  /** Creates a DynamoDB server; `path` is where it keeps its data, in memory without one. */
  function dynalite(options?: {
    path?: string;
    createTableMs?: number;
    deleteTableMs?: number;
    updateTableMs?: number;
  }): Server;
  export = dynalite;
}
