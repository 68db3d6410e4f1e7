/* Types: one canonical form for whatever spelling.
 * The spellings are those of PostgreSQL's grammar (rules SimpleTypename, ConstInterval) and of
 * format_type(): https://www.postgresql.org/docs/current/datatype.html */
#include "catalog/catalog_int.h"

#include "sqltext/sqltext.h"

#include <ctype.h>

typedef struct Builtin {
    const char *sql;  /* as format_type prints it, % = where arguments go */
    const char *name; /* in pg_type */
} Builtin;

enum { NAME_BYTES = 63 }; /* NAMEDATALEN - 1 */

static const Builtin builtins[] = {
    {"boolean", "bool"},
    {"smallint", "int2"},
    {"integer", "int4"},
    {"bigint", "int8"},
    {"real", "float4"},
    {"double precision", "float8"},
    {"numeric%", "numeric"},
    {"character varying%", "varchar"},
    {"bit varying%", "varbit"},
    {"time% without time zone", "time"},
    {"time% with time zone", "timetz"},
    {"timestamp% without time zone", "timestamp"},
    {"timestamp% with time zone", "timestamptz"},
};

/* Other spellings of the grammar. */
static const Builtin aliases[] = {
    {"int", "int4"},
    {"float", "float8"},
    {"decimal", "numeric"},
    {"dec", "numeric"},
    {"char", "bpchar"},
    {"character", "bpchar"},
    {"nchar", "bpchar"},
    {"national char", "bpchar"},
    {"national character", "bpchar"},
    {"char varying", "varchar"},
    {"nchar varying", "varchar"},
    {"national char varying", "varchar"},
    {"national character varying", "varchar"},
    {"time", "time"},
    {"timestamp", "timestamp"},
};

/* Words that mean something else as a type's name unless they are quoted. */
static const char *const grammar_words[] = {
    "bigint", "bit",      "boolean", "char",      "character", "dec",    "decimal",
    "float",  "int",      "integer", "interval",  "national",  "nchar",  "numeric",
    "real",   "smallint", "time",    "timestamp", "varchar",   "double", "setof"};

static bool
is_plain(const char *name)
{
    if (!(islower((unsigned char)name[0]) || name[0] == '_'))
        return false;
    for (const char *p = name; *p; p++)
        if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) && *p != '_')
            return false;
    for (size_t i = 0; i < COUNT(grammar_words); i++)
        if (strcmp(name, grammar_words[i]) == 0)
            return false;
    return true;
}

static void
add_args(Buf *b, const char *args)
{
    if (args)
        buf_fmt(b, "(%s)", args);
}

/* The text that belongs to the other fields. */
static const char *
type_text(Arena *a, const CatType *t)
{
    Buf b;
    buf_init(&b, a);
    const Builtin *builtin = NULL;
    for (size_t i = 0; !t->schema && i < COUNT(builtins); i++)
        if (strcmp(builtins[i].name, t->name) == 0)
            builtin = &builtins[i];
    if (builtin) {
        const char *hole = strchr(builtin->sql, '%');
        size_t n = hole ? (size_t)(hole - builtin->sql) : strlen(builtin->sql);
        buf_add(&b, (Str){builtin->sql, n});
        add_args(&b, t->args);
        if (hole)
            buf_addz(&b, hole + 1);
    } else if (t->schema) {
        sql_add_ident(&b, t->schema);
        buf_addc(&b, '.');
        sql_add_ident(&b, t->name);
        add_args(&b, t->args);
    } else if (strcmp(t->name, "interval") == 0) {
        buf_addz(&b, "interval");
        if (t->args && isalpha((unsigned char)t->args[0]))
            buf_fmt(&b, " %s", t->args);
        else
            add_args(&b, t->args);
    } else if (strcmp(t->name, "bpchar") == 0 && t->args) {
        buf_fmt(&b, "character(%s)", t->args);
    } else if (strcmp(t->name, "bit") == 0 && t->args) {
        buf_fmt(&b, "bit(%s)", t->args);
    } else {
        if (is_plain(t->name))
            buf_addz(&b, t->name);
        else
            sql_add_ident(&b, t->name);
        add_args(&b, t->args);
    }
    if (t->is_array)
        buf_addz(&b, "[]");
    return b.p;
}

