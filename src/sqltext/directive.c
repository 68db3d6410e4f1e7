/* Directives: comments that say how a migration is to be run. */
#include "sqltext/lex.h"

#include "base/clock.h"

typedef enum Takes {
    TAKES_DURATION,
    TAKES_CHOICE,
    TAKES_WORDS,
    TAKES_NOTHING,
    TAKES_OPTIONS,
    TAKES_RULE
} Takes;

/* Every directive: what stands behind its name, and, where that is one of a few words, which; whether it
 * is about the statement behind it, else about the whole file. */
static const struct {
    const char *name;
    Takes takes;
    const char *choices[3];
    const char *example;
    bool of_statement;
} table[SQL_DIRECTIVE_COUNT] = {
    [SQL_DIRECTIVE_TIMEOUT] = {"timeout", TAKES_DURATION, {0}, "timeout 10min", false},
    [SQL_DIRECTIVE_LOCK_TIMEOUT] =
        {"lock_timeout", TAKES_DURATION, {0}, "lock_timeout 250ms", false},
    [SQL_DIRECTIVE_TX] = {"tx", TAKES_CHOICE, {"file", "none"}, "tx none", false},
    [SQL_DIRECTIVE_IRREVERSIBLE] =
        {"irreversible", TAKES_WORDS, {0}, "irreversible the old values were never kept", false},
    [SQL_DIRECTIVE_AFTER] = {"after", TAKES_WORDS, {0}, "after 20261130174500_add_users", false},
    [SQL_DIRECTIVE_EXPAND] =
        {"expand", TAKES_WORDS, {0}, "expand drop-column \"public\".\"users\".\"name\"", false},
    [SQL_DIRECTIVE_CONTRACT] = {"contract", TAKES_WORDS, {0}, "contract users_name", false},
    /* Its options are read with the statement (batch.c). */
    [SQL_DIRECTIVE_BATCH] = {"batch", TAKES_OPTIONS, {0}, "batch key=id", true},
    [SQL_DIRECTIVE_PROVE] = {"prove", TAKES_NOTHING, {0}, "prove", true},
    [SQL_DIRECTIVE_REPLACES] =
        {"replaces", TAKES_WORDS, {0}, "replaces 20240131120000_init 5f3c1a...", false},
    [SQL_DIRECTIVE_REPEATABLE] = {"repeatable",
                                  TAKES_WORDS,
                                  {0},
                                  "repeatable each statement looks first what is there",
                                  false},
    [SQL_DIRECTIVE_IGNORE] =
        {"ignore", TAKES_RULE, {0}, "ignore drop-column nobody reads it since May", true},
};

typedef struct Finder {
    Arena *arena;
    const char *path;
    const SqlScript *script;
    SqlDirectiveVec *found;
    Err *err;
    bool failed;
} Finder;

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static Str
skip_blanks(Str s)
{
    size_t i = 0;
    while (i < s.n && is_blank(s.p[i]))
        i++;
    return str_slice(s, i, s.n);
}

/* What stands behind "-- aramid:"; p == NULL: another comment. */
static Str
behind_mark(Str comment)
{
    static const char mark[] = "aramid";
    Str s = skip_blanks(str_slice(comment, 2, comment.n));
    size_t n = strlen(mark);
    if (s.n < n || !str_ieq(str_slice(s, 0, n), str_of(mark)))
        return (Str){0};
    s = skip_blanks(str_slice(s, n, s.n));
    return s.n && s.p[0] == ':' ? skip_blanks(str_slice(s, 1, s.n)) : (Str){0};
}

__attribute__((format(printf, 3, 4))) static void
refuse(Finder *f, size_t off, const char *fmt, ...)
{
    int line, column;
    va_list ap;
    va_start(ap, fmt);
    err_set(f->err, ERR_MIGRATION_FILE, "%s", str_vfmt(f->arena, fmt, ap));
    va_end(ap);
    str_line_col(f->script->text, off, &line, &column);
    err_at(f->err, f->path, line, column);
    f->failed = true;
}

