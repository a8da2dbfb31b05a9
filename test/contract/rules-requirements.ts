/** One thing that is asked of the rules of `scopes.yml`, and the tests that fail when it does not hold: file, and a part of the title. */
export type RuleRequirement = {
  /** What it is about. */
  readonly clause:
    | 'source'
    | 'deny'
    | 'names'
    | 'arguments'
    | 'time'
    | 'defaults'
    | 'limits'
    | 'laws'
    | 'compile';
  readonly says: string;
  readonly tests: readonly (readonly [file: string, title: string])[];
};

/** What is asked of who may do what (docs/scopes.md). */
// biome-ignore format: one row per test
export const RULE_REQUIREMENTS: readonly RuleRequirement[] = [
  { clause: 'source', says: 'None of the eight differences of the source system is one here (E1–E8)', tests: [
    ['core/decide.test.ts', 'E1: a tool in the list is not enough'],
    ['core/decide.test.ts', 'E2: a tool that is named like a method grants no method'],
    ['core/decide.test.ts', 'E3: a wildcard of tools grants no method'],
    ['core/decide.test.ts', 'E4: a call without a tool’s name is refused under any wildcard'],
    ['core/decide.test.ts', 'E5: an empty configuration refuses everything'],
    ['core/decide.test.ts', 'E6: a request without a method is refused under any wildcard'],
    ['core/configuration/compile.test.ts', 'a /read scope that grants %s'],
    ['core/decide.test.ts', 'E8: a scope that the policy does not know is skipped'],
  ] },
  { clause: 'source', says: 'Its file loads as it is and decides as it says, and so does its newer form', tests: [
    ['core/configuration/compile.test.ts', 'gives the client of each group exactly the tools that the file grants'],
    ['core/configuration/scope-documents.test.ts', 'is a scope, its groups, its permissions and its words'],
  ] },
  { clause: 'deny', says: 'A deny wins, in whatever order and scope', tests: [
    ['core/decide-rules.test.ts', 'a deny wins over every grant'],
    ['core/laws.test.ts', 'the order of rules, scopes and groups changes nothing'],
  ] },
  { clause: 'deny', says: 'A deny holds for whoever is entitled to its scope: no narrower token escapes it', tests: [
    ['core/decide-rules.test.ts', 'an agent whose token leaves the scope out'],
    ['core/decide-rules.test.ts', 'an agent by way of another one that may call'],
    ['core/decide-rules.test.ts', 'a user by the groups of the login, whether or not the client may carry the scope'],
    ['core/decide-rules.test.ts', 'a run by the registration of who opened it'],
    ['core/idp-token.test.ts', 'groups_left_out'],
  ] },
  { clause: 'deny', says: 'Denies that forbid every method together leave no stream', tests: [
    ['core/decide-rules.test.ts', 'of every method by several together leaves no stream: %s'],
    ['core/decide-rules.test.ts', 'of several that leave something leave a stream: %s'],
    ['core/decide-rules.test.ts', 'of every method of the protocol leaves a stream where a grant names another one'],
  ] },
  { clause: 'deny', says: 'A deny ends what is open, and nobody is told of it', tests: [
    ['handlers/withdrawal.test.ts', 'its server is denied'],
    ['handlers/gateway-rules.test.ts', 'that are denied are so without a word of the deny'],
    ['core/mcp-denial.test.ts', 'and never where it is a deny'],
  ] },
  { clause: 'names', says: 'Prompts by name, resources by patterns in which no name reaches beyond its place', tests: [
    ['core/decide-rules.test.ts', '%s, %s of %s: %s'],
    ['core/rules/resource-pattern.test.ts', 'covers nothing that has two readings'],
    ['core/rules/resource-pattern.test.ts', 'a name that could reach beyond its place opens nothing'],
    ['core/rules/resource-pattern.test.ts', 'forbids every spelling of what it names'],
  ] },
  { clause: 'names', says: 'What is listed is what may be had, and news on a stream are of what may be read', tests: [
    ['core/laws.test.ts', 'what %s shows is what may be had'],
    ['handlers/gateway-rules.test.ts', 'on the stream of %s there is no news of a resource that the caller may not read (%j, %s)'],
    ['handlers/gateway-rules.test.ts', 'a call is answered where news that the caller may not read come in one event with the answer (%s)'],
    ['handlers/gateway-rules.test.ts', 'a call is answered with an error where an event may hold such news and cannot be read'],
    ['handlers/gateway-rules.test.ts', 'an answer in JSON that is none to the call is told as an error, and not as it is: %s'],
    ['core/rules/reach.test.ts', 'less what is denied'],
  ] },
  { clause: 'arguments', says: 'The arguments that are sent are those that were decided on, at both doors of the context store too', tests: [
    ['handlers/gateway-rules.test.ts', 'are those that were decided on'],
    ['handlers/context-rules.test.ts', 'are no way around a constraint'],
    ['core/laws.test.ts', 'arguments that nobody can read are allowed where any are'],
  ] },
  { clause: 'arguments', says: 'Numbers are compared as they are written, and a pattern costs no more than one pass', tests: [
    ['core/rules/exact-number.test.ts', 'numbers are compared as what they say'],
    ['core/rules/text-pattern.test.ts', 'what JavaScript’s own engine says that it matches'],
    ['core/rules/text-pattern.test.ts', 'grows with the text and no faster'],
  ] },
  { clause: 'arguments', says: 'The caller is told which argument fails which constraint, never a value', tests: [
    ['handlers/gateway-rules.test.ts', 'are told apart for the model by the argument and the constraint, and never repeated'],
    ['core/rules/argument-schema.test.ts', 'of a value nothing is ever said'],
  ] },
  { clause: 'time', says: 'A rule holds in its window, by the wall clock of its zone, and what is open ends with it', tests: [
    ['core/rules/time-window.test.ts', '22:00-06:00 of a Friday, at %s: %s'],
    ['core/rules/time-window.test.ts', 'an hour that is skipped is in no window, one that comes twice is in it twice'],
    ['handlers/withdrawal.test.ts', 'its hours are over'],
  ] },
  { clause: 'defaults', says: 'Defaults hold for every caller of their organisation and for no other', tests: [
    ['core/decide-rules.test.ts', 'grant whoever has a token, with the line of the rule'],
    ['core/decide-rules.test.ts', 'of one organisation are nothing to another, and give it no access'],
    ['core/laws.test.ts', 'what holds for another organisation changes nothing'],
  ] },
  { clause: 'limits', says: 'A limit counts what was decided on, for each organisation apart', tests: [
    ['core/rules/limit.test.ts', 'who is entitled to its scope, whatever the token carries'],
    ['core/rules/limit.test.ts', 'by %s: %j of %j: %s'],
    ['handlers/limits.test.ts', 'what is refused uses up nothing'],
    ['handlers/limits.test.ts', 'that others share are not asked where a caller has used up %s'],
    ['core/configuration/servers.test.ts', 'stand with it, and are limits like those of scopes.yml'],
    ['handlers/limits.test.ts', 'count on limits that are on everything too, with what the caller asks of servers itself'],
  ] },
  { clause: 'laws', says: 'Taking a grant away, adding a deny and narrowing a token never allow more', tests: [
    ['core/laws.test.ts', 'taking a grant away allows nothing more'],
    ['core/laws.test.ts', 'adding a deny allows nothing more, in a scope or a default'],
    ['core/laws.test.ts', 'a token with fewer scopes may do nothing more'],
    ['core/laws.test.ts', 'a wildcard of one kind grants nothing of another'],
  ] },
  { clause: 'compile', says: 'Whatever is unknown, unbounded or contradictory refuses the change, with its line', tests: [
    ['core/configuration/rules.test.ts', 'what is wrong with a rule is found, with its line:'],
    ['core/configuration/compile.test.ts', 'aliases that multiply are refused, not read'],
  ] },
  { clause: 'compile', says: 'Functions that do not know a rule refuse the policy that has it', tests: [
    ['contract/policy-store.test.ts', 'in format %s decides, or is refused by functions that do not know it'],
    ['core/configuration/rules.test.ts', 'of a rule with %s is %s'],
  ] },
  { clause: 'compile', says: 'What is hardly meant is warned of', tests: [
    ['core/configuration/scope-lint.test.ts', 'a rule that never decides'],
    ['core/configuration/scope-lint.test.ts', 'a scope that nobody has'],
    ['core/configuration/scope-lint.test.ts', 'a deny of what nothing grants'],
  ] },
];
