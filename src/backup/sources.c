/* The ways to dump: pg_dump, our own, a command of the user's. */
#include "backup/backup_int.h"

#include "backup/native.h"
#include "backup/tools.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/os.h"
#include "base/secret.h"
#include "sqltext/sqltext.h"

#include <signal.h>
#include <unistd.h>

enum { PIECE = 256 * 1024, TELL_MS = 200, LOCK_WAIT_MIN_MS = 2000, GONE_MS = 5000, ID_MAX = 1000 };

/* ---- reaching the server -------------------------------------------------------------------- */

static void
add_keyword(Buf *b, const char *key, const char *value)
{
    if (!value)
        return;
    buf_fmt(b, "%s%s='", b->n ? " " : "", key);
    for (const char *p = value; *p; p++) {
        if (*p == '\'' || *p == '\\')
            buf_addc(b, '\\');
        buf_addc(b, *p);
    }
    buf_addc(b, '\'');
}

static bool
has_param(const DbUrl *u, const char *key)
{
    vec_each (const UrlParam, p, &u->params)
        if (strcmp(p->key, key) == 0)
            return true;
    return false;
}

/* What db/ would connect with, as one text without secrets: it stands in the process list. */
static bool
connection_text(Arena *a, const BackupRequest *r, const char *application, const char *options,
                const char **ret, Err *err)
{
    const DbUrl *u = r->url;
    Buf hosts, ports, b;
    buf_init(&hosts, a);
    buf_init(&ports, a);
    buf_init(&b, a);
    vec_each (const UrlHost, h, &u->hosts) {
        buf_fmt(&hosts, "%s%s", hosts.n ? "," : "", h->host);
        buf_fmt(&ports, "%s%d", ports.n ? "," : "", h->port);
    }
    add_keyword(&b, "host", hosts.p);
    add_keyword(&b, "port", ports.p);
    add_keyword(&b, "user", u->user);
    add_keyword(&b, "dbname", u->database ? u->database : "postgres");
    static const char *const defaults[][2] = {{"gssencmode", "disable"},
                                              {"keepalives_idle", "5"},
                                              {"keepalives_interval", "2"},
                                              {"keepalives_count", "3"},
                                              {"tcp_user_timeout", "10000"}};
    for (size_t i = 0; i < COUNT(defaults); i++)
        if (!has_param(u, defaults[i][0]))
            add_keyword(&b, defaults[i][0], defaults[i][1]);
    int64_t connect = config_ms(r->config, CFG_CONNECT_TIMEOUT);
    add_keyword(&b, "connect_timeout", str_fmt(a, "%lld", (long long)(connect + 1999) / 1000));
    vec_each (const UrlParam, p, &u->params) {
        if (strcmp(p->key, "sslpassword") == 0) {
            err_set(err, ERR_CONFIG, "pg_dump cannot be given the password of a client key");
            return err_hint(err, "use a key without one, or backup.method: native");
        }
        if (strcmp(p->key, "options") == 0) /* the last one of a setting counts */
            options = str_fmt(a, "%s%s", p->value, options);
        else if (strcmp(p->key, "application_name") != 0)
            add_keyword(&b, p->key, p->value);
    }
    if (options[0])
        add_keyword(&b, "options", options);
    add_keyword(&b, "application_name", application);
    *ret = b.p;
    return true;
}

/* Whether both are settings of the same variable; `b` may be its name only. */
static bool
same_variable(const char *a, const char *b)
{
    size_t n = strcspn(b, "=");
    return strncmp(a, b, n) == 0 && a[n] == '=';
}

/* Our environment without secrets, but for those in `given` (ends with NULL), and without what would
 * change the dump, with the password and `more`, which ends with NULL. */
static const char *const *
environment(Arena *a, const char *password, const char *const *more, const char *const *given)
{
    VEC(const char *) own = {0}, env = {0};
    password = password ? password : os_env("PGPASSWORD");
    if (password)
        *vec_add(a, &own) = str_fmt(a, "PGPASSWORD=%s", password);
    /* A restore reads the rows back and compares their text. */
    *vec_add(a, &own) = "PGTZ=UTC";
    for (; *more; more++)
        *vec_add(a, &own) = *more;
    static const char *const dropped[] = {"PGOPTIONS", "PGCLIENTENCODING", "PGDATESTYLE",
                                          "PGAPPNAME", "PGGEQO"};
    for (const char *const *e = secret_free_environment(a, given); *e; e++) {
        bool drop = false;
        for (size_t i = 0; i < COUNT(dropped); i++)
            drop |= same_variable(*e, dropped[i]);
        vec_each (const char *const, o, &own)
            drop |= same_variable(*e, *o);
        if (!drop)
            *vec_add(a, &env) = *e;
    }
    vec_each (const char *const, o, &own)
        *vec_add(a, &env) = *o;
    *vec_add(a, &env) = NULL;
    return env.v;
}

