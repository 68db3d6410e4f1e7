/* The archive for support: what helps, and nothing that is anybody's business. */
#include "base/clock.h"
#include "base/fs.h"
#include "base/jr.h"
#include "base/os.h"
#include "base/tar.h"
#include "report/config.h"

#include "report/doctor.h"
#include "report/migrations.h"

#include <sys/utsname.h>

enum { RUNS = 5, LOG_MAX = 4 * 1024 * 1024 };

typedef struct Builder {
    Arena *a;
    const BundleInput *in;
    Bundle *ret;
    int64_t now_s;
} Builder;

static void
put(Builder *b, const char *name, const char *what, Str text)
{
    tar_add(&b->ret->tar, name, text, b->now_s);
    *vec_add(b->a, &b->ret->files) = (BundleFile){name, what, text.n};
}

/* Text: known secrets and whatever looks like a password. */
static void
put_text(Builder *b, const char *name, const char *what, const Buf *text)
{
    put(b, name, what,
        str_of(url_redact(b->a, buf_str(text), b->in->secrets->v, b->in->secrets->n)));
}

/* JSON whose strings were looked through when they were made: known secrets, so that it stays JSON.
 */
static void
put_json(Builder *b, const char *name, const char *what, const JsonWriter *w)
{
    put(b, name, what, url_hide(b->a, buf_str(&w->out), b->in->secrets->v, b->in->secrets->n));
}

static void
add_findings(Builder *b)
{
    Buf text;
    JsonWriter w;
    buf_init(&text, b->a);
    jw_init(&w, b->a, true);
    report_doctor_text(&text, &(Term){0}, b->in->doctor, false);
    report_doctor_json(&w, b->in->doctor, NULL);
    put_text(b, "doctor.txt", "what doctor found", &text);
    put_json(b, "doctor.json", "the same for programs", &w);
}

static void
add_status(Builder *b)
{
    Buf text;
    buf_init(&text, b->a);
    if (b->in->status)
        report_status_text(&text, &(Term){0}, b->in->status, false);
    else /* not its detail: the server's words may quote a row */
        buf_fmt(&text, "not known: %s\n", b->in->status_err->primary);
    put_text(b, "status.txt", "names of the migrations: applied, pending, failed", &text);
}

static void
add_config(Builder *b)
{
    Buf text;
    buf_init(&text, b->a);
    report_config_text(&text, &(Term){0}, b->in->doctor->config);
    put_text(b, "config.txt", "every setting and where it comes from, without secrets", &text);
}

/* ---- surroundings ---------------------------------------------------------------------------- */

/* Of these the value is shown, of the others below only whether they are set. */
static const char *const harmless[] = {
    "ARAMID_ENV", "CI",   "COLUMNS", "FORCE_COLOR", "GITHUB_ACTIONS",
    "GITLAB_CI",  "LANG", "LC_ALL",  "NODE_ENV",    "NO_COLOR",
    "PGSSLMODE",  "TERM", "TZ",      "VERCEL",      "VERCEL_ENV",
};
static const char *const only_named[] = {
    "ARAMID_PG_BINDIR",
    "ARAMID_PG_DATA",
    "DATABASE_URL",
    "DIRECT_URL",
    "HTTPS_PROXY",
    "KUBERNETES_SERVICE_HOST",
    "MIGRATION_DB_TIMEOUT",
    "MIGRATION_TIMEOUT",
    "PGDATABASE",
    "PGHOST",
    "PGOPTIONS",
    "PGPASSFILE",
    "PGPASSWORD",
    "PGPORT",
    "PGSERVICE",
    "PGSSLROOTCERT",
    "PGUSER",
    "POSTGRES_DB",
    "POSTGRES_HOST",
    "POSTGRES_PASSWORD",
    "POSTGRES_URL",
    "PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK",
    "SHADOW_DATABASE_URL",
    "SUPABASE_ACCESS_TOKEN",
    "SUPABASE_DB_PASSWORD",
    "TMPDIR",
    "XDG_CACHE_HOME",
};

/* Somebody may put anything into any variable. */
static bool
is_plain(const char *value)
{
    size_t n = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/");
    return !value[n] && n <= 40 && !strstr(value, "://");
}

static void
add_environment(Builder *b)
{
    Buf text;
    buf_init(&text, b->a);
    for (size_t i = 0; i < COUNT(harmless); i++) {
        const char *value = os_env(harmless[i]);
        if (value)
            buf_fmt(&text, "%s=%s\n", harmless[i], is_plain(value) ? value : "(set)");
    }
    for (size_t i = 0; i < COUNT(only_named); i++)
        if (os_env(only_named[i]))
            buf_fmt(&text, "%s is set%s\n", only_named[i],
                    os_env(only_named[i])[0] ? "" : " to nothing");
    put_text(b, "environment.txt", "which variables are set; values of harmless ones only", &text);
}

