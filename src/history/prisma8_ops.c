/* Operations of Prisma 8 (ops.json): the text that is planned and shown, and the statement that runs one
 * with its checks, as rc.13's runner does. */
#include "history/prisma8_int.h"
#include "sqltext/sqltext.h"

#include <stdio.h>

/* ---- parameters ----------------------------------------------------------------------------- */

/* As node-postgres sends them: text, of a type that the server finds out. */
static void
add_value(Buf *b, const JsonTree *v)
{
    if (v->kind == JT_STRING) {
        buf_add(b, v->text);
        return;
    }
    if (v->kind != JT_ARRAY) {
        jt_write(b, v, 0);
        return;
    }
    buf_addc(b, '{');
    for (size_t i = 0; i < v->n; i++) {
        const JsonTree *item = &v->items[i];
        if (i)
            buf_addc(b, ',');
        if (item->kind == JT_NULL || item->kind == JT_ARRAY) {
            item->kind == JT_NULL ? buf_addz(b, "NULL") : add_value(b, item);
            continue;
        }
        Buf one;
        buf_init(&one, b->arena);
        add_value(&one, item);
        buf_addc(b, '"');
        for (size_t k = 0; k < one.n; k++) {
            if (one.p[k] == '"' || one.p[k] == '\\')
                buf_addc(b, '\\');
            buf_addc(b, one.p[k]);
        }
        buf_addc(b, '"');
    }
    buf_addc(b, '}');
}

static void
add_param(Buf *b, const JsonTree *v)
{
    if (v->kind == JT_NULL) {
        buf_addz(b, "NULL");
        return;
    }
    Buf text;
    buf_init(&text, b->arena);
    add_value(&text, v);
    sql_add_literal(b, buf_str(&text));
}

static bool
is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (c & 0x80);
}

/* Behind what begins at `i`: a quote, a comment, a word, or one byte. */
static size_t
skip_token(Str s, size_t i)
{
    char c = s.p[i], next = i + 1 < s.n ? s.p[i + 1] : 0;
    bool escapes = (c == 'e' || c == 'E') && next == '\'';
    if (c == '\'' || c == '"' || escapes) {
        i += escapes ? 2 : 1;
        char end = escapes ? '\'' : c;
        for (; i < s.n && s.p[i] != end; i++)
            i += escapes && s.p[i] == '\\';
        return i + 1;
    }
    if (c == '-' && next == '-') {
        while (i < s.n && s.p[i] != '\n')
            i++;
        return i;
    }
    if (c == '/' && next == '*') {
        int depth = 0;
        do {
            bool opens = i + 1 < s.n && s.p[i] == '/' && s.p[i + 1] == '*';
            bool closes = i + 1 < s.n && s.p[i] == '*' && s.p[i + 1] == '/';
            depth += opens - closes;
            i += opens || closes ? 2 : 1;
        } while (i < s.n && depth);
        return i;
    }
    if (c == '$') {
        size_t end = i + 1;
        while (end < s.n && is_word(s.p[end]) && s.p[end] != '$')
            end++;
        if (end < s.n && s.p[end] == '$') {
            Str tag = str_slice(s, i, end + 1);
            for (i = end + 1; i < s.n; i++)
                if (str_starts(str_slice(s, i, s.n), tag))
                    return i + tag.n;
            return s.n;
        }
    }
    if (c != '$' && is_word(c)) {
        while (i < s.n && is_word(s.p[i]))
            i++;
        return i;
    }
    return i + 1;
}

static Str
with_params(Arena *a, Str sql, const JsonTree *params)
{
    if (!params || params->kind != JT_ARRAY || !params->n)
        return sql;
    Buf b;
    buf_init(&b, a);
    for (size_t i = 0; i < sql.n;) {
        size_t digits = i + 1;
        while (sql.p[i] == '$' && digits < sql.n && sql.p[digits] >= '0' && sql.p[digits] <= '9')
            digits++;
        long long number;
        if (sql.p[i] == '$' &&
            str_to_int(str_slice(sql, i + 1, digits), 1, (long long)params->n, &number)) {
            add_param(&b, &params->items[number - 1]);
            i = digits;
            continue;
        }
        size_t end = skip_token(sql, i);
        end = end > sql.n ? sql.n : end;
        buf_add(&b, str_slice(sql, i, end));
        i = end;
    }
    return buf_str(&b);
}

/* ---- the file ------------------------------------------------------------------------------- */

/* The lines of the statements in the file: strings named "sql" four levels deep, below "execute". */
typedef struct Lines {
    Str text;
    size_t at;
    int line, depth;
    Str above; /* the last key two levels deep */
} Lines;

