#!/usr/bin/env bash
# A model is renamed and keeps its table (@@map) and its relation's name, so nothing in the database
# changes its name. A good guess: `migrate diff` writes an empty migration.
#
# Prisma's engine (schema-engine-wasm 8.1.0-2, of Prisma 7.10.1) gives column A of an implicit many-to-many
# relation to the model that comes first in the alphabet. "Post" and "Tag" become "Label" and "Post": the
# order turns, and it writes a migration that exchanges the targets of both foreign keys and moves no row.
# Where ids are small and both tables have them, that migration runs without an error, and each link between
# a post and a tag now joins two others.
#
# Who meets it: whoever renames a model in a schema with implicit many-to-many relations.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
version=8.1.0-2.59be4fda12412a79eeb9c2ae727b6aa723593323
echo '{"private": true, "type": "module"}' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts \
    "@prisma/schema-engine-wasm@$version" @prisma/driver-adapter-utils@7.10.1

cat >diff.mjs <<'JS'
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum as T } from '@prisma/driver-adapter-utils';

const require = createRequire(import.meta.url);
const glue = await import('@prisma/schema-engine-wasm/schema_engine_bg');
const wasm = require.resolve('@prisma/schema-engine-wasm').replace(/schema_engine\.js$/, 'schema_engine_bg.wasm');
globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: console.error };
const { instance } = await WebAssembly.instantiate(fs.readFileSync(wasm), { './schema_engine_bg.js': glue });
glue.__wbg_set_wasm(instance.exports);
instance.exports.__wbindgen_start();

// Two schemas are compared without a database; only its version is asked for.
const refuse = async () => { throw new Error('there is no database'); };
const adapter = {
  provider: 'postgres', adapterName: 'none',
  queryRaw: async () => ({ columnNames: ['exists', 'version', 'numeric_version'],
    columnTypes: [T.Boolean, T.Text, T.Int32], rows: [[true, 'PostgreSQL', 150000]] }),
  executeRaw: refuse, executeScript: refuse, startTransaction: refuse, dispose: async () => {},
  getConnectionInfo: () => ({ schemaName: 'public', supportsRelationJoins: true }),
};
const factory = bindMigrationAwareSqlAdapterFactory({ provider: 'postgres', adapterName: 'none',
  connect: async () => adapter, connectToShadowDb: async () => adapter });

const schema = (model, map) => `datasource db {
  provider = "postgresql"
}
model Post {
  id   Int @id
  tags ${model}[] @relation("links")
}
model ${model} {
  id    Int    @id
  posts Post[] @relation("links")
  ${map}
}
`;
const side = (content) => ({ tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content }] });
const engine = await glue.SchemaEngine.new({ datamodels: [['schema.prisma', schema('Tag', '')]] }, () => {}, factory);
const { stdout } = await engine.diff({ from: side(schema('Tag', '')), to: side(schema('Label', '@@map("Tag")')),
  script: true, exitCode: null, filters: { externalTables: [], externalEnums: [] } });
console.log(stdout);
JS
node diff.mjs >script.sql
cat script.sql
expect() {
    grep -qF "$1" script.sql || { echo "changed: no \"$1\" any more" >&2; exit 1; }
}
expect 'DROP CONSTRAINT "_links_A_fkey"'
expect 'ADD CONSTRAINT "_links_A_fkey" FOREIGN KEY ("A") REFERENCES "Tag"("id")'
expect 'ADD CONSTRAINT "_links_B_fkey" FOREIGN KEY ("B") REFERENCES "Post"("id")'
if grep -qE 'RENAME COLUMN|^UPDATE' script.sql; then
    echo "changed: rows are moved now" >&2
    exit 1
fi
echo "as it was seen: keys exchanged, no row moved"
