import { COMMON_OPTIONS, type Verb } from './verb.ts';

const EXIT_CODES = [
  '0    done',
  '1    refused or failed',
  '2    the command line is wrong; nothing was done',
  '3    the gateway cannot be reached',
  '130  interrupted (SIGINT)',
  '143  terminated (SIGTERM)',
];

/** The help of the whole command. */
export function commandHelp(verbs: readonly Verb[]): string {
  return [
    'sallyport: the front gate for AI agents, and its local cloud',
    '',
    'Usage: sallyport VERB [options]',
    '',
    'Verbs:',
    ...columns(verbs.map(({ name, summary }) => [name, summary])),
    '',
    'Options:',
    ...columns([
      ['--help', 'print this help, or that of a verb'],
      ['--version', 'print the version'],
    ]),
    '',
    'Exit codes:',
    ...EXIT_CODES.map((line) => `  ${line}`),
  ].join('\n');
}

/** The help of one verb. */
export function verbHelp(verb: Verb): string {
  const options = [...verb.options, ...COMMON_OPTIONS];
  return [
    `sallyport ${verb.name}: ${verb.summary}`,
    '',
    `Usage: sallyport ${verb.name} ${verb.usage}`,
    '',
    'Options:',
    ...columns(
      options.map(({ name, value, help }) => [`--${name}${value === undefined ? '' : ` ${value}`}`, help]),
    ),
    '',
    'Examples:',
    ...verb.examples.flatMap(([what, command]) => [`  # ${what}`, `  ${command}`]),
    '',
    ...(verb.notes === undefined ? [] : [...verb.notes, '']),
    'Exit codes:',
    ...EXIT_CODES.map((line) => `  ${line}`),
  ].join('\n');
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
