import { randomInt } from 'node:crypto';
import { AwsError } from '../endpoint/aws-call.ts';
import { type JsonObject, toText } from '../json.ts';

const TYPES = [
  { excludedBy: 'ExcludeLowercase', characters: 'abcdefghijklmnopqrstuvwxyz' },
  { excludedBy: 'ExcludeUppercase', characters: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' },
  { excludedBy: 'ExcludeNumbers', characters: '0123456789' },
  { excludedBy: 'ExcludePunctuation', characters: '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~' },
];

/** A random password by the parameters of GetRandomPassword, which `GenerateSecretString` shares; 32 characters by default. */
export function createPassword(parameters: JsonObject): string {
  const length = Number(parameters['PasswordLength'] ?? 32);
  const excluded = toText(parameters['ExcludeCharacters']) ?? '';
  const types = TYPES.filter(({ excludedBy }) => parameters[excludedBy] !== true)
    .map(({ characters }) => [...characters].filter((one) => !excluded.includes(one)))
    .filter((characters) => characters.length > 0);
  if (parameters['IncludeSpace'] === true) types.push([' ']);
  const every = types.flat();
  const required = parameters['RequireEachIncludedType'] === false ? [] : types;
  if (
    !Number.isInteger(length) ||
    length < 1 ||
    length > 4096 ||
    every.length === 0 ||
    required.length > length
  ) {
    throw new AwsError('InvalidParameterException', 'no password can be made with these parameters');
  }
  const password = [
    ...required.map(pick),
    ...Array.from({ length: length - required.length }, () => pick(every)),
  ];
  for (let index = password.length - 1; index > 0; index -= 1) {
    const other = randomInt(index + 1);
    [password[index], password[other]] = [password[other] ?? '', password[index] ?? ''];
  }
  return password.join('');
}

function pick(characters: readonly string[]): string {
  return characters[randomInt(characters.length)] ?? '';
}