CatType
catalog_type_named(Arena *a, const char *schema, const char *name, bool is_array)
{
    CatType t = {.schema = schema, .name = name, .is_array = is_array};
    t.text = type_text(a, &t);
    return t;
}

bool
catalog_type_same(const CatType *x, const CatType *y)
{
    return cat_same_text(x->name, y->name) && cat_same_text(x->args, y->args) &&
           x->is_array == y->is_array &&
           (!x->schema || !y->schema || strcmp(x->schema, y->schema) == 0);
}

/* ---- reading ------------------------------------------------------------------------------- */

typedef struct Scan {
    Arena *arena;
    Str rest;
} Scan;

static bool
is_word_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static bool
take(Scan *s, char c)
{
    s->rest = str_trim(s->rest);
    if (!s->rest.n || s->rest.p[0] != c)
        return false;
    s->rest = str_slice(s->rest, 1, s->rest.n);
    return true;
}

/* A name: quoted as it is, otherwise folded; NULL when none is there. */
static const char *
take_name(Scan *s, bool *ret_quoted)
{
    *ret_quoted = take(s, '"');
    Buf b;
    buf_init(&b, s->arena);
    size_t i = 0;
    for (; i < s->rest.n; i++) {
        char c = s->rest.p[i];
        if (*ret_quoted && c == '"') {
            if (i + 1 == s->rest.n || s->rest.p[i + 1] != '"')
                break;
            i++;
        } else if (!*ret_quoted) {
            if (!is_word_byte(c))
                break;
            c = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
        buf_addc(&b, c);
    }
    if (*ret_quoted && i < s->rest.n)
        i++;
    s->rest = str_slice(s->rest, i, s->rest.n);
    return b.n ? b.p : NULL;
}

/* What stands between parentheses, without white space behind commas and at the ends. */
static const char *
take_args(Scan *s)
{
    if (!take(s, '('))
        return NULL;
    Buf b;
    buf_init(&b, s->arena);
    size_t i = 0;
    for (; i < s->rest.n && s->rest.p[i] != ')'; i++) {
        char c = s->rest.p[i];
        if (c != ' ' && c != '\t' && c != '\n')
            buf_addc(&b, c);
    }
    s->rest = str_slice(s->rest, i < s->rest.n ? i + 1 : i, s->rest.n);
    return b.n ? b.p : NULL;
}

/* Words that may follow the first one of a built-in type: "double precision", "with time zone",
 * "day to second". They are joined by single spaces. */
static void
take_words(Scan *s, Buf *words)
{
    for (;;) {
        s->rest = str_trim(s->rest);
        if (!s->rest.n || !isalpha((unsigned char)s->rest.p[0]))
            return;
        bool quoted;
        const char *word = take_name(s, &quoted);
        if (words->n)
            buf_addc(words, ' ');
        buf_addz(words, word);
    }
}

static const char *
builtin_name(const char *words)
{
    for (size_t i = 0; i < COUNT(aliases); i++)
        if (strcmp(aliases[i].sql, words) == 0)
            return aliases[i].name;
    for (size_t i = 0; i < COUNT(builtins); i++) {
        const char *sql = builtins[i].sql, *hole = strchr(sql, '%');
        size_t n = hole ? (size_t)(hole - sql) : strlen(sql);
        if (strncmp(sql, words, n) == 0 && strcmp(hole ? hole + 1 : "", words + n) == 0)
            return builtins[i].name;
    }
    return NULL;
}

/* The arguments that the grammar supplies where none are written. */
static void
complete_args(Arena *a, CatType *t, const char *words)
{
    if (strcmp(t->name, "bpchar") == 0 && !t->args && strcmp(words, "bpchar") != 0)
        t->args = "1";
    else if (strcmp(words, "bit") == 0 && !t->args)
        t->args = "1";
    else if (strcmp(t->name, "numeric") == 0 && t->args && !strchr(t->args, ','))
        t->args = str_fmt(a, "%s,0", t->args);
    else if (strcmp(words, "float") == 0 && t->args) {
        long long bits = 53;
        str_to_int(str_of(t->args), 1, 53, &bits);
        t->name = bits <= 24 ? "float4" : "float8";
        t->args = NULL;
    }
}

/* An unquoted, unqualified type that begins with `first`. */
static void
read_builtin(Scan *s, CatType *t, const char *first)
{
    Buf words;
    buf_init(&words, s->arena);
    buf_addz(&words, first);
    if (strcmp(first, "interval") == 0) {
        Buf fields;
        buf_init(&fields, s->arena);
        take_words(s, &fields);
        const char *precision = take_args(s);
        t->name = first;
        t->args = !fields.n   ? precision
                  : precision ? str_fmt(s->arena, "%s(%s)", fields.p, precision)
                              : fields.p;
        return;
    }
    take_words(s, &words);
    t->args = take_args(s);
    take_words(s, &words);
    Str text = buf_str(&words);
    if (str_ends(text, STR(" array"))) {
        t->is_array = true;
        words.p[words.n -= strlen(" array")] = '\0';
    }
    const char *name = builtin_name(words.p);
    t->name = name ? name : words.p;
    complete_args(s->arena, t, words.p);
}

CatType
catalog_type(Arena *a, Str sql)
{
    Scan s = {a, str_trim(sql)};
    CatType t = {0};
    bool quoted, second_quoted = true;
    const char *first = take_name(&s, &quoted), *second = NULL;
    if (take(&s, '.'))
        second = take_name(&s, &second_quoted);
    if (second && strcmp(first ? first : "", "pg_catalog") == 0) {
        /* pg_catalog.int4, pg_catalog."char": internal names, not the grammar's words. */
        t.name = second;
        t.args = take_args(&s);
    } else if (second) {
        t.schema = first;
        t.name = second;
        t.args = take_args(&s);
    } else if (first && !quoted) {
        read_builtin(&s, &t, first);
    } else {
        t.name = first ? first : "";
        t.args = take_args(&s);
    }
    if (take(&s, '['))
        t.is_array = true;
    t.text = type_text(a, &t);
    return t;
}

void
catalog_sequence_init(CatSequence *s, CatType type)
{
    s->type = type;
    s->start = s->increment = s->min = s->cache = 1;
    s->max = strcmp(type.name, "int2") == 0   ? INT16_MAX
             : strcmp(type.name, "int4") == 0 ? INT32_MAX
                                              : INT64_MAX;
}

void
catalog_sequence_usual(CatSequence *usual, const CatSequence *s)
{
    *usual = *s;
    catalog_sequence_init(usual, s->type);
    usual->is_cycle = false;
    if (s->increment < 0) {
        usual->min = -usual->max - 1;
        usual->max = -1;
    }
    usual->start = s->increment > 0 ? s->min : s->max;
}

static size_t
cut_at_character(const char *s, size_t n)
{
    while (n && ((unsigned char)s[n] & 0xc0) == 0x80)
        n--;
    return n;
}

const char *
catalog_name_with(Arena *a, const char *name, const char *suffix)
{
    size_t n = strlen(name), room = NAME_BYTES - strlen(suffix);
    return str_fmt(a, "%.*s%s", (int)cut_at_character(name, n < room ? n : room), name, suffix);
}

static const char *
name_of_both(Arena *a, const char *table, const char *column, const char *label)
{
    size_t room = NAME_BYTES - strlen("__") - strlen(label), nt = strlen(table),
           nk = strlen(column);
    while (nt + nk > room) {
        if (nt > nk)
            nt--;
        else
            nk--;
    }
    return str_fmt(a, "%.*s_%.*s_%s", (int)cut_at_character(table, nt), table,
                   (int)cut_at_character(column, nk), column, label);
}

const char *
catalog_serial_name(Arena *a, const char *table, const char *column)
{
    return name_of_both(a, table, column, "seq");
}

const char *
catalog_not_null_name(Arena *a, const char *table, const char *column)
{
    return column ? name_of_both(a, table, column, "not_null")
                  : catalog_name_with(a, table, "_not_null");
}
