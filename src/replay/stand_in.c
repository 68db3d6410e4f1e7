/* The SQL of stand-ins. Bodies do not matter: nothing calls them, they only have to be there under
 * their names and types. */
#include "replay/replay_int.h"

typedef struct StandIn {
    const char *name, *sql;
} StandIn;

/* What Supabase and other platforms put into each database, as far as migrations refer to it
 * (https://supabase.com/docs/guides/database/postgres/row-level-security, .../storage/schema,
 * https://neon.com/docs/guides/neon-rls). */
static const StandIn schemas[] = {
    {"auth",
     "CREATE SCHEMA auth;"
     "CREATE TABLE auth.users (instance_id uuid, id uuid PRIMARY KEY, aud varchar(255),"
     " role varchar(255), email varchar(255), encrypted_password varchar(255),"
     " email_confirmed_at timestamptz, invited_at timestamptz, confirmed_at timestamptz,"
     " last_sign_in_at timestamptz, raw_app_meta_data jsonb, raw_user_meta_data jsonb,"
     " is_super_admin boolean, created_at timestamptz, updated_at timestamptz, phone text UNIQUE,"
     " phone_confirmed_at timestamptz, banned_until timestamptz, deleted_at timestamptz,"
     " is_sso_user boolean NOT NULL DEFAULT false, is_anonymous boolean NOT NULL DEFAULT false);"
     "CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS 'SELECT NULL::uuid';"
     "CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE AS 'SELECT NULL::text';"
     "CREATE FUNCTION auth.email() RETURNS text LANGUAGE sql STABLE AS 'SELECT NULL::text';"
     "CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS 'SELECT NULL::jsonb';"
     "CREATE FUNCTION auth.user_id() RETURNS text LANGUAGE sql STABLE AS 'SELECT NULL::text'"},
    {"storage",
     "CREATE SCHEMA storage;"
     "CREATE TABLE storage.buckets (id text PRIMARY KEY, name text NOT NULL UNIQUE, owner uuid,"
     " created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now(), public boolean"
     " DEFAULT false, avif_autodetection boolean DEFAULT false, file_size_limit bigint,"
     " allowed_mime_types text[], owner_id text);"
     "CREATE TABLE storage.objects (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), bucket_id text"
     " REFERENCES storage.buckets, name text, owner uuid, created_at timestamptz DEFAULT now(),"
     " updated_at timestamptz DEFAULT now(), last_accessed_at timestamptz DEFAULT now(), metadata"
     " jsonb, path_tokens text[], version text, owner_id text, user_metadata jsonb);"
     "ALTER TABLE storage.objects ENABLE ROW LEVEL SECURITY;"
     "ALTER TABLE storage.buckets ENABLE ROW LEVEL SECURITY;"
     "CREATE FUNCTION storage.foldername(name text) RETURNS text[] LANGUAGE sql AS 'SELECT"
     " NULL::text[]';"
     "CREATE FUNCTION storage.filename(name text) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';"
     "CREATE FUNCTION storage.extension(name text) RETURNS text LANGUAGE sql AS 'SELECT "
     "NULL::text'"},
    {"realtime",
     "CREATE SCHEMA realtime;"
     "CREATE TABLE realtime.messages (topic text NOT NULL, extension text NOT NULL, payload jsonb,"
     " event text, private boolean DEFAULT false, updated_at timestamp NOT NULL DEFAULT now(),"
     " inserted_at timestamp NOT NULL DEFAULT now(), id uuid NOT NULL DEFAULT gen_random_uuid(),"
     " PRIMARY KEY (id, inserted_at));"
     "ALTER TABLE realtime.messages ENABLE ROW LEVEL SECURITY;"
     "CREATE FUNCTION realtime.topic() RETURNS text LANGUAGE sql STABLE AS 'SELECT NULL::text';"
     "CREATE FUNCTION realtime.send(payload jsonb, event text, topic text, private boolean DEFAULT"
     " true) RETURNS void LANGUAGE sql AS ''"},
    {"vault",
     "CREATE SCHEMA vault;"
     "CREATE TABLE vault.secrets (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text,"
     " description text NOT NULL DEFAULT '', secret text NOT NULL, key_id uuid, nonce bytea,"
     " created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT "
     "now());"
     "CREATE VIEW vault.decrypted_secrets AS SELECT *, secret AS decrypted_secret FROM"
     " vault.secrets"},
    {"cron",
     "CREATE SCHEMA cron;"
     "CREATE TABLE cron.job (jobid bigserial PRIMARY KEY, schedule text, command text, nodename"
     " text, nodeport integer, database text, username text, active boolean, jobname text);"
     "CREATE FUNCTION cron.schedule(schedule text, command text) RETURNS bigint LANGUAGE sql AS"
     " 'SELECT 1::bigint';"
     "CREATE FUNCTION cron.schedule(job_name text, schedule text, command text) RETURNS bigint"
     " LANGUAGE sql AS 'SELECT 1::bigint';"
     "CREATE FUNCTION cron.unschedule(job_id bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true';"
     "CREATE FUNCTION cron.unschedule(job_name text) RETURNS boolean LANGUAGE sql AS 'SELECT "
     "true'"},
    {"supabase_functions",
     "CREATE SCHEMA supabase_functions;"
     "CREATE FUNCTION supabase_functions.http_request() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN"
     " RETURN NEW; END'"},
    {"neon_auth",
     "CREATE SCHEMA neon_auth;"
     "CREATE TABLE neon_auth.users_sync (raw_json jsonb NOT NULL, id text PRIMARY KEY, name text,"
     " email text, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz)"},
    {"extensions", "CREATE SCHEMA extensions"},
    {"graphql", "CREATE SCHEMA graphql"},
    {"graphql_public", "CREATE SCHEMA graphql_public"},
    {"net", "CREATE SCHEMA net"},
    {"pgmq", "CREATE SCHEMA pgmq"},
    {"pgsodium", "CREATE SCHEMA pgsodium"},
    {"supabase_migrations", "CREATE SCHEMA supabase_migrations"},
};

