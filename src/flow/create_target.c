/* Which schema the migrations are to lead to. */
#include "flow/create_int.h"

#include "base/fs.h"
#include "flow/supabase_config.h"

/* ---- supabase/config.toml --------------------------------------------------------------------- */

static bool
supabase_files(Arena *a, const char *dir, Endpoint *ret, Err *err)
{
    const char *config = fs_join(a, dir, "config.toml"), *folder = fs_join(a, dir, "schemas");
    SupabaseFiles files;
    if (!supabase_config_files(a, dir, "[db.migrations]", "schema_paths", &files, err))
        return false;
    if (files.n) {
        *ret = (Endpoint){.kind = ENDPOINT_SQL,
                          .path = fs_below(fs_absolute(a, "."), config),
                          .files = files.v,
                          .nfiles = files.n};
    } else if (fs_kind(folder) == FS_DIR) {
        *ret = (Endpoint){.kind = ENDPOINT_SQL, .path = fs_below(fs_absolute(a, "."), folder)};
    }
    return true;
}

/* ---- all of it -------------------------------------------------------------------------------- */

bool
create_target(Arena *a, const CreateInput *in, const History *h, Endpoint *ret, Err *err)
{
    const Config *c = in->base.config;
    const char *here = fs_absolute(a, "."),
               *sql = in->sql ? in->sql : c->values[CFG_SCHEMA_SQL].text;
    *ret = (Endpoint){.kind = ENDPOINT_NONE};
    if (!in->sql && c->schema_path)
        *ret = (Endpoint){.kind = ENDPOINT_SCHEMA, .path = fs_below(here, c->schema_path)};
    else if (sql)
        *ret = (Endpoint){.kind = ENDPOINT_SQL, .path = fs_below(here, sql)};
    else if (h->layout == &history_supabase &&
             !supabase_files(a, fs_dirname(a, h->source), ret, err))
        return false;
    if (ret->kind == ENDPOINT_SQL && !ret->files && fs_kind(ret->path) == FS_MISSING) {
        err_set(err, ERR_NO_SCHEMA, "there is no file and no folder \"%s\"", ret->path);
        return err_hint(err, "name the SQL that makes the schema: --to-sql PATH");
    }
    if (ret->kind != ENDPOINT_NONE)
        return true;
    err_set(err, ERR_NO_SCHEMA, "there is no schema that a migration could be made of");
    err_detail(err,
               "neither a schema.prisma nor SQL files that make the schema (setting schema_sql%s)",
               h->layout == &history_supabase ? ", schema_paths in supabase/config.toml" : "");
    return err_hint(err,
                    "name it: --schema PATH or --to-sql PATH; or write the SQL yourself: aramid "
                    "create NAME --empty");
}