/* ---- the end of a session ------------------------------------------------------------------- */

/* A pg_dump that was killed may leave its COPY running on the server: wait a moment, then end it.
 */
static void
end_session(const BackupRequest *r, const char *application)
{
    ARENA_LOCAL(a);
    Err ignored;
    Db *db = NULL;
    if (!backup_connect(a, r, "aramid/backup", true, &db, &ignored))
        return;
    Buf q;
    buf_init(&q, a);
    for (int64_t from = clock_ms(), now = from;; now = clock_ms()) {
        bool late = now - from > GONE_MS / 2;
        buf_clear(&q);
        buf_fmt(&q,
                "SELECT %s FROM pg_catalog.pg_stat_activity"
                " WHERE application_name OPERATOR(pg_catalog.=) ",
                late ? "pg_catalog.pg_terminate_backend(pid)" : "pid");
        sql_add_literal(&q, str_of(application));
        DbRowsVec results;
        if (!db_query(db, a, buf_str(&q), &results, &ignored) || !results.v[0].rows ||
            now - from > GONE_MS)
            break;
        clock_sleep_ms(50);
    }
    db_close(db);
}

/* ---- pg_dump -------------------------------------------------------------------------------- */

typedef struct Dump {
    const BackupRequest *request;
    const BackupFacts *facts;
    BackupOutput *out;
    DumpReader *reader;
    Buf *text; /* or all of it into this */
    int64_t told, bytes;
} Dump;

typedef VEC(const char *) Args;

static void
tell(Dump *d)
{
    int64_t now = clock_ms();
    if (!d->request->tell || now - d->told < TELL_MS)
        return;
    d->told = now;
    d->request->tell(
        d->request->tell_arg,
        &(BackupProgress){.bytes = d->bytes,
                          .all_bytes = d->facts->bytes,
                          .tables = d->reader ? dump_read_totals(d->reader)->tables : 0,
                          .all_tables = d->reader ? d->facts->tables : 0});
}

static bool
take(void *arg, Str bytes, Err *err)
{
    Dump *d = arg;
    d->bytes += (int64_t)bytes.n;
    if (d->text) {
        buf_add(d->text, bytes);
        return true;
    }
    if ((d->reader && !dump_read(d->reader, bytes, err)) ||
        !backup_output_write(d->out, bytes, err))
        return false;
    tell(d);
    return true;
}

/* Move all that the child writes. */
static bool
drain(Arena *a, Dump *d, Child *c, Err *err)
{
    char *piece = arena_alloc(a, PIECE);
    for (size_t n;;) {
        if (!child_exchange(c, NULL, piece, PIECE, &n, err))
            return false;
        if (!n)
            return true;
        if (!take(d, (Str){piece, n}, err))
            return false;
    }
}

/* pg_dump's own words decide what kind of failure it was. */
static bool
dump_failed(Arena *a, const ChildResult *result, const char *program, Err *err)
{
    bool locked = str_contains(result->out, STR("statement timeout")) ||
                  str_contains(result->out, STR("lock timeout"));
    if (result->timed_out)
        err_set(err, ERR_TIMEOUT, "pg_dump did not end within backup.timeout");
    else if (locked)
        err_set(err, ERR_LOCK_BUDGET, "a table stayed locked, so that pg_dump could not begin");
    else if (str_contains(result->out, STR("row-level security")))
        err_set(err, ERR_DENIED, "row-level security hides rows from the role of the backup");
    else if (result->status > 128)
        err_set(err, ERR_BACKUP, "pg_dump was killed by signal %d", result->status - 128);
    else
        err_set(err, ERR_BACKUP, "pg_dump failed (exit status %d)", result->status);
    Str out = str_trim(result->out);
    if (out.n)
        err_detail(err, "%s", str_printable(a, out, true));
    return err_detail(err, "it was: %s", program);
}