static void
refuse_unknown(Finder *f, size_t off, Str word)
{
    size_t best = 4;
    const char *nearest = NULL;
    Buf names;
    buf_init(&names, f->arena);
    for (int i = 0; i < SQL_DIRECTIVE_COUNT; i++) {
        size_t d = str_distance(str_of(table[i].name), word, best);
        if (d < best && d < word.n)
            best = d, nearest = table[i].name;
        buf_fmt(&names, "%s%s", i ? ", " : "", table[i].name);
    }
    refuse(f, off, "unknown directive \"aramid:%s\"", str_printable(f->arena, word, false));
    err_detail(f->err, "a comment that begins with \"-- aramid:\" says how the migration is to be "
                       "run; a misspelled one would be passed over in silence");
    if (nearest)
        err_hint(f->err, "did you mean \"aramid:%s\"?", nearest);
    err_hint(f->err, "known are: %s", names.p);
}

/* A rule, and why it does not matter here. */
static bool
take_rule(Finder *f, size_t off, SqlDirective *d)
{
    size_t n = 0;
    while (n < d->value.n && !is_blank(d->value.p[n]))
        n++;
    Str rule = str_slice(d->value, 0, n);
    d->rule = finding_find(rule);
    if (d->rule == FINDING_COUNT || finding_info(d->rule)->area != AREA_LINT) {
        refuse(f, off, "there is no rule \"%s\"", str_printable(f->arena, rule, false));
        return err_hint(f->err, "%s", finding_nearest(f->arena, rule));
    }
    if (str_trim(str_slice(d->value, n, d->value.n)).n)
        return true;
    refuse(f, off, "the directive \"ignore\" wants a reason behind the rule");
    return err_hint(f->err, "-- aramid:%s", table[d->id].example);
}

static bool
take_value(Finder *f, size_t off, SqlDirective *d)
{
    const char *shown = str_printable(f->arena, d->value, false), *name = table[d->id].name;
    if (table[d->id].takes == TAKES_DURATION) {
        if (d->value.n && clock_parse(d->value, &d->ms))
            return true;
        refuse(f, off, "the directive \"%s\" wants a duration, not \"%s\"", name, shown);
        err_hint(f->err, "-- aramid:%s   (250ms, 30s, 10min, 2h; 0 = no limit)",
                 table[d->id].example);
        return false;
    }
    if (table[d->id].takes == TAKES_RULE)
        return take_rule(f, off, d);
    if (table[d->id].takes == TAKES_OPTIONS)
        return true;
    if (table[d->id].takes == TAKES_NOTHING) {
        if (!d->value.n)
            return true;
        refuse(f, off, "nothing stands behind the directive \"%s\", not \"%s\"", name, shown);
        err_hint(f->err, "-- aramid:%s, in a line of its own", table[d->id].example);
        return false;
    }
    if (table[d->id].takes == TAKES_WORDS) {
        if (d->value.n)
            return true;
        refuse(f, off, "the directive \"%s\" wants words behind it", name);
        err_hint(f->err, "-- aramid:%s", table[d->id].example);
        return false;
    }
    for (int i = 0; table[d->id].choices[i]; i++)
        if (str_is(d->value, table[d->id].choices[i]))
            return true;
    refuse(f, off, "the directive \"%s\" cannot be \"%s\"", name, shown);
    err_hint(f->err, "it is one of: %s, %s", table[d->id].choices[0], table[d->id].choices[1]);
    return false;
}

static size_t
statements_before(const SqlScript *s, size_t off)
{
    size_t n = 0;
    while (n < s->stmts.n && s->stmts.v[n].off < off)
        n++;
    return n;
}