static Str
next_string(Lines *l)
{
    size_t from = ++l->at;
    for (; l->at < l->text.n && l->text.p[l->at] != '"'; l->at++)
        l->at += l->text.p[l->at] == '\\';
    size_t end = l->at < l->text.n ? l->at : l->text.n;
    l->at = end + 1;
    return str_slice(l->text, from, end);
}

/* The line of the next one; 0 = there is none. */
static int
next_line(Lines *l)
{
    while (l->at < l->text.n) {
        char c = l->text.p[l->at];
        if (c == '"') {
            Str s = next_string(l);
            size_t behind = l->at;
            while (behind < l->text.n && strchr(" \t\r\n", l->text.p[behind]))
                behind++;
            bool is_key = behind < l->text.n && l->text.p[behind] == ':';
            if (is_key && l->depth == 2)
                l->above = s;
            if (is_key && l->depth == 4 && str_is(s, "sql") && str_is(l->above, "execute"))
                return l->line;
            continue;
        }
        l->depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        l->line += c == '\n';
        l->at++;
    }
    return 0;
}

static bool
fail(const P8Package *p, const char *op, const char *what, Err *err)
{
    err_set(err, ERR_MIGRATION_FILE, "package \"%s\"%s%s%s: %s", p->migration.name,
            op ? ", operation \"" : "", op ? op : "", op ? "\"" : "", what);
    err_at(err, p->migration.path, 0, 0);
    return err_hint(err,
                    "make it again: node migrations/%s/%s/migration.ts, or restore it from "
                    "version control",
                    p->space, p->dir);
}

static bool
take_steps(Arena *a, const JsonTree *op, const char *key, P8StepVec *ret)
{
    const JsonTree *list = jt_get(op, key);
    if (!list || list->kind != JT_ARRAY)
        return false;
    for (size_t i = 0; i < list->n; i++) {
        const JsonTree *step = &list->items[i], *params = jt_get(step, "params");
        const char *says = jt_text(step, "description"), *sql = jt_text(step, "sql");
        if (!says || !sql || (params && params->kind != JT_ARRAY))
            return false;
        *vec_add(a, ret) = (P8Step){says, with_params(a, str_of(sql), params)};
    }
    return true;
}

/* A class that Prisma knows. */
static bool
has_class(const JsonTree *op)
{
    static const char *const classes[] = {"additive", "widening", "destructive", "data"};
    const char *own = jt_text(op, "operationClass");
    for (size_t i = 0; own && i < COUNT(classes); i++)
        if (strcmp(own, classes[i]) == 0)
            return true;
    return false;
}

static bool
is_invariant(const P8Package *p, const char *id)
{
    for (size_t i = 0; i < p->invariants.n; i++)
        if (strcmp(p->invariants.v[i], id) == 0)
            return true;
    return false;
}

/* Each statement ends with a semicolon, also behind a "-- comment". */
static void
add_statement(Buf *text, Str sql, int wanted, int *line)
{
    for (; *line < wanted; ++*line)
        buf_addc(text, '\n');
    while (sql.n && strchr(" \t\r\n;", sql.p[sql.n - 1]))
        sql.n--;
    buf_add(text, sql);
    buf_addz(text, str_contains(sql, STR("--")) ? "\n;\n" : ";\n");
    for (size_t i = 0; i < sql.n; i++)
        *line += sql.p[i] == '\n';
    *line += str_contains(sql, STR("--")) ? 2 : 1;
}

/* Of what Prisma calls destructive, what takes no data with it. */
static bool
keeps_data(const char *id)
{
    static const char *const ids[] = {
        "alterNullability.",    "dropDefault.", "dropConstraint.",  "dropIndex.",
        "dropCheckConstraint.", "rlsPolicy.",   "rowLevelSecurity."};
    for (size_t i = 0; i < COUNT(ids); i++)
        if (strncmp(id, ids[i], strlen(ids[i])) == 0)
            return true;
    return false;
}

static bool
take_op(Arena *a, const JsonTree *from, P8Package *p, P8Op *op, Err *err)
{
    const JsonTree *target = jt_get(from, "target");
    op->id = jt_text(from, "id");
    op->label = jt_text(from, "label");
    const char *invariant = jt_text(from, "invariantId"), *target_id = jt_text(target, "id");
    if (!op->id || !op->label || !has_class(from))
        return fail(p, op->id, "it has no id, no label, or a class that is none", err);
    if (!target_id || strcmp(target_id, "postgres") != 0)
        return fail(p, op->id, "it is not for PostgreSQL", err);
    if (!take_steps(a, from, "precheck", &op->before) ||
        !take_steps(a, from, "execute", &op->execute) ||
        !take_steps(a, from, "postcheck", &op->after))
        return fail(p, op->id, "its steps are not lists of {description, sql, params}", err);
    if (invariant && !is_invariant(p, invariant))
        return fail(p, op->id, "migration.json does not name its invariant", err);
    op->is_loss =
        strcmp(jt_text(from, "operationClass"), "destructive") == 0 && !keeps_data(op->id);
    /* Its postcheck only asks for some default: the old one would do. */
    op->may_skip = op->after.n && strncmp(op->id, "setDefault.", strlen("setDefault.")) != 0;
    return true;
}

