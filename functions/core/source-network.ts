import ipaddr from 'ipaddr.js';

/**
 * Whose address this is, for counting: IPv4 as it stands, also within IPv6, and of IPv6 the /64, which is what one household or one machine
 * is given. What is no address stands for itself.
 */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  return `${parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}
