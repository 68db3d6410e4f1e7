/* aramid seed: which files and which command, and running them. */
#include "flow/seed.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/os.h"
#include "flow/command.h"
#include "flow/supabase_config.h"

#include <glob.h>

/* Says that a seed's command runs; for a command that runs `aramid seed` again. */
#define RUNNING "ARAMID_SEED_RUNS"

/* ---- files -------------------------------------------------------------------------------------- */

typedef struct Files {
    Arena *arena;
    const Config *config;
    const Script *script;
    History *ret;
} Files;

static bool
is_listed(const History *h, const char *name)
{
    vec_each (const Migration, m, &h->files)
        if (strcmp(m->name, name) == 0)
            return true;
    return false;
}

/* Its name in the table is its path in the project. */
static bool
add_file(const Files *f, const char *path, Err *err)
{
    Str dir = str_of(f->config->project_dir), name = str_of(path);
    if (str_starts(name, dir) && name.n > dir.n && name.p[dir.n] == '/')
        name = str_slice(name, dir.n + 1, name.n);
    const char *shown = str_dup(f->arena, name);
    return is_listed(f->ret, shown) ||
           scripts_add_file(f->arena, f->ret, f->script, path, shown, err);
}

static bool
has_wildcard(const char *pattern)
{
    return strpbrk(pattern, "*?[") != NULL;
}

static bool
add_pattern(const Files *f, const char *pattern, Err *err)
{
    const char *full =
        pattern[0] == '/' ? pattern : fs_join(f->arena, f->config->project_dir, pattern);
    if (!has_wildcard(pattern))
        return add_file(f, full, err);
    glob_t found = {0};
    int status = glob(full, 0, NULL, &found);
    bool ok = true;
    for (size_t i = 0; status == 0 && ok && i < found.gl_pathc; i++)
        if (fs_kind(found.gl_pathv[i]) == FS_FILE)
            ok = add_file(f, str_dupz(f->arena, found.gl_pathv[i]), err);
    globfree(&found);
    if (status == 0)
        return ok;
    err_set(err, ERR_IO,
            status == GLOB_NOMATCH ? "no file is like \"%s\"" : "cannot look for files like \"%s\"",
            pattern);
    return err_hint(err, "correct seed_files (%s)", f->config->values[CFG_SEED_FILES].origin);
}

/* Where everybody puts them: only without a word of the project. */
static bool
add_usual(const Files *f, Err *err)
{
    const Config *c = f->config;
    if (c->values[CFG_SEED].text)
        return true;
    const char *dir = c->project_dir, *schema = c->schema_path;
    if (schema)
        dir = fs_kind(schema) == FS_DIR ? schema : fs_dirname(f->arena, schema);
    const char *usual[] = {fs_join(f->arena, dir, "seed.sql"),
                           fs_join(f->arena, c->project_dir, "prisma/seed.sql")};
    for (size_t i = 0; i < COUNT(usual); i++)
        if (fs_kind(usual[i]) == FS_FILE && !add_file(f, usual[i], err))
            return false;
    return true;
}

/* Those of `supabase db push --include-seed`: sql_paths, else supabase/seed.sql. That seeding is not enabled is
 * about `supabase db reset`. */
static bool
add_supabases(const Files *f, Err *err)
{
    Arena *a = f->arena;
    const char *dir = fs_join(a, f->config->project_dir, "supabase");
    const char *usual = fs_join(a, dir, "seed.sql");
    Str paths;
    SupabaseFiles files;
    if (!supabase_config_value(a, dir, "[db.seed]", "sql_paths", &paths, err) ||
        !supabase_config_files(a, dir, "[db.seed]", "sql_paths", &files, err))
        return false;
    if (!paths.p && fs_kind(usual) == FS_FILE)
        *vec_add(a, &files) = usual;
    vec_each (const char *, path, &files)
        if (!add_file(f, *path, err))
            return false;
    return true;
}

/* The Supabase CLI's own are in its own table, unless they are to be run once more, or others are run, too: those
 * are in Aramid's. */
static bool
list_files(Arena *a, const Config *c, const Script *s, History *ret, Err *err)
{
    const Files f = {.arena = a, .config = c, .script = s, .ret = ret};
    *ret = scripts_new(a);
    ConfigList list = config_list(a, c, CFG_SEED_FILES);
    for (size_t i = 0; i < list.n; i++)
        if (!add_pattern(&f, list.v[i], err))
            return false;
    if (list.n || c->values[CFG_SEED_FILES].text)
        return true;
    if (!add_usual(&f, err))
        return false;
    if (!ret->files.n && !s->again)
        *ret = scripts_new_supabase(a);
    return c->values[CFG_SEED].text || add_supabases(&f, err);
}

bool
flow_seed_files(Arena *a, const Config *c, MigrationVec *ret, Err *err)
{
    const Script script = {.kind = SCRIPT_SEED, .run_id = ""};
    History files;
    if (!list_files(a, c, &script, &files, err))
        return false;
    *ret = files.files;
    return true;
}

