import { AwsV4Signer } from 'aws4fetch';

/** One POST to a service of AWS. `endpoint` stands in for the regional one where the environment names another. */
export type SignedPost = {
  readonly service: 'dynamodb' | 'sts';
  readonly endpoint: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
};

/**
 * Posts with SigV4 over `fetch`, without an SDK client. Credentials and region are read from the environment at each call, as Lambda
 * rotates them there. Follows no redirect.
 *
 * @throws what `fetch` throws; `TimeoutError` where the answer does not come in time
 */
export async function postSigned(
  environment: NodeJS.ProcessEnv,
  { service, endpoint, headers, body, timeoutMs }: SignedPost,
): Promise<Response> {
  const region = environment['AWS_REGION'] ?? '';
  const signed = await new AwsV4Signer({
    method: 'POST',
    url: endpoint ?? `https://${service}.${region}.amazonaws.com/`,
    headers,
    body,
    accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
    ...(environment['AWS_SESSION_TOKEN'] ? { sessionToken: environment['AWS_SESSION_TOKEN'] } : {}),
    service,
    region,
  }).sign();
  return fetch(signed.url, {
    method: 'POST',
    headers: signed.headers,
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
}
