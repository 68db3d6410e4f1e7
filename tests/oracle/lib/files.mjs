// Reading what the engines take as input: schema files and migration folders.

import fs from 'node:fs';
import path from 'node:path';

/** [[path, text], ...] of one .prisma file, or of all below a folder. */
export function readSchema(where) {
  if (!fs.statSync(where).isDirectory()) return [[where, fs.readFileSync(where, 'utf8')]];
  const found = [];
  const walk = (dir) => {
    for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
      const full = path.join(dir, entry.name);
      if (entry.isDirectory()) walk(full);
      else if (entry.name.endsWith('.prisma')) found.push([full, fs.readFileSync(full, 'utf8')]);
    }
  };
  walk(where);
  return found.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** The same as `files` objects for the schema engine. */
export const asContainer = (schema) =>
  ({ files: schema.map(([file, content]) => ({ path: file, content })) });

/** A migrations folder in the shape that the engine wants it. */
export function readMigrations(dir) {
  const lockPath = path.join(dir, 'migration_lock.toml');
  const migrationDirectories = [];
  if (fs.existsSync(dir)) {
    for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      let content;
      try {
        content = { tag: 'ok', value: fs.readFileSync(path.join(dir, entry.name, 'migration.sql'), 'utf8') };
      } catch (error) {
        content = { tag: 'error', value: error.message };
      }
      migrationDirectories.push({ path: entry.name, migrationFile: { path: 'migration.sql', content } });
    }
  }
  // The CLI orders with localeCompare(), not by bytes; so do we.
  migrationDirectories.sort((a, b) => a.path.localeCompare(b.path));
  return {
    baseDir: dir,
    lockfile: {
      path: 'migration_lock.toml',
      content: fs.existsSync(lockPath) ? fs.readFileSync(lockPath, 'utf8') : null,
    },
    shadowDbInitScript: '',
    migrationDirectories,
  };
}