#define VECTOR_CLASS(name, method)                                                                 \
    "CREATE OPERATOR CLASS " name " FOR TYPE vector USING " method                                 \
    " AS FUNCTION 1 brin_minmax_opcinfo(internal);"

/* Of extensions that migrations cannot do without. What they make becomes a member of the extension
 * and lies in its schema, which is first on the search_path. */
static const StandIn extensions[] = {
    {"uuid-ossp",
     "CREATE FUNCTION uuid_generate_v1() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()';"
     "CREATE FUNCTION uuid_generate_v1mc() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()';"
     "CREATE FUNCTION uuid_generate_v4() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()';"
     "CREATE FUNCTION uuid_generate_v3(namespace uuid, name text) RETURNS uuid LANGUAGE sql "
     "IMMUTABLE"
     " AS 'SELECT namespace';"
     "CREATE FUNCTION uuid_generate_v5(namespace uuid, name text) RETURNS uuid LANGUAGE sql "
     "IMMUTABLE"
     " AS 'SELECT namespace'"},
    {"pgcrypto",
     "CREATE FUNCTION digest(text, text) RETURNS bytea LANGUAGE sql IMMUTABLE AS 'SELECT "
     "NULL::bytea';"
     "CREATE FUNCTION digest(bytea, text) RETURNS bytea LANGUAGE sql IMMUTABLE AS 'SELECT $1';"
     "CREATE FUNCTION hmac(text, text, text) RETURNS bytea LANGUAGE sql IMMUTABLE AS 'SELECT"
     " NULL::bytea';"
     "CREATE FUNCTION hmac(bytea, bytea, text) RETURNS bytea LANGUAGE sql IMMUTABLE AS 'SELECT $1';"
     "CREATE FUNCTION crypt(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';"
     "CREATE FUNCTION gen_salt(text) RETURNS text LANGUAGE sql AS 'SELECT $1';"
     "CREATE FUNCTION gen_salt(text, integer) RETURNS text LANGUAGE sql AS 'SELECT $1';"
     "CREATE FUNCTION gen_random_bytes(integer) RETURNS bytea LANGUAGE sql AS 'SELECT "
     "NULL::bytea'"},
    {"citext",
     "CREATE TYPE citext;"
     "CREATE FUNCTION citextin(cstring) RETURNS citext AS 'textin' LANGUAGE internal IMMUTABLE "
     "STRICT;"
     "CREATE FUNCTION citextout(citext) RETURNS cstring AS 'textout' LANGUAGE internal IMMUTABLE"
     " STRICT;"
     "CREATE TYPE citext (INPUT = citextin, OUTPUT = citextout, LIKE = text, CATEGORY = 'S',"
     " COLLATABLE = true);"
     "CREATE CAST (citext AS text) WITHOUT FUNCTION AS IMPLICIT;"
     "CREATE CAST (text AS citext) WITHOUT FUNCTION AS ASSIGNMENT"},
    {"vector",
     "CREATE TYPE vector;"
     "CREATE FUNCTION vector_in(cstring, oid, integer) RETURNS vector AS 'varcharin' LANGUAGE"
     " internal IMMUTABLE STRICT;"
     "CREATE FUNCTION vector_out(vector) RETURNS cstring AS 'varcharout' LANGUAGE internal "
     "IMMUTABLE"
     " STRICT;"
     "CREATE FUNCTION vector_typmod_in(cstring[]) RETURNS integer AS 'varchartypmodin' LANGUAGE"
     " internal IMMUTABLE STRICT;"
     "CREATE FUNCTION vector_typmod_out(integer) RETURNS cstring AS 'varchartypmodout' LANGUAGE"
     " internal IMMUTABLE STRICT;"
     "CREATE TYPE vector (INPUT = vector_in, OUTPUT = vector_out, TYPMOD_IN = vector_typmod_in,"
     " TYPMOD_OUT = vector_typmod_out, LIKE = varchar);"
     "CREATE FUNCTION l2_distance(vector, vector) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT"
     " 0::float8';"
     "CREATE FUNCTION cosine_distance(vector, vector) RETURNS float8 LANGUAGE sql IMMUTABLE AS"
     " 'SELECT 0::float8';"
     "CREATE FUNCTION inner_product(vector, vector) RETURNS float8 LANGUAGE sql IMMUTABLE AS "
     "'SELECT"
     " 0::float8';"
     "CREATE OPERATOR <-> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = l2_distance);"
     "CREATE OPERATOR <=> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = cosine_distance);"
     "CREATE OPERATOR <#> (LEFTARG = vector, RIGHTARG = vector, FUNCTION = inner_product);"
     /* BRIN's handler is the one that builds indexes without looking at its own method. */
     "CREATE ACCESS METHOD hnsw TYPE INDEX HANDLER brinhandler;"
     "CREATE ACCESS METHOD ivfflat TYPE INDEX HANDLER brinhandler;" VECTOR_CLASS(
         "vector_l2_ops", "hnsw") VECTOR_CLASS("vector_ip_ops", "hnsw")
         VECTOR_CLASS("vector_cosine_ops", "hnsw") VECTOR_CLASS("vector_l2_ops DEFAULT", "ivfflat")
             VECTOR_CLASS("vector_ip_ops", "ivfflat") VECTOR_CLASS("vector_cosine_ops", "ivfflat")},
};

static const char *
look_up(const StandIn *list, size_t n, Str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(name, list[i].name))
            return list[i].sql;
    return NULL;
}

const char *
stand_in_schema(Str name)
{
    return look_up(schemas, COUNT(schemas), name);
}

const char *
stand_in_extension(Str name)
{
    return look_up(extensions, COUNT(extensions), name);
}
