/* Statements that run in batches: "-- aramid:batch key=id size=1000" in front of an UPDATE, a DELETE or an
 * INSERT ... SELECT. Where the condition of a batch goes is read from the words outside of parentheses. */
#include "sqltext/sqltext_int.h"

#include "base/clock.h"

typedef struct Reader {
    Arena *arena;
    const char *path;
    const SqlScript *script;
    const SqlDirective *directive;
    const SqlStmt *stmt;
    SqlBatch *batch;
    SqlWords words;
    Err *err;
} Reader;

__attribute__((format(printf, 3, 4))) static bool
refuse(Reader *r, size_t off, const char *fmt, ...)
{
    int line = r->directive->line, column = r->directive->column;
    va_list ap;
    va_start(ap, fmt);
    err_set(r->err, ERR_MIGRATION_FILE, "%s", str_vfmt(r->arena, fmt, ap));
    va_end(ap);
    if (off)
        str_line_col(r->script->text, off, &line, &column);
    err_at(r->err, r->path, line, column);
    r->err->statement = (int)r->directive->statement + 1;
    return false;
}

/* ---- what the directive asks for ---------------------------------------------------------------- */

static const char options_hint[] =
    "-- aramid:batch [key=COLUMN[,COLUMN]] [size=ROWS] [time=DURATION] [table=NAME]";

/* NAME [. NAME] [, NAME [. NAME]] of a whole text. */
static bool
take_names(Reader *r, Str value, size_t max, SqlName *ret, size_t *ret_n)
{
    SqlStmt all = {.len = value.n};
    SqlWords w = sql_words(r->arena, value, &all);
    *ret_n = 0;
    for (;;) {
        SqlName name = sql_words_name(&w);
        if (!name.name[0] || *ret_n == max)
            return false;
        ret[(*ret_n)++] = name;
        if (sql_words_end(&w))
            return w.tok.kind == SQL_TOK_END;
        if (w.tok.c != ',')
            return false;
        sql_words_next(&w);
    }
}

enum { KEYS_MAX = 32, SIZE_MAX_ROWS = 1000000 };

static bool
take_option(Reader *r, Str name, Str value)
{
    SqlBatch *b = r->batch;
    SqlName names[KEYS_MAX];
    size_t n;
    long long size;
    if (str_is(name, "key") && take_names(r, value, KEYS_MAX, names, &n)) {
        for (size_t i = 0; i < n; i++) {
            if (names[i].schema[0])
                return false;
            *vec_add(r->arena, &b->keys) = names[i].name;
        }
        return true;
    }
    if (str_is(name, "table") && take_names(r, value, 1, names, &n)) {
        b->table = names[0];
        return true;
    }
    if (str_is(name, "size") && str_to_int(value, 1, SIZE_MAX_ROWS, &size)) {
        b->size = size;
        return true;
    }
    return str_is(name, "time") && clock_parse(value, &b->ms) && b->ms > 0;
}

/* Up to a blank that is in no quotes. */
static Str
cut_option(Str *rest)
{
    bool quoted = false;
    size_t i = 0;
    while (i < rest->n && (quoted || (rest->p[i] != ' ' && rest->p[i] != '\t'))) {
        quoted = quoted != (rest->p[i] == '"');
        i++;
    }
    Str option = str_slice(*rest, 0, i);
    *rest = str_trim(str_slice(*rest, i, rest->n));
    return option;
}

static bool
take_options(Reader *r)
{
    for (Str rest = str_trim(r->directive->value); rest.n;) {
        Str option = cut_option(&rest), value = option, name = str_cut(&value, '=');
        if (value.p && take_option(r, name, value))
            continue;
        refuse(r, 0, "the directive \"batch\" has no option \"%s\"",
               str_printable(r->arena, option, false));
        return err_hint(r->err, "%s", options_hint);
    }
    return true;
}

/* ---- the words of the statement ----------------------------------------------------------------- */

static size_t
here(const Reader *r)
{
    return r->words.tok.off;
}

/* The next token outside of parentheses and brackets. What is a name there (behind a dot or AS) is
 * stepped over: it may be spelled like a keyword. */
static void
step(Reader *r)
{
    SqlWords *w = &r->words;
    size_t depth = 0;
    do {
        char c = w->tok.c;
        if (c == '(' || c == '[')
            depth++;
        else if ((c == ')' || c == ']') && depth)
            depth--;
        bool names = c == '.' || sql_words_at(w, "as");
        sql_words_next(w);
        if (names && w->tok.kind == SQL_TOK_WORD)
            sql_words_next(w);
    } while (depth && !sql_words_end(w));
}

