// `db pull` of the real Prisma as a server for pull_compare.py.
//
//     node pull_oracle.mjs HOME        (ORACLE_PRISMA=6 in the environment: Prisma 6)
//
// HOME holds what tools/setup-npm installs. Each line on standard input is
// {"url": URL, "files": [[PATH, TEXT], ...], "force": false, "schemas": null or [NAME, ...]} as
// JSON; the answer is a line with {"files": [[PATH, TEXT], ...], "warnings": TEXT or null, "valid":
// true}, or {"error": TEXT}.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import readline from 'node:readline';

const [home] = process.argv.slice(2);
const prisma = await import(pathToFileURL(join(home, 'lib', 'engine.mjs')));

async function answer({ url, files, force, schemas }) {
  const result = await prisma.withEngine({ url, schema: files }, (engine) => engine.introspect({
    schema: { files: files.map(([path, content]) => ({ path, content })) },
    baseDirectoryPath: '/', force: Boolean(force), compositeTypeDepth: -1,
    namespaces: schemas ?? null,
  }));
  const made = result.schema.files.map(({ path, content }) => [path, content]);
  return { files: made, warnings: result.warnings, valid: prisma.validate(made).ok };
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