/* Whether it stands where it may. */
static bool
is_placed(Finder *f, size_t off, SqlDirective *d)
{
    const SqlScript *s = f->script;
    const char *name = table[d->id].name;
    size_t before = statements_before(s, off);
    d->statement = before;
    if (!table[d->id].of_statement && before) {
        refuse(f, off,
               "the directive \"%s\" is about the whole file and stands behind its first "
               "statement",
               name);
        err_hint(f->err, "move it to the head of the file");
    } else if (table[d->id].of_statement && before && s->stmts.v[before - 1].end > off) {
        refuse(f, off, "the directive \"%s\" stands inside a statement", name);
        err_hint(f->err, "move it to a line of its own, in front of the statement");
    } else if (table[d->id].of_statement && before == s->stmts.n) {
        refuse(f, off, "no statement stands behind the directive \"%s\"", name);
        err_hint(f->err, "it is about the statement that follows it");
    }
    return !f->failed;
}

static bool
is_twice(Finder *f, size_t off, const SqlDirective *d)
{
    bool of_statement = table[d->id].of_statement;
    if (table[d->id].takes == TAKES_RULE)
        return false;
    vec_each (const SqlDirective, other, f->found) {
        if (table[other->id].takes == TAKES_RULE)
            continue;
        bool same_place = !of_statement || other->statement == d->statement;
        if (other->id == d->id && same_place && d->id != SQL_DIRECTIVE_REPLACES)
            refuse(f, off, "the directive \"%s\" is said twice", table[d->id].name);
        else if (of_statement && table[other->id].of_statement && same_place)
            refuse(f, off, "the directives \"%s\" and \"%s\" are about the same statement",
                   table[other->id].name, table[d->id].name);
        if (f->failed) {
            err_detail(f->err, "first in line %d", other->line);
            return true;
        }
    }
    return false;
}

static void
on_comment(void *arg, size_t from, size_t to)
{
    Finder *f = arg;
    Str text = f->script->text, rest = behind_mark(str_slice(text, from, to));
    if (f->failed || !rest.p)
        return;
    size_t n = 0;
    while (n < rest.n && !is_blank(rest.p[n]))
        n++;
    Str word = str_slice(rest, 0, n);
    size_t off = (size_t)(rest.p - text.p);
    SqlDirective d = {.id = SQL_DIRECTIVE_COUNT, .value = str_trim(str_slice(rest, n, rest.n))};
    for (int i = 0; i < SQL_DIRECTIVE_COUNT; i++)
        if (str_is(word, table[i].name))
            d.id = (SqlDirectiveId)i;
    if (d.id == SQL_DIRECTIVE_COUNT) {
        refuse_unknown(f, off, word);
        return;
    }
    str_line_col(text, off, &d.line, &d.column);
    if (!is_placed(f, off, &d) || is_twice(f, off, &d))
        return;
    d.value = str_copy(f->arena, d.value);
    if (take_value(f, off, &d))
        *vec_add(f->arena, f->found) = d;
}

bool
sql_directives(Arena *a, const char *path, const SqlScript *script, SqlDirectiveVec *ret, Err *err)
{
    Finder f = {.arena = a, .path = path, .script = script, .found = ret, .err = err};
    *ret = (SqlDirectiveVec){0};
    if (!str_icontains(script->text, STR("aramid")))
        return true;
    SqlLexer lex = {.text = script->text, .comment = on_comment, .comment_arg = &f};
    SqlTok tok;
    do
        sql_lex_next(&lex, &tok);
    while (!f.failed && tok.kind != SQL_TOK_END && tok.kind != SQL_TOK_UNCLOSED);
    return !f.failed;
}

const SqlDirective *
sql_directive(const SqlDirectiveVec *list, SqlDirectiveId id)
{
    vec_each (const SqlDirective, d, list)
        if (d->id == id)
            return d;
    return NULL;
}

const SqlDirective *
sql_directive_at(const SqlDirectiveVec *list, SqlDirectiveId id, size_t statement)
{
    vec_each (const SqlDirective, d, list)
        if (d->id == id && d->statement == statement)
            return d;
    return NULL;
}
