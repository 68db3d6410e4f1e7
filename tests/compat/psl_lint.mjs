// The schema language of the real Prisma as a server for psl_compare.py.
//
//     node psl_lint.mjs HOME GENERATION
//
// HOME holds the node_modules. Each line on standard input is [[path, text], ...] as JSON; the answer
// is a line with the engine's diagnostics, or null when the engine failed.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import readline from 'node:readline';

const [home, generation] = process.argv.slice(2);
const name = generation === '6' ? 'prisma-schema-wasm-6' : '@prisma/prisma-schema-wasm';
const language = createRequire(join(home, 'oracle.mjs'))(name);

for await (const line of readline.createInterface({ input: process.stdin })) {
  let answer = 'null';
  try {
    answer = language.lint(line);
  } catch { /* a panic of the engine */ }
  process.stdout.write(`${answer}\n`);
}
