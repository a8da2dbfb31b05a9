/** The header that our distribution proves itself with. */
export const EDGE_HEADER = 'x-sallyport-edge';

/**
 * The address of the viewer before our distribution, of a request that is known to have come through it; undefined where the header does
 * not tell it. CloudFront puts the viewer's address at the end of `X-Forwarded-For`, and API Gateway puts CloudFront's, which is
 * `sourceIp`, behind that: what stands further to the left is anybody's word.
 */
export function viewerAddress(forwardedFor: string | null, sourceIp: string): string | undefined {
  const addresses = (forwardedFor ?? '').split(',').map((address) => address.trim());
  const viewer = addresses.at(-2);
  return addresses.at(-1) === sourceIp && viewer !== undefined && viewer !== '' ? viewer : undefined;
}
