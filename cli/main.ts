import { dispatch } from './dispatch.ts';
import { createTerminal } from './terminal.ts';

const code = await dispatch(process.argv.slice(2), createTerminal());
// Pipes are written asynchronously: the empty write calls back when everything before it is out.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
