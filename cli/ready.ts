import type { LocalCloud } from '../local/cloud.ts';
import { REGION } from '../local/physical-name.ts';

/** A running session, as the ready line tells it. */
export type Ready = {
  readonly cloud: Pick<LocalCloud, 'origin' | 'controlUrl' | 'endpoints'>;
  readonly stage: string;
  readonly dataDirectory: string;
  readonly isDemo: boolean;
};

const DEFAULT_ORIGIN = 'http://127.0.0.1:8787';
const QUERY =
  '{"stock_ticker":"AAPL","multiplier":1,"timespan":"day","from_date":"2026-01-05","to_date":"2026-01-09"}';

/** The ready line of `--json`. */
export function toReadyJson({ cloud, stage, dataDirectory }: Ready) {
  return {
    ready: true,
    origin: cloud.origin,
    stage,
    control_url: cloud.controlUrl,
    data: dataDirectory,
    ...awsVariables(cloud),
  };
}

/** The same for people, with commands to paste. */
export function toReadyText(ready: Ready): string {
  const { cloud, stage, dataDirectory, isDemo } = ready;
  const lines = [
    `ready at ${cloud.origin} (stage ${stage})`,
    '',
    `  control  ${cloud.controlUrl}`,
    `  data     ${dataDirectory}`,
    '',
    ...Object.entries(awsVariables(cloud)).map(([name, value]) => `  export ${name}=${value}`),
  ];
  if (!isDemo) return lines.join('\n');
  const origin = cloud.origin === DEFAULT_ORIGIN ? '' : `SALLYPORT_ORIGIN=${cloud.origin} `;
  const client = `--client analyst --data ${dataDirectory}`;
  return [
    ...lines,
    '',
    'Try it, in another shell:',
    `  ${origin}npx sallyport mcp list fininfo ${client}`,
    `  ${origin}npx sallyport mcp call fininfo print_stock_data '${QUERY}' ${client}`,
    `  export SALLYPORT_TOKEN=$(${origin}npx sallyport token ${client})`,
  ].join('\n');
}

/** What the AWS CLI and SDKs need to find the local services; they accept any credentials. */
function awsVariables({ endpoints }: Ready['cloud']) {
  return { ...endpoints, AWS_REGION: REGION };
}