static bool
at_any(const Reader *r, const char *const *words)
{
    for (; *words; words++)
        if (sql_words_at(&r->words, *words))
            return true;
    return false;
}

static bool
accept_table(Reader *r, const char *const *behind)
{
    SqlWords *w = &r->words;
    bool in_parens = false;
    sql_words_accept(w, "only");
    if (w->tok.c == '(') /* ONLY (t) */
        in_parens = true, sql_words_next(w);
    SqlName name = sql_words_name(w);
    if (!name.name[0])
        return false;
    if (in_parens && w->tok.c == ')')
        sql_words_next(w);
    if (w->tok.c == '*')
        sql_words_next(w);
    const char *alias = name.name;
    bool said = sql_words_accept(w, "as");
    if (said ||
        ((w->tok.kind == SQL_TOK_WORD || w->tok.kind == SQL_TOK_IDENT) && !at_any(r, behind))) {
        alias = sql_tok_name(r->arena, w->text, &w->tok);
        sql_words_next(w);
    }
    SqlName wanted = r->batch->table;
    if (wanted.name && (strcmp(wanted.name, name.name) != 0 ||
                        (wanted.schema[0] && strcmp(wanted.schema, name.schema) != 0))) {
        refuse(r, 0, "the statement behind the directive is about the table \"%s\", not \"%s\"",
               name.name, wanted.name);
        err_hint(r->err, "leave table= away: it is found in the statement");
        return true;
    }
    r->batch->table = name;
    r->batch->alias = alias;
    return true;
}

/* WITH name AS (...), ...: up to the statement's own first word. What changes rows in there would do so in
 * each batch. */
static bool
skip_with(Reader *r)
{
    static const char *const changes[] = {"insert", "update", "delete", "merge", NULL};
    static const char *const ends[] = {"insert", "update", "delete", "select", NULL};
    SqlWords *w = &r->words;
    if (!sql_words_at(w, "with"))
        return true;
    sql_words_next(w);
    while (!sql_words_end(w) && !at_any(r, ends)) {
        if (w->tok.c == '(') {
            SqlWords inner = *w;
            sql_words_next(w);
            if (at_any(r, changes))
                return refuse(r, here(r), "a WITH that changes rows cannot run in batches");
            *w = inner;
            sql_words_skip_parens(w);
        } else {
            sql_words_next(w);
        }
    }
    return true;
}

static void
read_sets(Reader *r)
{
    static const char *const ends[] = {"from", "where", "returning", NULL};
    SqlWords *w = &r->words;
    bool wants = true;
    while (!sql_words_end(w) && !at_any(r, ends)) {
        if (wants && w->tok.c == '(') {
            sql_words_next(w);
            while (!sql_words_end(w) && w->tok.c != ')') {
                *vec_add(r->arena, &r->batch->sets) = sql_tok_name(r->arena, w->text, &w->tok);
                sql_words_next(w);
            }
        } else if (wants) {
            *vec_add(r->arena, &r->batch->sets) = sql_tok_name(r->arena, w->text, &w->tok);
        }
        wants = w->tok.c == ',';
        if (wants)
            sql_words_next(w);
        else
            step(r);
    }
}

/* WHERE, and where its condition ends; without one the place where it is to be put. */
static bool
read_where(Reader *r, const char *const *ends, const char *const *refused)
{
    SqlWords *w = &r->words;
    SqlBatch *b = r->batch;
    size_t found = 0;
    for (; !sql_words_end(w) && !at_any(r, ends); step(r)) {
        bool joins = sql_words_at(w, "on"); /* of a JOIN, unless it is of a conflict */
        if (joins) {
            SqlWords back = *w;
            sql_words_next(w);
            bool conflict = sql_words_at(w, "conflict");
            *w = back;
            if (conflict)
                break;
        }
        if (refused && at_any(r, refused))
            return refuse(r, here(r),
                          "the statement means something else when it runs in batches (%s)",
                          str_dup(r->arena, str_slice(w->text, here(r), here(r) + w->tok.len)));
        if (sql_words_at(w, "where") && !found) {
            found = here(r) + w->tok.len;
            SqlWords back = *w;
            sql_words_next(w);
            if (sql_words_at(w, "current"))
                return refuse(r, here(r), "WHERE CURRENT OF cannot run in batches");
            *w = back;
        }
    }
    size_t end = sql_words_end(w) ? r->stmt->off + r->stmt->len : here(r);
    b->where = (found ? found : end) - r->stmt->off;
    b->where_end = end - r->stmt->off;
    return true;
}

