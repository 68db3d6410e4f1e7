/* Changes in two steps: what was written, and how far they have come. */
#include "report/expand.h"

static const char *
what_text(Arena *a, const ExpandChange *c)
{
    Buf b;
    buf_init(&b, a);
    buf_fmt(&b, "%s %s%s%s", expand_kind_name(c->kind), c->table, c->column ? "." : "",
            c->column ? c->column : "");
    for (size_t i = 0; i < c->made.n; i++)
        buf_fmt(&b, "%s%s", i ? ", " : " -> ", c->made.v[i]);
    return str_printable(a, buf_str(&b), false);
}

/* What running code may do between the two steps. */
static const char *
between_text(const ExpandChange *c)
{
    switch (c->kind) {
    case EXPAND_NOT_NULL:
        return "deploy code that never writes NULL there; until then a trigger fills it";
    case EXPAND_DROP_COLUMN:
        return "deploy code that does not use the column";
    case EXPAND_RENAME_TABLE:
        return "deploy code that uses the new name; until then a view has the old one";
    case EXPAND_RENAME_COLUMN:
    case EXPAND_CHANGE_TYPE:
    case EXPAND_SPLIT:
    case EXPAND_KIND_COUNT:
        break;
    }
    return "deploy code that uses the new column only; until then a trigger keeps both alike";
}

static void
add_next(Buf *out, const ExpandResult *r)
{
    const ExpandChange *c = &r->script.change;
    if (r->is_contract) {
        buf_addz(out, "\nWhen no running code uses what goes: aramid deploy, then aramid pull\n");
        return;
    }
    buf_fmt(out,
            "\n  1. aramid deploy, then aramid pull (schema.prisma): old and new code work\n"
            "  2. %s\n"
            "  3. when no running code needs the old way: aramid expand-contract contract %s\n",
            between_text(c), c->name);
}

void
report_expand_text(Buf *out, const Term *t, const ExpandResult *r, bool written)
{
    vec_each (const CreateFile, f, &r->files) {
        if (written) {
            term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
            buf_addc(out, ' ');
            term_text(out, t, TERM_BOLD, str_of(f->shown));
            buf_addc(out, '\n');
        } else {
            term_text(out, t, TERM_DIM, str_of(str_fmt(out->arena, "-- %s", f->shown)));
            buf_fmt(out, "\n%s\n", str_printable(out->arena, f->text, true));
        }
    }
    vec_each (const char *, n, &r->script.notes)
        buf_fmt(out, "  note: %s\n", str_printable(out->arena, str_of(*n), false));
    if (written)
        add_next(out, r);
}

static void
texts(JsonWriter *w, const char *key, const CatTexts *list)
{
    jw_array(w, key);
    vec_each (const char *, x, list)
        jw_strz(w, NULL, *x);
    jw_end(w);
}

static void
change_members(JsonWriter *w, const ExpandChange *c)
{
    jw_strz(w, "name", c->name);
    jw_strz(w, "kind", expand_kind_name(c->kind));
    jw_strz(w, "schema", c->schema);
    jw_strz(w, "table", c->table);
    jw_strz(w, "column", c->column);
    texts(w, "new", &c->made);
}

void
report_expand_json(JsonWriter *w, const ExpandResult *r, bool written)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "expand-contract");
    jw_bool(w, "ok", true);
    jw_strz(w, "step", r->is_contract ? "contract" : "expand");
    change_members(w, &r->script.change);
    jw_bool(w, "written", written);
    jw_array(w, "files");
    vec_each (const CreateFile, f, &r->files) {
        jw_object(w, NULL);
        jw_strz(w, "path", f->shown);
        jw_str(w, "text", f->text);
        jw_end(w);
    }
    jw_end(w);
    texts(w, "notes", &r->script.notes);
    jw_end(w);
}

/* ---- state --------------------------------------------------------------------------------------- */

static const char *
next_text(Arena *a, const ExpandShown *s)
{
    switch (s->state) {
    case EXPAND_PENDING:
        return "next: aramid deploy";
    case EXPAND_RUNNING:
        return "it was begun; aramid deploy finishes it";
    case EXPAND_EXPANDED:
        return str_fmt(a,
                       "old and new code work; when nothing needs the old way: aramid "
                       "expand-contract contract %s",
                       s->change.name);
    case EXPAND_CONTRACTING:
        return "when no running code needs the old way: aramid deploy";
    case EXPAND_UNKNOWN:
    case EXPAND_CONTRACTED:
    case EXPAND_STATE_COUNT:
        break;
    }
    return "";
}

void
report_changes_text(Buf *out, const Term *t, const ExpandShownVec *changes, bool all)
{
    bool any = false;
    vec_each (const ExpandShown, s, changes) {
        if (!all && s->state == EXPAND_CONTRACTED)
            continue;
        if (!any)
            buf_addz(out, "\nChanges in two steps:\n");
        any = true;
        buf_addz(out, "  ");
        term_text(out, t, TERM_BOLD, str_of(s->change.name));
        buf_fmt(out, "  %s: %s\n", what_text(out->arena, &s->change), expand_state_name(s->state));
        const char *next = next_text(out->arena, s);
        if (next[0])
            buf_fmt(out, "     %s\n", next);
    }
}

void
report_changes_member(JsonWriter *w, const char *key, const ExpandShownVec *changes)
{
    jw_array(w, key);
    vec_each (const ExpandShown, s, changes) {
        bool reads = s->state >= EXPAND_EXPANDED && s->state <= EXPAND_CONTRACTED;
        jw_object(w, NULL);
        change_members(w, &s->change);
        jw_strz(w, "state", expand_state_name(s->state));
        jw_bool(w, "newIsReady", reads);
        jw_bool(w, "oldIsThere", s->state != EXPAND_CONTRACTED);
        jw_strz(w, "expand", s->expand);
        jw_strz(w, "contract", s->contract);
        jw_end(w);
    }
    jw_end(w);
}

void
report_state_json(JsonWriter *w, const StatusResult *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "state");
    jw_bool(w, "ok", true);
    jw_strz(w, "environment", r->config->env_name);
    report_changes_member(w, "changes", &r->changes);
    jw_end(w);
}
