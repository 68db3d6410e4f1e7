// The schema language of the real Prisma as a server for psl_compare.py.
//
//     node psl_oracle.mjs HOME GENERATION
//
// HOME holds the node_modules. Each line on standard input is {"files": [[path, text], ...]} as
// JSON; the answer is a line with the validator's message as JSON, or null when the schema is valid.
// With "format": true it is the formatted files instead.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import readline from 'node:readline';

const [home, generation] = process.argv.slice(2);
const name = generation === '6' ? 'prisma-schema-wasm-6' : '@prisma/prisma-schema-wasm';
const language = createRequire(join(home, 'package.json'))(name);

function validate(files) {
  try {
    language.validate(JSON.stringify({ prismaSchema: files, noColor: true }));
    return null;
  } catch (error) {
    try {
      return JSON.parse(error.message).message;
    } catch {
      return 'the engine failed';
    }
  }
}

function format(files) {
  const options = {
    textDocument: { uri: 'file:/schema.prisma' },
    options: { tabSize: 2, insertSpaces: true },
  };
  return JSON.parse(language.format(JSON.stringify(files), JSON.stringify(options)));
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const answer = request.format ? format(request.files) : validate(request.files);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
