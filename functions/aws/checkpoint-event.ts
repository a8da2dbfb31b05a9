/** What the schedule sends to the issuer. Only who may `lambda:InvokeFunction` can send it, and API Gateway never does. */
export type CheckpointEvent = { readonly checkpoint: 'scheduled' };

/** Is it the schedule? */
export function isCheckpointEvent(event: object): event is CheckpointEvent {
  return 'checkpoint' in event && event.checkpoint === 'scheduled' && !('httpMethod' in event);
}
