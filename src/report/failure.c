/* What stands behind an error that ended a deploy or a restore. */
#include "report/failure.h"

#include "base/fs.h"
#include "sqltext/sqltext.h"

enum { SHOWN_BYTES = 300 };

static const char *
connection_words(Arena *a, const Err *err, const Target *t)
{
    const char *where = t->shown ? t->shown : "the server";
    if (err->code == ERR_CONNECTION_LOST || err->code == ERR_UNREACHABLE ||
        err->code == ERR_SERVER_BUSY)
        return str_fmt(a, "broken: %s did not answer any more", where);
    if (err->code == ERR_TIMEOUT)
        return str_fmt(a, "%s did not answer in time", where);
    return str_fmt(a, "good: %s answered to the end", where);
}

static const char *
first_line(Arena *a, Str text)
{
    text = str_trim(text);
    Str line = str_cut(&text, '\n');
    bool is_cut = text.p || line.n > SHOWN_BYTES;
    return str_fmt(a, STR_FMT "%s",
                   STR_ARG(str_slice(line, 0, line.n < SHOWN_BYTES ? line.n : SHOWN_BYTES)),
                   is_cut ? " ..." : "");
}

/* Statement number `number`, from 1, of a migration. */
static const char *
statement_of(Arena *a, const History *h, const char *name, int number)
{
    vec_each (const Migration, m, &h->files) {
        Err ignored;
        SqlScript script;
        Str text;
        ARENA_LOCAL(scratch);
        if (strcmp(m->name, name) != 0 || number < 1 ||
            !migration_text(scratch, m, &text, &ignored) ||
            !sql_split(scratch, m->path, text, &script, &ignored) ||
            (size_t)number > script.stmts.n)
            continue;
        const SqlSpan *s = &script.stmts.v[number - 1];
        /* More than is shown, so that no URL is cut where it is looked for. */
        size_t n = s->len < 16 * SHOWN_BYTES ? s->len : 16 * SHOWN_BYTES;
        text = str_slice(script.text, s->off, s->off + n);
        return first_line(a, str_of(url_redact(a, text, NULL, 0)));
    }
    return NULL;
}

/* Also where nothing was begun: production waits for somebody. */
static const char *
contacts_of(Arena *a, const Config *c)
{
    ConfigList list = config_list(a, c, CFG_CONTACTS);
    Buf b;
    buf_init(&b, a);
    vec_each (const char *const, who, &list)
        buf_fmt(&b, "%s%s", b.n ? "; " : "", *who);
    return c->profile == PROFILE_PRODUCTION && b.n ? b.p : NULL;
}

bool
failure_of_deploy(Arena *a, const DeployResult *r, const Err *err, Failure *ret)
{
    *ret = (Failure){.contacts = err->code == ERR_CONFIRM ? NULL : contacts_of(a, r->config)};
    if (!r->run.failed && !r->backup_id)
        return false;
    ret->backup =
        r->backup_id
            ? str_fmt(a, "%s: made before the first change and read back as a whole", r->backup_id)
            : "none was made by this run";
    ret->connection = connection_words(a, err, &r->target);
    if (r->run.failed)
        ret->statement = statement_of(a, &r->history, r->run.failed, err->statement);
    if (r->backup_id)
        ret->restore = str_fmt(a, "aramid restore %s", r->backup_id);
    return true;
}

bool
failure_of_restore(Arena *a, const RestoreReport *r, const Err *err, Failure *ret)
{
    *ret = (Failure){0};
    if (!r->path || r->is_drill || err->code == ERR_CONFIRM)
        return false;
    const char *name = r->manifest ? r->manifest->id : fs_basename(r->path);
    const char *state = err->code == ERR_BACKUP_BROKEN ? "damaged"
                        : !r->survey.sha256            ? "not read to its end"
                        : r->manifest                  ? "whole, as its manifest says"
                                                       : "whole, without a manifest";
    ret->backup = str_fmt(a, "%s: %s", name, state);
    ret->connection = r->survey.sha256 ? connection_words(a, err, &r->target) : NULL;
    ret->restore = err->code == ERR_BACKUP_BROKEN ? "aramid backup list" : NULL;
    return true;
}

static void
add(Buf *out, const Term *t, const char *label, const char *text)
{
    if (!text)
        return;
    buf_addz(out, "  ");
    term_add(out, t, TERM_BLUE, str_fmt(out->arena, "%-12s", label));
    buf_fmt(out, "%s\n", str_printable(out->arena, str_of(text), false));
}

void
failure_text(Buf *out, const Term *t, const Failure *f)
{
    add(out, t, "log:", f->log);
    add(out, t, "backup:", f->backup);
    add(out, t, "connection:", f->connection);
    add(out, t, "statement:", f->statement);
    add(out, t, "restore:", f->restore);
    add(out, t, "call:", f->contacts);
}

void
failure_json(JsonWriter *w, const Failure *f)
{
    if (!f) {
        jw_null(w, "failure");
        return;
    }
    jw_object(w, "failure");
    jw_strz(w, "backup", f->backup);
    jw_strz(w, "connection", f->connection);
    jw_strz(w, "statement", f->statement);
    jw_strz(w, "restore", f->restore);
    jw_end(w);
}