bool
p8_take_ops(Arena *a, const JsonTree *ops, Str file, P8Package *p, Err *err)
{
    Buf text;
    Lines lines = {.text = file, .line = 1};
    int line = 1;
    if (ops->kind != JT_ARRAY)
        return fail(p, NULL, "ops.json is not a list of operations", err);
    buf_init(&text, a);
    for (size_t i = 0; i < ops->n; i++) {
        P8Op *op = arena_new(a, P8Op);
        *op = (P8Op){.package = p, .index = i};
        *vec_add(a, &p->ops) = op;
        if (!take_op(a, &ops->items[i], p, op, err))
            return false;
        size_t from = SIZE_MAX;
        vec_each (const P8Step, s, &op->execute) {
            int wanted = next_line(&lines);
            for (; line < wanted; line++)
                buf_addc(&text, '\n');
            from = from == SIZE_MAX ? text.n : from;
            add_statement(&text, s->sql, wanted, &line);
        }
        *vec_add(a, &p->migration.pieces) =
            (MigrationPiece){.off = from == SIZE_MAX ? text.n : from,
                             .end = text.n,
                             .loses = op->is_loss ? op->id : NULL,
                             .own = op};
    }
    p->migration.text = buf_str(&text);
    return true;
}

/* ---- what is sent --------------------------------------------------------------------------- */

static void
add_list(Buf *b, const char *name, const P8StepVec *steps, bool says)
{
    buf_fmt(b, "%s pg_catalog.text[] := ARRAY[", name);
    vec_each (const P8Step, s, steps) {
        buf_addz(b, s == steps->v ? "" : ",");
        sql_add_literal(b, says ? str_of(s->says) : s->sql);
    }
    buf_addz(b, "]::pg_catalog.text[];\n");
}

/* What JavaScript takes for false, and no row. */
#define IS_FALSE                                                                                   \
    "COALESCE(pg_catalog.lower(v), '') OPERATOR(pg_catalog.=) ANY (ARRAY['','f','false','0'])"

static void
add_checks(Buf *b, const P8Op *op, const P8StepVec *steps, const char *list, const char *what)
{
    if (!steps->n)
        return;
    buf_fmt(b, "FOR n IN 1..%zu LOOP EXECUTE %s[n] INTO v; IF " IS_FALSE "\n", steps->n, list);
    buf_addz(b, "THEN RAISE EXCEPTION USING ERRCODE = 'P8001', MESSAGE = pg_catalog.concat(");
    Buf says;
    buf_init(&says, b->arena);
    buf_fmt(&says, "operation \"%s\" (%s): a %s does not hold: ", op->id, op->label, what);
    sql_add_literal(b, buf_str(&says));
    buf_fmt(b, ", %s_says[n]); END IF; END LOOP;\n", list);
}

void
p8_add_op(Buf *b, const MigrationPiece *piece)
{
    const P8Op *op = piece->own;
    ARENA_LOCAL(scratch);
    Buf body;
    buf_init(&body, scratch);
    buf_addz(&body, "DECLARE v pg_catalog.text; n pg_catalog.int4;\n");
    if (op->may_skip)
        buf_addz(&body, "done pg_catalog.bool := true;\n");
    if (op->before.n) {
        add_list(&body, "pre", &op->before, false);
        add_list(&body, "pre_says", &op->before, true);
    }
    if (op->after.n) {
        add_list(&body, "post", &op->after, false);
        add_list(&body, "post_says", &op->after, true);
    }
    buf_addz(&body, "BEGIN\n");
    if (op->may_skip) {
        buf_fmt(&body,
                "FOR n IN 1..%zu LOOP EXECUTE post[n] INTO v; IF " IS_FALSE
                " THEN done := false; EXIT; END IF; END LOOP;\nIF done THEN PERFORM "
                "pg_catalog.set_config('aramid.skipped', pg_catalog.concat("
                "pg_catalog.current_setting('aramid.skipped', true), '%.16s:%zu,'), true); RETURN;"
                " END IF;\n",
                op->after.n, op->package->hash, op->index);
    }
    add_checks(&body, op, &op->before, "pre", "precheck");
    vec_each (const P8Step, s, &op->execute) {
        buf_addz(&body, "EXECUTE ");
        sql_add_literal(&body, s->sql);
        buf_addz(&body, ";\n");
    }
    add_checks(&body, op, &op->after, "post", "postcheck");
    buf_addz(&body, "END");
    buf_addz(b, "DO ");
    sql_add_literal(b, buf_str(&body));
    buf_addc(b, ';');
}