static void
add_versions(Builder *b)
{
    Buf text;
    Str release;
    Err ignored;
    struct utsname u;
    buf_init(&text, b->a);
    buf_fmt(&text, "aramid %s\n", ARAMID_VERSION);
    if (uname(&u) == 0)
        buf_fmt(&text, "%s %s %s\n", u.sysname, u.release, u.machine);
    if (fs_read(b->a, "/etc/os-release", 64 * 1024, &release, &ignored))
        for (Str rest = release; rest.p;) {
            Str line = str_cut(&rest, '\n');
            if (str_starts(line, STR("PRETTY_NAME=")))
                buf_fmt(&text, STR_FMT "\n", STR_ARG(line));
        }
    const DbInfo *s = b->in->doctor->server;
    if (s)
        buf_fmt(&text, "server: %s\n", db_server_text(text.arena, s));
    put_text(b, "versions.txt", "of Aramid, the system and the server", &text);
}

/* ---- runs ------------------------------------------------------------------------------------ */

static bool
is_one_of(Str key, const char *const *list)
{
    for (; *list; list++)
        if (str_is(key, *list))
            return true;
    return false;
}

/* Copy what is on the lists; texts are not, since a server's may quote a row and a statement. */
static void
copy_members(JsonReader *r, JsonWriter *w, bool is_error)
{
    static const char *const texts[] = {"time", "run", "event", "level", "migration", NULL};
    static const char *const numbers[] = {"index", "total", "step", "steps", "ms", NULL};
    static const char *const error_texts[] = {"code", "sqlstate", "path", NULL};
    static const char *const error_numbers[] = {"exitStatus", "line", "column", "statement", NULL};
    jr_object(r);
    for (Str key; jr_key(r, &key);) {
        const char *name = str_dup(w->out.arena, key);
        if (is_one_of(key, is_error ? error_texts : texts)) {
            if (jr_null(r))
                jw_null(w, name);
            else
                jw_str(w, name, jr_str(r));
        } else if (is_one_of(key, is_error ? error_numbers : numbers)) {
            if (jr_null(r))
                jw_null(w, name);
            else
                jw_int(w, name, jr_int(r));
        } else if (!is_error && str_is(key, "error")) {
            jw_object(w, "error");
            copy_members(r, w, true);
            jw_end(w);
        } else
            jr_skip(r);
    }
}

static Str
copy_events(Arena *a, Str log)
{
    Buf out;
    buf_init(&out, a);
    for (Str rest = log; rest.p;) {
        Str line = str_cut(&rest, '\n');
        JsonReader r;
        JsonWriter w;
        jr_init(&r, a, line);
        jw_init(&w, a, false);
        jw_object(&w, NULL);
        copy_members(&r, &w, false);
        jw_end(&w);
        if (!jr_done(&r)) /* cut by a crash */
            continue;
        buf_add(&out, buf_str(&w.out));
        buf_addc(&out, '\n');
    }
    return buf_str(&out);
}

static void
add_runs(Builder *b)
{
    const char *dir = fs_join(b->a, b->in->doctor->config->project_dir, ".aramid/runs");
    FsEntryVec list = {0};
    Err ignored;
    if (!fs_exists(dir) || !fs_list(b->a, dir, &list, &ignored))
        return;
    for (size_t i = list.n > RUNS ? list.n - RUNS : 0; i < list.n; i++) {
        Str log;
        const char *path = fs_join(b->a, dir, fs_join(b->a, list.v[i].name, "events.jsonl"));
        if (strlen(list.v[i].name) > 60 || !fs_read(b->a, path, LOG_MAX, &log, &ignored))
            continue;
        Str events = copy_events(b->a, log);
        put(b, str_fmt(b->a, "runs/%s.jsonl", list.v[i].name), "events of a run, without texts",
            url_hide(b->a, events, b->in->secrets->v, b->in->secrets->n));
    }
}

void
report_bundle(Arena *a, const BundleInput *in, Bundle *ret)
{
    Builder b = {.a = a, .in = in, .ret = ret, .now_s = clock_wall_us() / 1000000};
    buf_init(&ret->tar, a);
    add_findings(&b);
    add_status(&b);
    add_config(&b);
    add_environment(&b);
    add_versions(&b);
    add_runs(&b);
    tar_end(&ret->tar);
}

void
report_bundle_text(Buf *out, const Term *t, const Bundle *b)
{
    buf_addz(out, "\nWrote ");
    term_text(out, t, TERM_BOLD, str_of(b->path));
    buf_addz(out, " (only you can read it). It holds:\n");
    vec_each (const BundleFile, f, &b->files) {
        buf_fmt(out, "  %s", str_printable(out->arena, str_of(f->name), false));
        size_t n = strlen(f->name);
        buf_addn(out, ' ', n < 40 ? 42 - n : 2);
        term_add(out, t, TERM_DIM, f->what);
        buf_addc(out, '\n');
    }
    buf_addz(out, "No passwords, no rows, no SQL. Look into it before you send it: tar -xOf ");
    term_text(out, t, TERM_PLAIN, str_of(str_shell(out->arena, b->path)));
    buf_addz(out, " | less\n");
}
