/* Stand-ins for what a server of our own does not have, made when a statement fails for want of it:
 * its transaction was rolled back, so it is simply sent again. */
#include "replay/replay_int.h"

/* What Supabase and other platforms put into each database, as far as migrations refer to it
 * (https://supabase.com/docs/guides/database/postgres/row-level-security, .../storage/schema,
 * https://neon.com/docs/guides/neon-rls). Bodies do not matter: nothing runs there. */
static const struct {
    const char *schema, *sql;
} platform[] = {
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

/* Each name is made once: a statement that fails again fails for another reason. */
static bool
is_made(const Work *w, ReplayStubKind kind, const char *name)
{
    vec_each (const ReplayStub, s, &w->ret->stubs)
        if (s->kind == kind && strcmp(s->name, name) == 0)
            return true;
    return false;
}

static bool
make(Work *w, ReplayStubKind kind, const char *name, Str sql)
{
    ARENA_LOCAL(a);
    DbOutcome o;
    if (is_made(w, kind, name))
        return false;
    db_run(w->db, a, STR("RESET ALL;RESET ROLE;RESET SESSION AUTHORIZATION"), &(DbRun){0}, &o);
    if (o.end == DB_DONE)
        db_run(w->db, a, sql, &(DbRun){.discard_rows = true}, &o);
    if (o.end == DB_DONE)
        *vec_add(w->arena, &w->ret->stubs) = (ReplayStub){kind, str_dupz(w->arena, name)};
    return o.end == DB_DONE;
}

/* `what "name" does not exist`: the name, NULL = the message says something else. */
static const char *
missing(Arena *a, const DbOutcome *o, const char *what)
{
    Str m = str_of(o->message), head = str_of(str_fmt(a, "%s \"", what));
    Str tail = STR("\" does not exist");
    if (!str_starts(m, head) || !str_ends(m, tail) || m.n < head.n + tail.n)
        return NULL;
    return str_dup(a, str_slice(m, head.n, m.n - tail.n));
}

/* A superuser, because scripts may go on as that role. */
static bool
make_role(Work *w, Arena *a, const char *name)
{
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, "CREATE ROLE ");
    sql_add_ident(&b, name);
    buf_addz(&b, " SUPERUSER");
    return make(w, REPLAY_ROLE, name, buf_str(&b));
}

static bool
make_schema(Work *w, Str name)
{
    for (size_t i = 0; i < sizeof platform / sizeof *platform; i++)
        if (str_is(name, platform[i].schema))
            return make(w, REPLAY_SCHEMA, platform[i].schema, str_of(platform[i].sql));
    return false;
}

bool
stub_missing(Work *w, MigrationPlan *mp, size_t failed, const DbOutcome *o)
{
    ARENA_LOCAL(a);
    const char *name;
    (void)mp;
    (void)failed;
    if (!w->is_private)
        return false;
    if ((name = missing(a, o, "role")))
        return make_role(w, a, name);
    if ((name = missing(a, o, "schema")))
        return make_schema(w, str_of(name));
    if ((name = missing(a, o, "relation"))) {
        Str rest = str_of(name);
        return make_schema(w, str_cut(&rest, '.'));
    }
    if ((name = missing(a, o, "publication")) && strcmp(name, "supabase_realtime") == 0)
        return make(w, REPLAY_PUBLICATION, name, STR("CREATE PUBLICATION supabase_realtime"));
    return false;
}
