/** The functions by the names that `vpcFunctions` has for them. */
export const PLACED = ['gateway', 'issuer', 'control', 'contextStore', 'authorizer'] as const;

/** One of the five functions. */
export type PlacedFunction = (typeof PLACED)[number];

/** A VPC of the deployer's that functions call out from. */
export type NetworkSettings = {
  readonly vpcId: string;
  /** Private ones, in two availability zones or more. */
  readonly subnetIds: readonly string[];
  /** Empty: the stack makes a group that lets nothing in and HTTPS out. */
  readonly securityGroupIds: readonly string[];
  readonly functions: readonly PlacedFunction[];
  /** Route tables of the subnets, where the stack makes the VPC endpoints; undefined: the VPC has what is needed. */
  readonly endpointRouteTableIds: readonly string[] | undefined;
};

type Read = (key: string) => string | undefined;

/**
 * Reads `vpcId`, `subnetIds`, `securityGroupIds`, `vpcFunctions`, `vpcEndpointRouteTables`; lists are separated by commas. Undefined
 * without `vpcId`: no function is in a VPC.
 * @throws Error naming the first setting that cannot be deployed
 */
export function readNetwork(read: Read): NetworkSettings | undefined {
  const vpcId = read('vpcId');
  const others = ['subnetIds', 'securityGroupIds', 'vpcFunctions', 'vpcEndpointRouteTables'];
  if (vpcId === undefined) {
    const stray = others.find((key) => read(key) !== undefined);
    if (stray !== undefined) throw new Error(`context \`${stray}\` needs \`vpcId\``);
    return undefined;
  }
  if (!/^vpc-(?:[0-9a-f]{8}|[0-9a-f]{17})$/.test(vpcId))
    throw new Error(`context \`vpcId\`: \`${vpcId}\` is not the id of a VPC`);
  const subnetIds = readIds(read, 'subnetIds', 'subnet');
  if (subnetIds.length === 0) throw new Error('context `vpcId` needs `subnetIds`');
  const routeTableIds = readIds(read, 'vpcEndpointRouteTables', 'rtb');
  return {
    vpcId,
    subnetIds,
    securityGroupIds: readIds(read, 'securityGroupIds', 'sg'),
    functions: readFunctions(read),
    endpointRouteTableIds: routeTableIds.length === 0 ? undefined : routeTableIds,
  };
}

function readFunctions(read: Read): readonly PlacedFunction[] {
  const names = itemsOf(read('vpcFunctions') ?? 'gateway');
  return names.map((name) => {
    const known = PLACED.find((one) => one === name);
    if (known === undefined) {
      throw new Error(`context \`vpcFunctions\`: \`${name}\` is none of ${PLACED.join(', ')}`);
    }
    return known;
  });
}

function readIds(read: Read, key: string, prefix: string): readonly string[] {
  const ids = itemsOf(read(key) ?? '');
  const stray = ids.find((id) => !new RegExp(`^${prefix}-(?:[0-9a-f]{8}|[0-9a-f]{17})$`).test(id));
  if (stray !== undefined)
    throw new Error(`context \`${key}\`: \`${stray}\` is no id such as ${prefix}-0a1b2c3d`);
  return [...new Set(ids)];
}

function itemsOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
