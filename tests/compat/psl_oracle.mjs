// The schema validator of the real Prisma as a server for psl_compare.py.
//
//     node psl_oracle.mjs HOME GENERATION
//
// HOME holds the node_modules. Each line on standard input is [[path, text], ...] as JSON; the
// answer is a line with the engine's message as JSON, or null when the schema is valid.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import readline from 'node:readline';

const [home, generation] = process.argv.slice(2);
const name = generation === '6' ? 'prisma-schema-wasm-6' : '@prisma/prisma-schema-wasm';
const language = createRequire(join(home, 'package.json'))(name);

function messageOf(error) {
  try {
    return JSON.parse(error.message).message;
  } catch {
    return 'the engine failed';
  }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  let answer = null;
  try {
    language.validate(JSON.stringify({ prismaSchema: JSON.parse(line), noColor: true }));
  } catch (error) {
    answer = messageOf(error);
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
