// `db pull` of the real Prisma as a server for pull_compare.py.
//
//     node pull_oracle.mjs HOME        (ORACLE_PRISMA=6 in the environment: Prisma 6)
//
// HOME holds what tools/setup-npm installs. Each line on standard input is a request as JSON, each
// answer a line:
//   {"url": URL, "files": [[PATH, TEXT], ...], "force": false, "schemas": null or [NAME, ...]}
//     -> {"files": [[PATH, TEXT], ...], "warnings": TEXT or null, "valid": true}, or {"error": TEXT}
//   {"validate": [[PATH, TEXT], ...]}
//     -> {"ok": true}, or {"ok": false, "message": TEXT}
//   {"url": URL, "diff": [[PATH, TEXT], ...]}
//     -> {"script": SQL}: what Prisma would do to the database

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import readline from 'node:readline';

const [home] = process.argv.slice(2);
const prisma = await import(pathToFileURL(join(home, 'lib', 'engine.mjs')));
const container = (files) => ({ files: files.map(([path, content]) => ({ path, content })) });

async function pull({ url, files, force, schemas }) {
  const result = await prisma.withEngine({ url, schema: files }, (engine) => engine.introspect({
    schema: container(files), baseDirectoryPath: '/', force: Boolean(force),
    compositeTypeDepth: -1, namespaces: schemas ?? null,
  }));
  const made = result.schema.files.map(({ path, content }) => [path, content]);
  return { files: made, warnings: result.warnings, valid: prisma.validate(made).ok };
}

async function diff({ url, diff: files }) {
  const result = await prisma.withEngine({ url, schema: files }, (engine) => engine.diff({
    from: { tag: 'schemaDatasource', configDir: '.', ...container(files) },
    to: { tag: 'schemaDatamodel', ...container(files) },
    script: true, exitCode: null, filters: { externalTables: [], externalEnums: [] },
    ...(prisma.GENERATION === 6 ? { shadowDatabaseUrl: null } : {}),
  }));
  return { script: result.stdout };
}

async function answer(request) {
  if (request.validate) return prisma.validate(request.validate);
  return request.diff ? diff(request) : pull(request);
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