/* Run it with these arguments and those that lead to the database. */
static bool
dump_run(Arena *a, Dump *d, Args *argv, Err *err)
{
    const BackupRequest *r = d->request;
    const Config *c = r->config;
    const char *application = str_fmt(a, "aramid/%s/dump", os_self_tag(a)), *text;
    if (!connection_text(a, r, application, d->facts->options, &text, err))
        return false;
    const char *const ends[] = {"--no-password", "-d", text, NULL};
    for (size_t i = 0; i < COUNT(ends); i++)
        *vec_add(a, argv) = ends[i];
    const char *none = NULL;
    const ChildOptions o = {.argv = argv->v,
                            .trace = c->trace,
                            .env = environment(a, r->url->password, &none, NULL),
                            .out = CHILD_PIPE,
                            .messages = CHILD_KEEP,
                            .timeout_ms = config_ms(c, CFG_BACKUP_TIMEOUT),
                            .tick = r->tick,
                            .tick_arg = r->tick_arg};
    CHILD_LOCAL child;
    ChildResult result = {0};
    if (!child_start(a, &o, &child, err))
        return false;
    bool ok = drain(a, d, &child, err);
    if (ok)
        ok = child_finish(&child, &result, err) && ((result.status == 0 && !result.timed_out) ||
                                                    dump_failed(a, &result, argv->v[0], err));
    if (ok)
        return true;
    child_end(&child);
    end_session(r, application);
    return false;
}

static bool
dump_once(Arena *a, Dump *d, const char *program, BackupFormat format, Err *err)
{
    Args argv = {0};
    int64_t wait = config_ms(d->request->config, CFG_LOCK_TIMEOUT);
    const char *const words[] = {
        program, format == BACKUP_CUSTOM ? "-Fc" : "-Fp",
        /* nothing is converted: odd bytes stay what they are */
        str_fmt(a, "--encoding=%s", d->facts->encoding),
        str_fmt(a, "--lock-wait-timeout=%lld",
                (long long)(wait > LOCK_WAIT_MIN_MS ? wait : LOCK_WAIT_MIN_MS))};
    for (size_t i = 0; i < COUNT(words); i++)
        *vec_add(a, &argv) = words[i];
    return dump_run(a, d, &argv, err);
}

/* Since 18.0 and these minors. */
static bool
has_restrict_key(const PgProgram *p)
{
    static const int minors[] = {22, 19, 14, 10, 6}; /* 13 to 17 */
    const char *dot = strchr(p->version, '.');
    long long minor = 0;
    if (p->major < 13 || p->major > 17)
        return p->major > 17;
    return dot && str_to_int((Str){dot + 1, strspn(dot + 1, "0123456789")}, 0, 9999, &minor) &&
           minor >= minors[p->major - 13];
}

bool
backup_schema_text(Arena *a, const BackupRequest *r, const char *key, Str *ret, Err *err)
{
    BackupFacts facts;
    PgProgram p;
    Args argv = {0};
    Buf text;
    buf_init(&text, a);
    if (!backup_facts(a, r, &facts, err) ||
        !backup_find_tool(a, "pg_dump", r->config->values[CFG_BACKUP_BIN].text,
                          facts.server_number / 10000, &p, err))
        return false;
    Dump d = {.request = r, .facts = &facts, .text = &text, .told = clock_ms()};
    const char *const words[] = {p.path,          "--format=plain",  "--encoding=UTF8",
                                 "--schema-only", "--no-privileges", "--no-owner"};
    for (size_t i = 0; i < COUNT(words); i++)
        *vec_add(a, &argv) = words[i];
    if (has_restrict_key(&p))
        *vec_add(a, &argv) = str_fmt(a, "--restrict-key=%s", key);
    bool ok = dump_run(a, &d, &argv, err);
    *ret = buf_str(&text);
    return ok;
}

bool
backup_pg_dump(Arena *a, const BackupRequest *r, const BackupFacts *facts, const char *program,
               BackupFormat format, BackupOutput *out, DumpReader *reader, Err *err)
{
    Dump d = {.request = r, .facts = facts, .out = out, .reader = reader, .told = clock_ms()};
    int64_t started = clock_ms(), budget = config_ms(r->config, CFG_LOCK_BUDGET);
    for (int attempt = 1;; attempt++) {
        ArenaMark mark = arena_mark(a);
        if (dump_once(a, &d, program, format, err))
            return true;
        /* It locks all tables before it writes the first byte. */
        if (err->code != ERR_LOCK_BUDGET || d.bytes)
            return false;
        if (clock_ms() - started > budget)
            return err_hint(err, "look at: aramid unlock; or end the transaction that holds it");
        arena_reset(a, mark);
        if (r->find && attempt == 1)
            r->find(r->find_arg, FINDING_BACKUP_LOCKED,
                    "a table is locked by others; trying again until it is free");
        if (!db_pause(r->tick, r->tick_arg, db_retry_ms(DB_PATIENCE_DUMP, 0, attempt)))
            return err_set(err, ERR_INTERRUPTED, "interrupted while a table was locked");
    }
}

/* ---- our own -------------------------------------------------------------------------------- */

static void
db_close_cleanup(Db **db)
{
    db_close(*db);
}

