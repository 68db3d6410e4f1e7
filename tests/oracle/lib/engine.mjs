// The real Prisma engines, compiled to WebAssembly, as a small library.
//
//   schema language (validate): @prisma/prisma-schema-wasm
//   schema engine (diff, deploy, introspect): @prisma/schema-engine-wasm
//
// Two generations are installed, because they do not accept the same schemas:
// Prisma 7 refuses the connection URLs that Prisma 6 wants in the datasource
// block. ORACLE_PRISMA=6 takes the older one.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import { adapterFactory, offlineFactory } from './adapter.mjs';

const require = createRequire(import.meta.url);

export const GENERATION = process.env.ORACLE_PRISMA === '6' ? 6 : 7;
const PACKAGES = {
  6: { language: 'prisma-schema-wasm-6', engine: 'schema-engine-wasm-6' },
  7: { language: '@prisma/prisma-schema-wasm', engine: '@prisma/schema-engine-wasm' },
}[GENERATION];

// ---------------------------------------------------------------- language

let language;
const lang = () => (language ??= require(PACKAGES.language));

/** Errors arrive as JSON text inside an Error; this gives {code, message}. */
export function plainError(error) {
  const text = typeof error === 'string' ? error : error?.message ?? String(error);
  try {
    const parsed = JSON.parse(text);
    return { code: parsed.error_code ?? parsed.code ?? null, message: parsed.message ?? text };
  } catch {
    const cause = error?.cause;
    return { code: error?.code ?? cause?.originalCode ?? null, message: text, ...(cause ? { cause } : {}) };
  }
}

export function validate(schema) {
  try {
    lang().validate(JSON.stringify({ prismaSchema: schema, noColor: true }));
    return { ok: true };
  } catch (error) {
    return { ok: false, ...plainError(error) };
  }
}

// ------------------------------------------------------------------ engine

let glue;
let compiled;
let poisoned = true; // no live instance yet

// Where the engine puts the text of a panic.
globalThis.PRISMA_WASM_PANIC_REGISTRY = {
  set_message(text) { process.stderr.write(`the engine panicked: ${text}\n`); },
};

/** Starts the WebAssembly instance; starts a new one after a panic. */
async function instance() {
  if (!poisoned) return;
  glue ??= await import(`${PACKAGES.engine}/schema_engine_bg`);
  const file = require.resolve(PACKAGES.engine).replace(/schema_engine\.js$/, 'schema_engine_bg.wasm');
  compiled ??= await WebAssembly.compile(fs.readFileSync(file));
  const { exports } = await WebAssembly.instantiate(compiled, { './schema_engine_bg.js': glue });
  glue.__wbg_set_wasm(exports);
  exports.__wbindgen_start();
  poisoned = false;
}

export async function engineVersion() {
  await instance();
  return glue.version();
}

/**
 * Runs `work(engine)` on an engine for one database and closes it again.
 * options: url (none: offline), schema ([[path, text]]), shadowUrl, log(line)
 */
export async function withEngine({ url, schema, shadowUrl, log }, work) {
  await instance();
  const factory = url ? adapterFactory(url, { shadowUrl }) : offlineFactory();
  const opened = [];
  // Keep hold of every adapter, so that connections are closed whatever happens.
  for (const name of ['connect', 'connectToShadowDb']) {
    const original = factory[name].bind(factory);
    factory[name] = async (...args) => {
      const result = await original(...args);
      if (result.ok && name === 'connect') opened.push(result.value);
      return result;
    };
  }
  let engine;
  try {
    engine = await glue.SchemaEngine.new({ datamodels: schema }, log ?? (() => {}), factory);
    return await work(engine);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) poisoned = true;
    throw error;
  } finally {
    try { if (engine && !poisoned) engine.free(); } catch { /* freed by the failure */ }
    for (const adapter of opened) await adapter.dispose().catch(() => {});
  }
}
