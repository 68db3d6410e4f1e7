/* Rules about rows, types, code and the text itself. */
#include "lint/lint_int.h"

#include <string.h>

static void
judge_rows(Lint *l, const CatRelation *t, const SqlAction *x)
{
    if (!lint_is_old(l, t) || lint_is_apart(l))
        return;
    const char *table = lint_shown(l, t);
    if (x->kind == SQL_ACT_TRUNCATE)
        lint_say_rows(l, FINDING_LINT_TRUNCATE, t, NULL, "all rows of %s go", table);
    else if (x->kind != SQL_ACT_INSERT && !x->has_where)
        lint_say_work(l, FINDING_LINT_ROWS_WITHOUT_WHERE, t, NULL,
                      "all rows of %s %s in one transaction", table,
                      x->kind == SQL_ACT_DELETE ? "go" : "change");
    else
        lint_say_work(l, FINDING_LINT_ROWS_AT_ONCE, t, NULL, "rows of %s change in one transaction",
                      table);
}

static void
judge_attach(Lint *l, const SqlAction *x)
{
    const CatRelation *part = lint_relation(&l->schema, x->ref);
    bool is_checked = false;
    for (size_t i = 0; part && i < part->constraints.n; i++)
        is_checked = is_checked || (part->constraints.v[i]->type == CAT_CHECK &&
                                    !part->constraints.v[i]->is_not_valid);
    if (lint_is_old(l, part) && !is_checked)
        lint_say_work(l, FINDING_LINT_ATTACH_SCANS, part, NULL,
                      "all rows of %s are looked at: its readers and writers wait",
                      lint_shown(l, part));
}

static void
judge_domain(Lint *l, const SqlAction *x)
{
    vec_each (const LintEffect, e, l->effects)
        if (e->scans)
            lint_say_work(
                l, FINDING_LINT_DOMAIN_SCANS, e->table, NULL,
                "all rows of %s are read, because it has a column of domain %s: writers wait",
                lint_shown(l, e->table), lint_ident(l, x->on.name));
}

static void
judge_function(Lint *l, const SqlAction *x)
{
    if (x->is_definer && !x->has_path)
        lint_say(
            l, FINDING_LINT_DEFINER_PATH, NULL, NULL,
            "function %s runs with its owner's rights and looks up names where its caller says",
            lint_ident(l, x->on.name));
}

static void
judge_drop(Lint *l, const SqlAction *x)
{
    if (x->object == SQL_OBJ_SCHEMA)
        lint_say(l, FINDING_LINT_DROP_SCHEMA, NULL, NULL, "schema %s goes with all that is in it",
                 lint_ident(l, x->on.name));
    if (x->is_cascade && x->object != SQL_OBJ_SCHEMA)
        lint_say(l, FINDING_LINT_CASCADE, NULL, NULL, "what hangs on %s goes, too, whatever it is",
                 lint_ident(l, x->on.name));
}

void
lint_judge_rest(Lint *l, const SqlAction *x)
{
    const CatRelation *t = lint_relation(&l->schema, x->on);
    switch (x->kind) {
    case SQL_ACT_UPDATE:
    case SQL_ACT_DELETE:
    case SQL_ACT_INSERT:
    case SQL_ACT_TRUNCATE:
        judge_rows(l, t, x);
        return;
    case SQL_ACT_ATTACH:
        judge_attach(l, x);
        return;
    case SQL_ACT_CHECK_DOMAIN:
        judge_domain(l, x);
        return;
    case SQL_ACT_FUNCTION:
        judge_function(l, x);
        return;
    case SQL_ACT_DROP:
        judge_drop(l, x);
        return;
    case SQL_ACT_DROP_COLUMN:
    case SQL_ACT_DROP_CONSTRAINT:
        if (x->is_cascade)
            lint_say(l, FINDING_LINT_CASCADE, NULL, NULL,
                     "what hangs on %s goes, too, whatever it is", lint_ident(l, x->name));
        return;
    case SQL_ACT_ENUM_VALUE:
        lint_say(l, FINDING_LINT_NEW_ENUM_VALUE, NULL, NULL,
                 "code that runs now does not know value %s of %s", lint_ident(l, x->name),
                 lint_ident(l, x->on.name));
        return;
    case SQL_ACT_RENAME_VALUE:
        lint_say(l, FINDING_LINT_RENAME_VALUE, NULL, NULL,
                 "value %s of %s is called %s from here on: code that runs now fails",
                 lint_ident(l, x->name), lint_ident(l, x->on.name), lint_ident(l, x->to));
        return;
    case SQL_ACT_ROW_SECURITY:
        if (lint_is_old(l, t) && strcmp(x->name, "DISABLE") == 0)
            lint_say(l, FINDING_LINT_ROW_SECURITY_OFF, t, NULL,
                     "every row of %s is open to who may read it", lint_shown(l, t));
        return;
    case SQL_ACT_REFRESH:
        if (lint_is_old(l, t) && !x->is_concurrent)
            lint_say_work(l, FINDING_LINT_REFRESH_BLOCKS, t, NULL,
                          "readers of %s wait until it is filled", lint_shown(l, t));
        return;
    case SQL_ACT_CODE:
        lint_say(l, FINDING_LINT_OPAQUE, NULL, NULL,
                 "%s runs code, and what it does is not known here", l->stmt.tag);
        return;
    default:
        return;
    }
}

/* Names are cut by the parser, too: only the text still has all of one. */
static void
judge_names(Lint *l)
{
    enum { MOST = 63 };
    Str text = str_slice(l->script->script->text, l->stmt.off, l->stmt.off + l->stmt.len);
    size_t from = 0;
    bool inside = false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '"')
            continue;
        if (inside && i - from - 1 > MOST)
            lint_say(l, FINDING_LINT_NAME_CUT, NULL, NULL,
                     "the name %s has %zu bytes, 63 of which count",
                     str_printable(l->arena, str_slice(text, from, i + 1), false), i - from - 1);
        inside = !inside;
        from = i;
    }
}

void
lint_judge_statement(Lint *l)
{
    if (l->stmt.opaque)
        lint_say(l, FINDING_LINT_OPAQUE, NULL, NULL,
                 "%s is newer than the parser: what it does is not known here", l->stmt.tag);
    bool makes = l->stmt.kind == SQL_CREATE_TABLE || l->stmt.kind == SQL_CREATE_INDEX ||
                 l->stmt.kind == SQL_ALTER_TABLE;
    if (makes && l->stmt.len > 64 &&
        !str_contains(str_slice(l->script->script->text, l->stmt.off, l->stmt.off + l->stmt.len),
                      STR("'")))
        judge_names(l);
}