bool
backup_native(Arena *a, const BackupRequest *r, const BackupFacts *facts, BackupOutput *out,
              DumpReader *reader, Err *err)
{
    Dump d = {.request = r, .facts = facts, .out = out, .reader = reader, .told = clock_ms()};
    __attribute__((cleanup(db_close_cleanup))) Db *db = NULL;
    NativeOptions o = {.write = take,
                       .write_arg = &d,
                       .lock_ms = config_ms(r->config, CFG_LOCK_BUDGET),
                       .version = ARAMID_VERSION};
    NativeDump dump;
    return backup_connect(a, r, str_fmt(a, "aramid/%s/dump", os_self_tag(a)), false, &db, err) &&
           backup_native_dump(a, db, &o, &dump, err);
}

/* ---- the user's command --------------------------------------------------------------------- */

/* The variables that look like secrets and that it is given: those of the setting, and those that its
 * own words name. */
static ConfigList
given_to_command(Arena *a, const Config *c, ConfigList *ret_kept_back)
{
    ConfigList given = config_list(a, c, CFG_BACKUP_COMMAND_ENV);
    Str command = str_of(c->values[CFG_BACKUP_COMMAND].text);
    *ret_kept_back = (ConfigList){0};
    for (const char *const *e = config_secret_variables(a); *e; e++) {
        bool is_given = str_contains(command, str_of(*e));
        vec_each (const char *const, g, &given)
            is_given = is_given || strcmp(*g, *e) == 0;
        *vec_add(a, is_given ? &given : ret_kept_back) = *e;
    }
    *vec_add(a, &given) = NULL;
    return given;
}

static bool
command_failed(Arena *a, const ChildResult *result, const ConfigList *kept_back, Err *err)
{
    err_set(err, ERR_BACKUP, "the backup command failed (exit status %d)", result->status);
    Str said = str_trim(result->out);
    if (said.n)
        err_detail(err, "%s", str_printable(a, said, true));
    Buf names;
    buf_init(&names, a);
    vec_each (const char *const, k, kept_back)
        buf_fmt(&names, "%s%s", names.n ? ", " : "", *k);
    return names.n
               ? err_hint(err,
                          "it was not given %s; backup.command_env: [NAME] in aramid.yaml gives "
                          "it what it needs",
                          str_printable(a, buf_str(&names), false))
               : false;
}

bool
backup_command(Arena *a, const BackupRequest *r, const BackupFacts *facts, const char *id,
               const char **ret_id, Err *err)
{
    const Config *c = r->config;
    const char *command = c->values[CFG_BACKUP_COMMAND].text;
    const UrlHost *host = &r->url->hosts.v[0];
    const char *more[] = {str_fmt(a, "ARAMID_BACKUP_NAME=%s", id),
                          str_fmt(a, "ARAMID_BACKUP_DIR=%s", c->values[CFG_BACKUP_DIR].text),
                          str_fmt(a, "ARAMID_ENV=%s", c->env_name),
                          str_fmt(a, "PGHOST=%s", host->host),
                          str_fmt(a, "PGPORT=%d", host->port),
                          str_fmt(a, "PGUSER=%s", facts->user),
                          str_fmt(a, "PGDATABASE=%s", facts->database),
                          NULL};
    const char *argv[] = {"/bin/sh", "-c", command, NULL};
    ConfigList kept_back, given = given_to_command(a, c, &kept_back);
    const ChildOptions o = {.argv = argv,
                            .trace = c->trace,
                            .env = environment(a, r->url->password, more, given.v),
                            .folder = c->project_dir,
                            .out = CHILD_PIPE,
                            .messages = CHILD_KEEP,
                            .timeout_ms = config_ms(c, CFG_BACKUP_TIMEOUT),
                            .tick = r->tick,
                            .tick_arg = r->tick_arg};
    CHILD_LOCAL child;
    ChildResult result;
    if (!child_start(a, &o, &child, err))
        return false;
    Buf out;
    buf_init(&out, a);
    char piece[4096];
    for (size_t n = 1; n;) {
        if (!child_exchange(&child, NULL, piece, sizeof piece, &n, err))
            return false;
        if (out.n < ID_MAX + 2)
            buf_add(&out, (Str){piece, n});
    }
    if (!child_finish(&child, &result, err))
        return false;
    if (result.status != 0 || result.timed_out)
        return command_failed(a, &result, &kept_back, err);
    Str text = str_trim(buf_str(&out));
    if (!text.n || text.n > ID_MAX || memchr(text.p, '\n', text.n)) {
        err_set(err, ERR_BACKUP, "the backup command did not print an id");
        return err_hint(err, "it has to print one line: what names the backup where it is kept");
    }
    *ret_id = str_printable(a, text, false);
    return true;
}
