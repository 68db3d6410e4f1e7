// The differ of the real Prisma as a server for diff_compare.py.
//
//     node diff_oracle.mjs HOME        (ORACLE_PRISMA=6 in the environment: Prisma 6)
//
// HOME holds what tools/setup-npm installs. Each line on standard input is
// {"from": TEXT or null, "to": TEXT or null, "script": true} as JSON; the answer is a line with the
// engine's text as JSON, or {"error": TEXT}.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import readline from 'node:readline';

const [home] = process.argv.slice(2);
const prisma = await import(pathToFileURL(join(home, 'lib', 'engine.mjs')));

const sideOf = (text) => (text === null
  ? { tag: 'empty' }
  : { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content: text }] });

async function answer({ from, to, script }) {
  const params = {
    from: sideOf(from), to: sideOf(to), script, exitCode: null,
    filters: { externalTables: [], externalEnums: [] },
    ...(prisma.GENERATION === 6 ? { shadowDatabaseUrl: null } : {}),
  };
  const schema = [['schema.prisma', to ?? from]];
  return (await prisma.withEngine({ schema }, (engine) => engine.diff(params))).stdout;
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  let out;
  try {
    out = await answer(JSON.parse(line));
  } catch (error) {
    out = { error: prisma.plainError(error).message };
  }
  process.stdout.write(`${JSON.stringify(out)}\n`);
}
