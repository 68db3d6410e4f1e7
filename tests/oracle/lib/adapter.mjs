// A driver adapter for the schema engine that behaves like its native driver.
//
// Prisma publishes an adapter for `pg`, but it differs from the native engine
// in ways that matter to migrations:
//  - it splits a script at every ';' (also inside strings and function bodies)
//    and sends the pieces one by one, each in its own transaction;
//  - it hands every query to a pool, so that the session which holds the
//    advisory lock need not be the one that runs the script;
//  - as of 7.10.1 it refuses the catalogs' "char" type, so that it cannot
//    introspect at all.
// The native engine holds one connection and sends a whole script as one
// simple-query message, which the server runs as one implicit transaction.
// This adapter does the same, so that what the oracle answers is what the
// native binary would answer.

import pg from 'pg';
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum as T,
  DriverAdapterError,
} from '@prisma/driver-adapter-utils';

// URL parameters that only Prisma knows; the server would refuse them.
const PRISMA_PARAMETERS = ['schema', 'connection_limit', 'pool_timeout', 'pgbouncer',
  'connect_timeout', 'socket_timeout', 'statement_cache_size'];

/** Splits a Prisma URL into a plain one and the `schema` parameter. */
export function splitUrl(url) {
  const parsed = new URL(url);
  const schema = parsed.searchParams.get('schema') ?? undefined;
  for (const name of PRISMA_PARAMETERS) parsed.searchParams.delete(name);
  return { connectionString: parsed.toString(), schema };
}

// ------------------------------------------------------------------- values

/** Postgres type oid -> the engine's column type. */
const COLUMN_TYPES = new Map([
  [16, T.Boolean], [17, T.Bytes], [18, T.Character], [19, T.Text], [20, T.Int64], [21, T.Int32],
  [23, T.Int32], [25, T.Text], [26, T.Int64], [28, T.Int64], [114, T.Json], [194, T.Text],
  [700, T.Float], [701, T.Double], [1042, T.Text], [1043, T.Text], [1082, T.Date],
  [1083, T.Time], [1114, T.DateTime], [1184, T.DateTime], [1266, T.Time], [1700, T.Numeric],
  [2205, T.Text], [2206, T.Text], [2278, T.Text], [2950, T.Uuid], [3802, T.Json],
  [1000, T.BooleanArray], [1002, T.TextArray], [1003, T.TextArray], [1005, T.Int32Array],
  [1007, T.Int32Array], [1009, T.TextArray], [1014, T.TextArray], [1015, T.TextArray],
  [1016, T.Int64Array], [1028, T.Int64Array], [22, T.Text], [30, T.Text],
]);

const isoDateTime = (text) => {
  const [, date, time, offset] = /^(\S+) ([0-9:.]+)(.*)$/.exec(text) ?? [];
  if (date === undefined) return text; // infinity
  const zone = offset === '' ? '+00:00' : /^[+-]\d\d$/.test(offset) ? `${offset}:00` : offset;
  return `${date}T${time}${zone}`;
};

/** Text as it came from the server -> what the engine expects. */
const PARSERS = new Map([
  [26, String], [28, String], [114, String], [3802, String], [1700, String],
  [1082, String], [1083, String], [1266, String], [1114, isoDateTime], [1184, isoDateTime],
]);

const types = {
  getTypeParser: (oid, format) => PARSERS.get(oid) ?? pg.types.getTypeParser(oid, format),
};

function toResultSet({ fields, rows }) {
  return {
    columnNames: fields.map((field) => field.name),
    columnTypes: fields.map((field) => {
      const type = COLUMN_TYPES.get(field.dataTypeID);
      if (type === undefined) {
        throw new DriverAdapterError({
          kind: 'UnsupportedNativeDataType', type: `oid ${field.dataTypeID} (${field.name})`,
        });
      }
      return type;
    }),
    rows,
  };
}

// ------------------------------------------------------------------- errors

const quoted = (message) => /"([^"]*)"/.exec(message)?.[1];

/** A driver's error -> the engine's. The codes are those that the engine acts on. */
function toEngineError(error) {
  const { code, message } = error;
  const original = { originalCode: code, originalMessage: message };
  switch (code) {
    case '42P01': return { kind: 'TableDoesNotExist', table: quoted(message), ...original };
    case '42703': return { kind: 'ColumnNotFound', column: quoted(message), ...original };
    case '42P04': return { kind: 'DatabaseAlreadyExists', db: quoted(message), ...original };
    case '3D000': return { kind: 'DatabaseDoesNotExist', db: quoted(message), ...original };
    case '28000': return { kind: 'DatabaseAccessDenied', db: quoted(message), ...original };
    case '28P01': return { kind: 'AuthenticationFailed', user: quoted(message), ...original };
    case '53300': return { kind: 'TooManyConnections', cause: message, ...original };
    case 'ECONNREFUSED':
    case 'ENOTFOUND':
      return { kind: 'DatabaseNotReachable', host: error.address, port: error.port, ...original };
    default:
  }
  if (!/^[0-9A-Z]{5}$/.test(code ?? '')) return { kind: 'ConnectionClosed', ...original };
  const { severity, detail, column, hint } = error;
  return { kind: 'postgres', code, severity, message, detail, column, hint, ...original };
}