bool
flow_seed_find_changed(Arena *a, const Config *c, Session *s, FindingList *ret, Err *err)
{
    const Script script = {.kind = SCRIPT_SEED, .run_id = ""};
    History files;
    DbRowsVec results;
    if (!list_files(a, c, &script, &files, err))
        return false;
    if (!files.files.n || strcmp(files.ledger.table, "seed_files") != 0)
        return true;
    if (!db_query(
            s->db, a,
            STR("SELECT c.oid IS NOT NULL AND pg_catalog.has_table_privilege(c.oid, 'SELECT')"
                " AND pg_catalog.has_schema_privilege('supabase_migrations', 'USAGE') FROM"
                " (SELECT pg_catalog.to_regclass('supabase_migrations.seed_files') AS oid) c"),
            &results, err))
        return false;
    if (!str_is(db_cell(&results.v[0], 0, 0), "t"))
        return true;
    if (!db_query(s->db, a, STR("SELECT path, hash FROM supabase_migrations.seed_files"), &results,
                  err))
        return false;
    vec_each (const Migration, m, &files.files)
        for (int i = 0; i < results.v[0].rows; i++) {
            const DbRows *rows = &results.v[0];
            if (!str_is(db_cell(rows, i, 0), m->name) || str_is(db_cell(rows, i, 1), m->checksum))
                continue;
            Finding *found = finding_add(ret, FINDING_SEED_CHANGED,
                                         "the seed was changed after it was run here");
            found->path = m->path;
            found->fix = "run it again as it is now: aramid seed";
        }
    return true;
}

/* ---- the command -------------------------------------------------------------------------------- */

typedef VEC(const char *) Words;

/* At spaces, as Prisma does it: quotes mean nothing, a backslash keeps the space behind it. */
static void
split_words(Arena *a, const char *text, Words *ret)
{
    Buf word;
    buf_init(&word, a);
    for (const char *p = text;; p++) {
        if (*p == '\\' && p[1] == ' ') {
            buf_addc(&word, *++p);
            continue;
        }
        if (*p && *p != ' ' && *p != '\t' && *p != '\n') {
            buf_addc(&word, *p);
            continue;
        }
        if (word.n)
            *vec_add(a, ret) = str_dup(a, buf_str(&word));
        buf_clear(&word);
        if (!*p)
            return;
    }
}

/* Words that only a shell understands would be passed to the first program, unseen. */
static bool
check_words(const SeedResult *r, const Words *words, Err *err)
{
    static const char *const of_shell[] = {"&&", "||", "|", ";", ">", ">>", "<", "&"};
    if (!words->n)
        return err_set(err, ERR_SEED, "the seed command is empty (%s)", r->origin);
    vec_each (const char *const, w, words)
        for (size_t i = 0; i < COUNT(of_shell); i++) {
            if (strcmp(*w, of_shell[i]) != 0)
                continue;
            err_set(err, ERR_SEED, "the seed command has \"%s\", and no shell reads it", *w);
            err_detail(err, "%s: %s", r->origin, r->command);
            return err_hint(err,
                            "make a script of package.json of it, and seed with: npm run NAME");
        }
    if (!os_env(RUNNING))
        return true;
    err_set(err, ERR_SEED, "the seed command runs aramid seed again");
    err_detail(err, "%s: %s", r->origin, r->command);
    return err_hint(err, "let it run what makes the rows, not a script that calls aramid seed");
}

static bool
is_set_by_us(const Config *c, Str name)
{
    bool is = str_is(name, "DATABASE_URL") || str_is(name, "DIRECT_URL") || str_is(name, "PATH");
    vec_each (const char *const, v, &c->url_variables)
        is = is || str_is(name, *v);
    return is;
}

static const char *const *
environment(Arena *a, const Config *c, const Target *t, const char *folder)
{
    Words env = {0};
    ConfigList all = config_environment(a, c);
    for (size_t i = 0; i < all.n; i++)
        if (!is_set_by_us(c, (Str){all.v[i], strcspn(all.v[i], "=")}))
            *vec_add(a, &env) = all.v[i];
    ConfigList own = flow_urls(a, c, t);
    vec_each (const char *const, v, &own)
        *vec_add(a, &env) = *v;
    *vec_add(a, &env) = flow_path(a, folder);
    *vec_add(a, &env) = RUNNING "=1";
    *vec_add(a, &env) = NULL;
    return env.v;
}

/* A program of node_modules by its path: it is looked for by us, in our own PATH. */
static void
find_program(Arena *a, const char *folder, Words *words)
{
    const char *name = words->v[0];
    if (strchr(name, '/'))
        return;
    const char *bin = fs_join(a, "node_modules/.bin", name), *dir = flow_find_up(a, folder, bin);
    if (dir)
        words->v[0] = fs_join(a, dir, bin);
}

