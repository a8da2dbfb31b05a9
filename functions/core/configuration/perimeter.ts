import ipaddr from 'ipaddr.js';
import { classifyAddress } from '../perimeter.ts';
import type { Perimeter } from '../perimeter-list.ts';
import type { YamlReader } from './yaml-reader.ts';

/** Labels of 63 characters at most, and one star before them. */
const HOST =
  /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** Reads `perimeter` of servers.yml; undefined where none is written, and then every entry is judged by its address alone. */
export function readPerimeter(section: YamlReader | undefined): Perimeter | undefined {
  if (section === undefined) return undefined;
  const { hosts, networks } = section.members('hosts', 'networks');
  if (hosts === undefined && networks === undefined) {
    section.problem('write `hosts: [...]`, `networks: [...]`, or no `perimeter`');
  }
  return {
    hosts: (hosts?.items() ?? []).flatMap((item) => readHost(item) ?? []),
    networks: (networks?.items() ?? []).flatMap((item) => readNetwork(item) ?? []),
  };
}

function readHost(item: YamlReader): string | undefined {
  const host = item.string()?.toLowerCase();
  if (host === undefined) return undefined;
  if (ipaddr.isValid(host.replace(/^\[|\]$/g, ''))) {
    return item.problem('an address belongs to `networks`, such as 10.1.2.3/32');
  }
  return HOST.test(host)
    ? host
    : item.problem('write a host name without scheme, port and path, or `*.example.com` for those below one');
}

/** A network that begins where it says, so that nobody reads another one; none of addresses that nothing is ever sent to. */
function readNetwork(item: YamlReader): string | undefined {
  const network = item.string();
  if (network === undefined) return undefined;
  if (!ipaddr.isValidCIDR(network))
    return item.problem('write a network such as 10.20.0.0/16 or fd12:3456::/32');
  const [base, bits] = ipaddr.parseCIDR(network);
  const first = firstAddress(base.kind(), network);
  if (`${first}/${bits}` !== network.toLowerCase()) {
    return item.problem(`this network is written ${first}/${bits}`);
  }
  if (classifyAddress(base.toString()) === 'forbidden') {
    return item.problem('nothing is ever sent to addresses of this network');
  }
  return network.toLowerCase();
}

function firstAddress(kind: 'ipv4' | 'ipv6', network: string): string {
  const { IPv4, IPv6 } = ipaddr;
  const first = kind === 'ipv4' ? IPv4.networkAddressFromCIDR(network) : IPv6.networkAddressFromCIDR(network);
  return first.toString();
}
