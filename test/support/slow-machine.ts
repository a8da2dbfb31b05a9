import type { Dynamo } from '../../functions/aws/dynamodb.ts';
import type { Upstream } from '../../functions/core/ports.ts';

const ATTEMPTS = 20;
const MINUTE_MS = 60_000;

/** A client of a table that is not given up, however busy the machine is: what does not answer in time is asked again. */
export function patient(dynamo: Dynamo): Dynamo {
  return {
    async call(operation, input) {
      let answer = await dynamo.call(operation, input);
      for (let attempt = 1; attempt < ATTEMPTS && isLate(answer); attempt += 1) {
        answer = await dynamo.call(operation, input);
      }
      return answer;
    },
  };
}

/** A way out that waits for a minute where it would for seconds. */
export function unhurried({ send }: Upstream): Upstream {
  const timeout = { connectMs: MINUTE_MS, firstByteMs: MINUTE_MS, silenceMs: MINUTE_MS, callMs: MINUTE_MS };
  return { send: (request) => send({ ...request, timeout }) };
}

function isLate(answer: Awaited<ReturnType<Dynamo['call']>>): boolean {
  return !answer.ok && answer.error.reason === 'unavailable';
}
