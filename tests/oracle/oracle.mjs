#!/usr/bin/env node
// The real Prisma engines behind a small command line, for the compatibility tests.

import { parseArgs } from 'node:util';
import * as prisma from './lib/engine.mjs';
import { asContainer, readMigrations, readSchema } from './lib/files.mjs';

const HELP = `usage: oracle.mjs COMMAND [ARGUMENTS]

  validate SCHEMA            exit 1 and the engine's error text when invalid
  diff --from TARGET --to TARGET [--script] [--exit-code] [--url URL]
       TARGET: empty | schema:PATH | migrations:DIR | url:URL
       (--url: a database where shadow databases may be made)
  deploy MIGRATIONS URL
  status MIGRATIONS URL      the engine's diagnosis of the history, as JSON
  resolve MIGRATIONS URL (--applied NAME | --rolled-back NAME)
  version [URL]

SCHEMA is a .prisma file or a folder of them.
ORACLE_PRISMA=6 in the environment takes Prisma 6.19.3 instead of 7.10.1.
`;

const PROVIDER_ONLY = { path: 'schema.prisma', content: 'datasource db {\n  provider = "postgresql"\n}\n' };
const NO_FILTERS = { externalTables: [], externalEnums: [] };

/** Turns "schema:FILE" and the like into an engine target; notes what it brings. */
function target(spec, found) {
  const [kind, ...words] = spec.split(':');
  const rest = words.join(':');
  switch (kind) {
    case 'empty':
      return { tag: 'empty' };
    case 'schema':
      found.schema = readSchema(rest);
      return { tag: 'schemaDatamodel', ...asContainer(found.schema) };
    case 'migrations':
      return { tag: 'migrations', ...readMigrations(rest) };
    case 'url':
      found.url = rest;
      // The engine takes a database only by way of its connection; the schema
      // that comes with it just names the provider.
      return { tag: 'schemaDatasource', configDir: '.', files: [PROVIDER_ONLY] };
    default:
      throw new Error(`unknown diff target: ${spec}`);
  }
}

const onEngine = (r, schema, work) => prisma.withEngine({ url: r.url, schema }, work);

const history = (r, more = {}) =>
  ({ migrationsList: readMigrations(r.migrations), filters: NO_FILTERS, ...more });

/** Every command: request object in, plain result object out. */
const commands = {
  validate: async (r) => prisma.validate(readSchema(r.schema)),
  diff(r) {
    const found = { url: r.url };
    const params = {
      from: target(r.from, found),
      to: target(r.to, found),
      script: Boolean(r.script),
      exitCode: r['exit-code'] ? true : null,
      filters: NO_FILTERS,
      ...(prisma.GENERATION === 6 ? { shadowDatabaseUrl: null } : {}),
    };
    return onEngine({ url: found.url }, found.schema, (e) => e.diff(params));
  },
  deploy: (r) => onEngine(r, undefined, (e) => e.applyMigrations(history(r))),
  status: (r) => onEngine(r, undefined, (e) =>
    e.diagnoseMigrationHistory(history(r, { optInToShadowDatabase: false }))),
  resolve: (r) => onEngine(r, undefined, (e) => (r.applied
    ? e.markMigrationApplied({ migrationName: r.applied, migrationsList: readMigrations(r.migrations) })
    : e.markMigrationRolledBack({ migrationName: r['rolled-back'] }))),
  async version(r) {
    const engine = await prisma.engineVersion();
    return { engine, server: r.url ? await onEngine(r, undefined, (e) => e.version()) : null };
  },
};

/** The names of each command's positional arguments. */
const positionals = {
  validate: ['schema'],
  diff: [],
  deploy: ['migrations', 'url'],
  status: ['migrations', 'url'],
  resolve: ['migrations', 'url'],
  version: ['url'],
};

const text = { type: 'string' };
const flag = { type: 'boolean' };
const options = {
  from: text, to: text, url: text, applied: text, 'rolled-back': text, script: flag, 'exit-code': flag,
};

function requestOf(cmd, argv) {
  const parsed = parseArgs({ args: argv, options, allowPositionals: true });
  const request = { ...parsed.values };
  positionals[cmd].forEach((name, i) => {
    if (parsed.positionals[i] !== undefined) request[name] = parsed.positionals[i];
  });
  return request;
}

/** Prints the result; returns the exit status. */
function print(cmd, result) {
  if (cmd === 'validate') {
    if (!result.ok) process.stdout.write(`${result.message}\n`);
    return result.ok ? 0 : 1;
  }
  if (cmd === 'diff') {
    process.stdout.write(result.stdout ?? '');
    return result.exitCode;
  }
  process.stdout.write(`${JSON.stringify(result ?? null, null, 2)}\n`);
  return 0;
}

async function main() {
  const [cmd, ...argv] = process.argv.slice(2);
  if (!commands[cmd]) {
    process.stderr.write(HELP);
    return 2;
  }
  try {
    return print(cmd, await commands[cmd](requestOf(cmd, argv)));
  } catch (error) {
    const { code, message } = prisma.plainError(error);
    process.stderr.write(`${code ? `${code}: ` : ''}${message}\n`);
    return 1;
  }
}

// The engine's lock timer would keep the process alive for ten more seconds.
const leave = (status) => process.stdout.write('', () => process.exit(status));

main().then(leave, (error) => {
  process.stderr.write(`${error.message}\n`);
  leave(2);
});
