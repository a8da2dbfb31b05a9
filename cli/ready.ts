import type { LocalCloud } from '../local/cloud.ts';
import { REGION } from '../local/physical-name.ts';

/** A running session, as the ready line tells it. */
export type Ready = {
  readonly cloud: Pick<LocalCloud, 'origin' | 'controlUrl' | 'endpoints'>;
  readonly stage: string;
  readonly dataDirectory: string;
  readonly isDemo: boolean;
  /** Variables that the configuration was applied with and that a later `sallyport apply` of it needs again. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
};

const DEFAULT_ORIGIN = 'http://127.0.0.1:8787';
const QUERY =
  '{"stock_ticker":"AAPL","multiplier":1,"timespan":"day","from_date":"2026-01-05","to_date":"2026-01-09"}';

/** The ready line of `--json`. */
export function toReadyJson(ready: Ready) {
  const { cloud, stage, dataDirectory } = ready;
  return {
    ready: true,
    origin: cloud.origin,
    stage,
    control_url: cloud.controlUrl,
    data: dataDirectory,
    ...variablesOf(ready),
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
    ...Object.entries(variablesOf(ready)).map(([name, value]) => `  export ${name}=${value}`),
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

/** What the AWS CLI and SDKs need to find the local services, which accept any credentials; then the configuration's. */
function variablesOf({ cloud, variables }: Ready) {
  const anyCredentials = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' };
  return {
    ...cloud.endpoints,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    ...anyCredentials,
    ...variables,
  };
}
