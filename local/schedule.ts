import { type Json, parseJson, toArray, toObject, toText } from './json.ts';
import type { Lambda } from './lambda.ts';
import type { Template } from './template.ts';

const MINUTE_MS = 60_000;
const UNIT_MINUTES: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 1_440 };

/** A rule of the template that invokes a function again and again. */
type Scheduled = { readonly functionId: string; readonly event: Json; readonly everyMs: number };

/**
 * Runs the schedules of a template as EventBridge does: each rule for the first time when its rate has passed once, and whatever the
 * last run is doing. What a function answers is looked at by nobody.
 * @throws Error where a rule is none that invokes a function of the template at a rate
 */
export function startSchedules(
  template: Template,
  lambda: Pick<Lambda, 'invoke'>,
): { readonly close: () => Promise<void> } {
  const timers = findSchedules(template).map(({ functionId, event, everyMs }) =>
    setInterval(() => void lambda.invoke(functionId, event), everyMs).unref(),
  );
  return {
    async close() {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

function findSchedules(template: Template): readonly Scheduled[] {
  return template.ofType('AWS::Events::Rule').flatMap(({ logicalId, properties }) => {
    if (template.text(properties['State']) === 'DISABLED') return [];
    const everyMs = readRate(template.text(properties['ScheduleExpression']));
    if (everyMs === undefined) throw new Error(`the schedule of rule \`${logicalId}\` is not understood`);
    return toArray(template.resolve(properties['Targets'] ?? null)).map((value) => {
      const target = toObject(value);
      const functionId = template.logicalIdOf('AWS::Lambda::Function', toText(target['Arn']) ?? '');
      const input = toText(target['Input']);
      if (functionId === undefined || input === undefined) {
        throw new Error(`a target of rule \`${logicalId}\` is no function with an input`);
      }
      return { functionId, event: parseJson(input), everyMs };
    });
  });
}

/** `rate(5 minutes)` in milliseconds; undefined for anything else. */
function readRate(expression: string | undefined): number | undefined {
  const [, count, unit = ''] = /^rate\((\d{1,6}) (minute|hour|day)s?\)$/.exec(expression ?? '') ?? [];
  const minutes = UNIT_MINUTES[unit];
  return count === undefined || minutes === undefined ? undefined : Number(count) * minutes * MINUTE_MS;
}
