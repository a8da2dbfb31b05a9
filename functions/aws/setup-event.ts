/** Asks the issuer what is missing before it can serve. Only who may `lambda:InvokeFunction` can send it, and API Gateway never does. */
export type SetupEvent = { readonly check: 'setup' };

/** Is it that question? */
export function isSetupEvent(event: object): event is SetupEvent {
  return 'check' in event && event.check === 'setup' && !('httpMethod' in event);
}
