import ipaddr from 'ipaddr.js';

/** Where the servers and services of a deployment may be (`perimeter` of servers.yml): inside the enterprise, or what it has chosen outside. */
export type Perimeter = {
  /** Host names in lower case; `*.example.com` is every name below `example.com`, and not that one itself. */
  readonly hosts: readonly string[];
  /** Networks in CIDR notation: of URLs that have an address for a host, and of private addresses that names lead to. */
  readonly networks: readonly string[];
};

/** Is the host of a URL on the list? Everything is where there is no list. Does NOT resolve a name: the way out does. */
export function isInside(perimeter: Perimeter | undefined, url: URL): boolean {
  if (perimeter === undefined) return true;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (ipaddr.isValid(host)) return isInNetworks(perimeter.networks, host);
  return perimeter.hosts.some((one) => (one.startsWith('*.') ? host.endsWith(one.slice(1)) : host === one));
}

/** Is an address in one of the networks? What is no address is in none. */
export function isInNetworks(networks: readonly string[], address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  return networks.some((network) => {
    const [base, bits] = ipaddr.parseCIDR(network);
    return base.kind() === parsed.kind() && parsed.match(base, bits);
  });
}