static bool
read_change(Reader *r, bool is_update)
{
    static const char *const ends[] = {"returning", NULL};
    static const char *const behind[] = {"set", "using", "where", "returning", NULL};
    SqlWords *w = &r->words;
    sql_words_next(w);
    if (!is_update)
        sql_words_accept(w, "from");
    if (!accept_table(r, behind))
        return refuse(r, here(r), "the table that the statement changes cannot be read");
    if (r->err->code)
        return false;
    if (is_update && sql_words_accept(w, "set"))
        read_sets(r);
    if (!read_where(r, ends, NULL))
        return false;
    vec_each (const char *, key, &r->batch->keys)
        vec_each (const char *, set, &r->batch->sets)
            if (strcmp(*key, *set) == 0) {
                refuse(r, 0, "the statement changes \"%s\", the key of its batches", *key);
                return err_hint(r->err, "rows would move to a later batch, or out of all of them: "
                                        "name another key");
            }
    return true;
}

static bool
read_insert(Reader *r)
{
    static const char *const selects[] = {"select", NULL};
    static const char *const froms[] = {"from", NULL};
    static const char *const ends[] = {"returning", "order", "for", NULL};
    static const char *const refused[] = {"group",     "having", "window", "union",
                                          "intersect", "except", "limit",  "offset",
                                          "fetch",     "right",  "full",   NULL};
    static const char *const behind[] = {
        "where",     "join",   "inner",  "left",      "cross",   "right",       "full",  "on",
        "group",     "order",  "having", "returning", "for",     "limit",       "union", "except",
        "intersect", "window", "offset", "fetch",     "natural", "tablesample", NULL};
    SqlWords *w = &r->words;
    while (!sql_words_end(w) && !at_any(r, selects)) {
        if (sql_words_at(w, "with") && !skip_with(r))
            return false;
        if (!at_any(r, selects))
            step(r);
    }
    if (sql_words_end(w)) {
        refuse(r, r->stmt->off, "an INSERT runs in batches only where its rows come from a table");
        return err_hint(r->err,
                        "INSERT INTO other (...) SELECT ... FROM table; without parentheses "
                        "around the SELECT");
    }
    sql_words_next(w);
    if (sql_words_at(w, "distinct"))
        return refuse(r, here(r),
                      "the statement means something else when it runs in batches "
                      "(DISTINCT)");
    while (!sql_words_end(w) && !at_any(r, froms))
        step(r);
    if (!sql_words_accept(w, "from") || !accept_table(r, behind))
        return refuse(r, r->stmt->off,
                      "the table that the rows of the INSERT come from cannot be read");
    return !r->err->code && read_where(r, ends, refused);
}

bool
sql_batch(Arena *a, const char *path, const SqlScript *script, const SqlDirective *d, SqlBatch *ret,
          Err *err)
{
    SqlStmt stmt;
    *ret = (SqlBatch){.line = d->line, .column = d->column};
    *err = (Err){0};
    Reader r = {.arena = a,
                .path = path,
                .script = script,
                .directive = d,
                .stmt = sql_stmt(script, d->statement, &stmt),
                .batch = ret,
                .err = err};
    r.words = sql_words(a, script->text, r.stmt);
    if (!take_options(&r) || !skip_with(&r))
        return false;
    if (sql_words_at(&r.words, "update") || sql_words_at(&r.words, "delete"))
        return read_change(&r, sql_words_at(&r.words, "update"));
    if (sql_words_at(&r.words, "insert"))
        return read_insert(&r);
    refuse(&r, 0, "%s cannot run in batches", r.stmt->tag);
    return err_hint(err,
                    "UPDATE, DELETE and INSERT ... SELECT can; each has the directive in front of "
                    "itself");
}

void
sql_add_batch(Buf *b, Str statement, const SqlBatch *batch, Str condition)
{
    bool has = batch->where < batch->where_end;
    buf_add(b, str_slice(statement, 0, batch->where));
    buf_addz(b, has ? " (" : "\nWHERE ");
    if (has) {
        buf_add(b, str_slice(statement, batch->where, batch->where_end));
        buf_addz(b, "\n) AND "); /* ends a last "-- comment" */
    }
    buf_add(b, condition);
    buf_addc(b, '\n');
    buf_add(b, str_slice(statement, batch->where_end, statement.n));
}