const rethrow = (error) => {
  throw error instanceof DriverAdapterError ? error : new DriverAdapterError(toEngineError(error));
};

// ------------------------------------------------------------------ adapter

const IDENTITY = { provider: 'postgres', adapterName: '@prisma/adapter-pg' };

/** The last failed script's error, with its position, for those who report it. */
export let lastScriptError = null;

/** One connection, opened at once, closed by dispose(). */
async function openSession(connectionString, schema) {
  const client = new pg.Client({ connectionString });
  client.on('error', () => {}); // the query that meets it reports it
  await client.connect().catch(rethrow);
  if (schema) await client.query(`SET search_path = "${schema.replaceAll('"', '""')}"`);

  const run = ({ sql, args }) => {
    return client.query({ text: sql, values: args, rowMode: 'array', types }).catch(rethrow);
  };
  const transaction = async () => {
    await client.query('BEGIN').catch(rethrow);
    return {
      ...IDENTITY,
      options: { usePhantomQuery: true },
      queryRaw: async (query) => toResultSet(await run(query)),
      executeRaw: async (query) => (await run(query)).rowCount ?? 0,
      commit: async () => { await client.query('COMMIT').catch(rethrow); },
      rollback: async () => { await client.query('ROLLBACK').catch(rethrow); },
    };
  };
  return {
    ...IDENTITY,
    queryRaw: async (query) => toResultSet(await run(query)),
    executeRaw: async (query) => (await run(query)).rowCount ?? 0,
    async executeScript(script) {
      lastScriptError = null;
      try {
        await client.query(script); // no values: one simple-query message
      } catch (error) {
        lastScriptError = { error, script };
        rethrow(error);
      }
    },
    startTransaction: transaction,
    getConnectionInfo: () => ({ schemaName: schema, supportsRelationJoins: true }),
    dispose: () => client.end(),
  };
}

/** An emptied database at `shadowUrl`. */
async function openGivenShadow(shadowUrl) {
  const { connectionString, schema = 'public' } = splitUrl(shadowUrl);
  const session = await openSession(connectionString, schema);
  await session.executeScript(`DROP SCHEMA IF EXISTS "${schema}" CASCADE; CREATE SCHEMA "${schema}"`);
  return session;
}

/** A database made for the purpose, dropped by dispose(). */
async function openOwnShadow(connectionString, schema) {
  const name = `prisma_migrate_shadow_db_${crypto.randomUUID()}`;
  const admin = new pg.Client({ connectionString });
  await admin.connect().catch(rethrow);
  await admin.query(`CREATE DATABASE "${name}"`).catch(rethrow);
  const target = new URL(connectionString);
  target.pathname = `/${name}`;
  const session = await openSession(target.toString(), schema);
  session.dispose = async () => {
    await admin.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
    await admin.end();
  };
  return session;
}

/** A factory of adapters for one database URL, as SchemaEngine.new() takes it. */
export function adapterFactory(url, { shadowUrl } = {}) {
  const { connectionString, schema } = splitUrl(url);
  return bindMigrationAwareSqlAdapterFactory({
    ...IDENTITY,
    connect: () => openSession(connectionString, schema),
    connectToShadowDb: () => (shadowUrl
      ? openGivenShadow(shadowUrl)
      : openOwnShadow(connectionString, schema)),
  });
}

/**
 * For work that needs no server. The engine asks for the server's version as
 * soon as it starts; this answers that one question and refuses all others.
 */
export function offlineFactory(serverVersion = 150000) {
  const refuse = async () => {
    throw new DriverAdapterError({ kind: 'DatabaseNotReachable', host: 'offline' });
  };
  const adapter = {
    ...IDENTITY,
    async queryRaw({ sql }) {
      if (!sql.includes('server_version_num')) return refuse();
      return {
        columnNames: ['exists', 'version', 'numeric_version'],
        columnTypes: [T.Boolean, T.Text, T.Int32],
        rows: [[true, 'PostgreSQL (offline)', serverVersion]],
      };
    },
    executeRaw: refuse,
    executeScript: refuse,
    startTransaction: refuse,
    getConnectionInfo: () => ({ schemaName: 'public', supportsRelationJoins: true }),
    dispose: async () => {},
  };
  return bindMigrationAwareSqlAdapterFactory({
    ...IDENTITY, connect: async () => adapter, connectToShadowDb: async () => adapter,
  });
}