static void
find_command(Arena *a, const SeedInput *in, SeedResult *r)
{
    const ConfigValue *v = &in->base.config->values[CFG_SEED];
    Buf b;
    if (!v->text)
        return;
    buf_init(&b, a);
    buf_addz(&b, v->text);
    for (size_t i = 0; i < in->argument_count; i++)
        buf_fmt(&b, " %s", in->arguments[i]);
    r->command = b.p;
    r->origin = v->origin;
    r->folder = in->base.config->project_dir;
}

static bool
prepare(Arena *a, const SeedInput *in, const SeedResult *r, Words *ret, Err *err)
{
    if (!r->command)
        return true;
    split_words(a, in->base.config->values[CFG_SEED].text, ret);
    if (!check_words(r, ret, err))
        return false;
    for (size_t i = 0; i < in->argument_count; i++)
        *vec_add(a, ret) = in->arguments[i];
    find_program(a, r->folder, ret);
    *vec_add(a, ret) = NULL;
    return true;
}

static bool
run_command(Arena *a, const SeedInput *in, SeedResult *r, const Words *words, Err *err)
{
    const Config *c = in->base.config;
    if (in->on_command)
        in->on_command(in->arg, r->command);
    const FlowCommand command = {.in = &in->base,
                                 .name = r->command,
                                 .argv = words->v,
                                 .env = environment(a, c, &r->scripts.target, r->folder),
                                 .folder = r->folder,
                                 .timeout_ms = config_ms(c, CFG_RUN_TIMEOUT),
                                 .on_output = in->on_output,
                                 .arg = in->arg};
    int64_t started = clock_ms();
    bool ok = flow_command(a, &command, &r->status, err);
    r->ms = clock_ms() - started;
    r->has_run = ok;
    if (!ok && err->code == ERR_IO) {
        err->code = ERR_SEED;
        return err_hint(err, "is it installed? the command is from %s", r->origin);
    }
    if (!ok)
        return err->code == ERR_INTERRUPTED
                   ? err_detail(err, "what the seed command has written until then stays")
                   : false;
    if (r->status == 0)
        return true;
    if (r->status > 128)
        err_set(err, ERR_SEED, "the seed command was ended by signal %d", r->status - 128);
    else
        err_set(err, ERR_SEED, "the seed command failed with exit status %d", r->status);
    err_detail(err, "%s: %s", r->origin, r->command);
    err_detail(err, "what it said stands above; what it has written until then stays");
    return err_hint(err, "correct it and run: aramid seed");
}

bool
flow_seed_sum(Arena *a, const Config *c, const char **ret, Err *err)
{
    const Script script = {.kind = SCRIPT_SEED};
    const SeedInput in = {.base = {.config = c}};
    SeedResult r = {0};
    History files;
    Words words = {0};
    *ret = NULL;
    find_command(a, &in, &r);
    if (!list_files(a, c, &script, &files, err))
        return false;
    if (!files.files.n && !r.command)
        return true;
    HashState *h = hash_sha256_begin(a);
    vec_each (const Migration, m, &files.files)
        hash_sha256_add(h, str_of(str_fmt(a, "%s %s\n", m->name, m->checksum)));
    hash_sha256_add(h, str_of(r.command ? r.command : ""));
    split_words(a, r.command ? r.command : "", &words);
    vec_each (const char *const, w, &words) {
        Str text;
        Err ignored;
        if (fs_read(a, fs_join(a, r.folder, *w), 0, &text, &ignored))
            hash_sha256_add(h, text);
    }
    *ret = hash_sha256_end(a, h);
    return true;
}

/* ---- all of it ---------------------------------------------------------------------------------- */

bool
flow_seed(Arena *a, const SeedInput *in, SeedResult *ret, Err *err)
{
    const Config *c = in->base.config;
    const Script script = {.kind = SCRIPT_SEED, .run_id = in->run_id, .again = in->again};
    History files;
    Words words = {0};
    *ret = (SeedResult){.scripts = {.config = c, .run_id = in->run_id}};
    find_command(a, in, ret);
    if (!list_files(a, c, &script, &files, err) || !prepare(a, in, ret, &words, err))
        return false;
    if (!files.files.n && !ret->command)
        return true;
    const ScriptsInput s = {
        .base = in->base,
        .sink = in->sink,
        .run_id = in->run_id,
        .show_progress = in->show_progress,
        .verb = "seed",
        .again = "seed",
        .one_tx = true,
        .many_tx_hint =
            "a seed is all or nothing; what needs transactions of its own: aramid execute",
        .only_plan = in->only_plan,
        .accepts_loss = in->accepts_loss,
        .care = SCRIPTS_SEED,
        .more = ret->command ? str_fmt(a, "the seed command runs: %s", ret->command) : NULL,
        .reason = in->reason,
        .on_plan = in->on_plan,
        .ask = in->ask,
        .arg = in->arg,
    };
    if (!flow_scripts(a, &s, &files, &ret->scripts, err))
        return false;
    if (in->only_plan || !ret->command)
        return true;
    bool ok = run_command(a, in, ret, &words, err);
    flow_scripts_record(a, &s, &ret->scripts, ret->command, ok ? NULL : err);
    return ok;
}
