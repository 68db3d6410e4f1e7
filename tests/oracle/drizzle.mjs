// usage: node drizzle.mjs PACKAGE FOLDER URL [SCHEMA TABLE]
// Applies a folder of migrations as the package's own migrator does: drizzle-orm, or drizzle-orm-1 (1.0).
import pg from "pg";

const [name, migrationsFolder, connectionString, migrationsSchema, migrationsTable] = process.argv.slice(2);
const { drizzle } = await import(`${name}/node-postgres`);
const { migrate } = await import(`${name}/node-postgres/migrator`);
const client = new pg.Client({ connectionString });
await client.connect();
try {
  await migrate(drizzle({ client }), { migrationsFolder, migrationsSchema, migrationsTable });
} catch (error) {
  console.error(error.cause?.message ?? error.message);
  process.exitCode = 1;
} finally {
  await client.end();
}
