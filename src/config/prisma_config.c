/* prisma.config.{ts,js,...} without running it: the default-exported object in its common shapes,
 * and of its values those that are literal or come from the environment. */
#include "config_int.h"

#include "base/fs.h"
#include "js_lex.h"

/* Nested constants could take time without end; a real file takes some dozens of steps. */
enum { MAX_DEPTH = 12, MAX_STEPS = 2000 };

typedef struct Js {
    Arena *a;
    JsTokenVec tokens;
    const char *dir, *cwd;
    int steps;
    PrismaConfig *ret;
} Js;

/* Keys that mean something here. */
static const char *const wanted[] = {
    "schema",          "datasource.url",  "datasource.directUrl", "datasource.shadowDatabaseUrl",
    "migrations.path", "migrations.seed", "tables.external",      "enums.external",
};
static const char *const groups[] = {"datasource", "migrations", "tables", "enums"};

static size_t eval(Js *js, size_t i, int depth, FileValue *v);

static const JsToken *
tok(const Js *js, size_t i)
{
    return &js->tokens.v[i < js->tokens.n ? i : js->tokens.n - 1];
}

static bool
is(const Js *js, size_t i, const char *punct)
{
    return tok(js, i)->kind == JS_PUNCT && str_is(tok(js, i)->text, punct);
}

static bool
is_word(const Js *js, size_t i, const char *word)
{
    return tok(js, i)->kind == JS_WORD && str_is(tok(js, i)->text, word);
}

static bool
is_any(const Js *js, size_t i, const char *const *puncts)
{
    for (; *puncts; puncts++)
        if (is(js, i, *puncts))
            return true;
    return tok(js, i)->kind == JS_END;
}

/* Index of the first token from `i` on that ends an expression: "," ";" or a closing bracket. */
static size_t
skip_value(const Js *js, size_t i)
{
    static const char *const open[] = {"{", "(", "[", NULL}, *const close[] = {"}", ")", "]", NULL},
                             *const end[] = {",", ";", NULL};
    for (int depth = 0; tok(js, i)->kind != JS_END; i++) {
        if (depth == 0 && (is_any(js, i, close) || is_any(js, i, end)))
            return i;
        depth += is_any(js, i, open) ? 1 : is_any(js, i, close) ? -1 : 0;
    }
    return i;
}

/* Index behind the bracket that closes the one at `i`. */
static size_t
skip_group(const Js *js, size_t i)
{
    static const char *const close[] = {"}", ")", "]", NULL};
    for (i = skip_value(js, i + 1); !is_any(js, i, close); i = skip_value(js, i + 1))
        ;
    return i + 1;
}

/* Index behind "<...>" when `i` stands on its "<". */
static size_t
skip_generics(const Js *js, size_t i)
{
    if (!is(js, i, "<"))
        return i;
    int depth = 0;
    for (size_t k = i; k < i + 64 && tok(js, k)->kind != JS_END; k++) {
        depth += is(js, k, "<") ? 1 : is(js, k, ">") ? -1 : 0;
        if (depth == 0)
            return k + 1;
    }
    return i;
}

/* Index of what `const name = ...` is set to, 0 = there is none. */
static size_t
find_declaration(const Js *js, Str name)
{
    for (size_t i = 0; i + 2 < js->tokens.n; i++) {
        if (!is_word(js, i, "const") && !is_word(js, i, "let") && !is_word(js, i, "var"))
            continue;
        if (tok(js, i + 1)->kind != JS_WORD || !str_eq(tok(js, i + 1)->text, name))
            continue;
        for (size_t k = i + 2; k < i + 66 && tok(js, k)->kind != JS_END; k++)
            if (is(js, k, "="))
                return k + 1;
    }
    return 0;
}

/* Index of the "{" of the object that the expression at `i` gives: an object, one in parentheses,
 * the argument of a call such as defineConfig(...), a constant. 0 = none. */
static size_t
find_object(const Js *js, size_t i)
{
    for (int steps = 0; steps < MAX_DEPTH; steps++) {
        if (is(js, i, "{"))
            return i;
        if (is(js, i, "(")) {
            i++;
            continue;
        }
        if (tok(js, i)->kind != JS_WORD)
            return 0;
        size_t after = i + 1;
        while ((is(js, after, ".") || is(js, after, "?.")) && tok(js, after + 1)->kind == JS_WORD)
            after += 2;
        after = skip_generics(js, after);
        size_t declared = is(js, after, "(") ? 0 : find_declaration(js, tok(js, i)->text);
        if (is(js, after, "(") && !is_word(js, i, "function") && !is_word(js, i, "async"))
            i = after;
        else if (after == i + 1 && declared)
            i = declared;
        else
            return 0;
    }
    return 0;
}

/* Index of the expression that the module exports as default, 0 = none. */
static size_t
find_export(const Js *js)
{
    for (size_t i = 0; i + 2 < js->tokens.n; i++) {
        if (is_word(js, i, "export") && is_word(js, i + 1, "default"))
            return i + 2;
        if (is_word(js, i, "module") && is(js, i + 1, ".") && is_word(js, i + 2, "exports"))
            i += 2;
        else if (is_word(js, i, "exports") && is(js, i + 1, ".") && is_word(js, i + 2, "default"))
            i += 2;
        else
            continue;
        if (is(js, i + 1, "="))
            return i + 2;
    }
    return 0;
}

/* ---- expressions ----------------------------------------------------------------------------- */

static void
add_alt(Js *js, FileValue *v, bool is_env, Str text)
{
    *vec_add(js->a, &v->alts) = (FileAlt){.is_env = is_env, .text = str_dup(js->a, text)};
}

/* A value of several parts; one text where all of them are literal. */
static void
add_parts(Js *js, FileValue *v, const FilePart *parts, size_t n)
{
    Buf text;
    buf_init(&text, js->a);
    size_t literals = 0;
    for (; literals < n; literals++) {
        const FilePart *p = &parts[literals];
        if (p->encoded || p->alts.n != 1 || p->alts.v[0].is_env || !p->alts.v[0].text)
            break;
        buf_addz(&text, p->alts.v[0].text);
    }
    if (literals == n) {
        add_alt(js, v, false, buf_str(&text));
        return;
    }
    FilePart *copy = arena_array(js->a, FilePart, n);
    memcpy(copy, parts, n * sizeof *parts);
    *vec_add(js->a, &v->alts) = (FileAlt){.parts = copy, .part_count = n};
}

/* Only names are put into `computed`: an expression may hold a password. */
static size_t
computed(Js *js, size_t i, FileValue *v, Str name)
{
    v->computed = name.n ? str_fmt(js->a, STR_FMT, STR_ARG(name)) : "an expression";
    return skip_value(js, i);
}

/* The one literal text of a value, NULL when it is something else. */
static const char *
literal(const FileValue *v)
{
    bool one = !v->computed && v->alts.n == 1 && !v->list.n && !v->alts.v[0].is_env;
    return one ? v->alts.v[0].text : NULL;
}

/* Whether all of it is literals and variables. */
static bool
is_known(const FileValue *v)
{
    return !v->computed && v->alts.n && !v->list.n;
}

/* path.join(...) and path.resolve(...); `i` stands behind "(". */
static size_t
eval_path(Js *js, size_t i, bool resolve, int depth, FileValue *v)
{
    const char *path = resolve ? js->cwd : "";
    while (!is(js, i, ")") && tok(js, i)->kind != JS_END) {
        FileValue part = {0};
        size_t after = eval(js, i, depth + 1, &part);
        const char *text = literal(&part);
        if (!text)
            return computed(js, i, v, STR("path.join()"));
        if (resolve || !path[0])
            path = fs_join(js->a, path, text);
        else
            path = str_fmt(js->a, "%s/%s", path, text);
        i = after + is(js, after, ",");
    }
    add_alt(js, v, false, str_of(path));
    return i + 1;
}

/* encodeURIComponent(...); `i` stands behind "(". */
static size_t
eval_encoded(Js *js, size_t i, int depth, FileValue *v)
{
    FileValue inner = {0};
    i = eval(js, i, depth + 1, &inner);
    if (!is_known(&inner) || !is(js, i, ")"))
        return computed(js, i, v, STR("encodeURIComponent()"));
    add_parts(js, v, &(FilePart){inner.alts, true}, 1);
    return i + 1;
}

/* `text ${code} text` */
static size_t
eval_template(Js *js, size_t i, int depth, FileValue *v)
{
    JsToken t = *tok(js, i); /* a copy: tokens of its code are added behind all others */
    VEC(FilePart) parts = {0};
    vec_each (const JsPiece, piece, &t.pieces) {
        FileValue inner = {0};
        if (piece->is_code) {
            size_t start = js->tokens.n;
            config_js_lex(js->a, piece->text, &js->tokens);
            size_t end = eval(js, start, depth + 1, &inner);
            if (!is_known(&inner) || tok(js, end)->kind != JS_END)
                return computed(js, i, v,
                                inner.computed ? str_of(inner.computed) : STR("a template"));
        } else {
            add_alt(js, &inner, false, piece->text);
        }
        *vec_add(js->a, &parts) = (FilePart){.alts = inner.alts};
    }
    add_parts(js, v, parts.v, parts.n);
    return i + 1;
}

/* const { NAME, OTHER: name, THIRD = "default" } = process.env: what `name` is there; false = it is
 * no such name. */
static bool
eval_destructured(Js *js, Str name, int depth, FileValue *v)
{
    for (size_t i = 0; i + 4 < js->tokens.n; i++) {
        if ((!is_word(js, i, "const") && !is_word(js, i, "let") && !is_word(js, i, "var")) ||
            !is(js, i + 1, "{"))
            continue;
        size_t end = skip_group(js, i + 1);
        if (!is(js, end, "="))
            continue;
        for (end++; is(js, end + 1, "."); end += 2)
            ;
        if (!is_word(js, end, "env"))
            continue;
        for (size_t k = i + 2; tok(js, k)->kind == JS_WORD; k = skip_value(js, k) + 1) {
            size_t local = is(js, k + 1, ":") ? k + 2 : k;
            if (!str_eq(tok(js, local)->text, name))
                continue;
            add_alt(js, v, true, tok(js, k)->text);
            if (is(js, local + 1, "="))
                eval(js, local + 2, depth + 1, v);
            return true;
        }
    }
    return false;
}

/* A chain of names: process.env.X, env("X"), path.join(...), __dirname, a constant. */
static size_t
eval_name(Js *js, size_t i, int depth, FileValue *v)
{
    static const char *const dots[] = {".", "?.", NULL};
    size_t start = i, n = 1;
    Str last = tok(js, i)->text, before = {"", 0};
    for (i++; is_any(js, i, dots) && tok(js, i + 1)->kind == JS_WORD; i += 2, n++)
        before = last, last = tok(js, i + 1)->text;
    Str first = tok(js, start)->text;
    size_t call = skip_generics(js, i);
    bool called = is(js, call, "("), ends_env = str_is(last, "env");
    size_t bracket = i + is(js, i, "?.");
    if (ends_env && is(js, bracket, "[") && tok(js, bracket + 1)->kind == JS_TEXT &&
        is(js, bracket + 2, "]")) {
        add_alt(js, v, true, tok(js, bracket + 1)->text);
        return bracket + 3;
    }
    bool asks_env = ends_env || (str_is(last, "get") && str_is(before, "env"));
    if (called && asks_env && tok(js, call + 1)->kind == JS_TEXT && is(js, call + 2, ")")) {
        add_alt(js, v, true, tok(js, call + 1)->text);
        return call + 3;
    }
    if (called && (str_is(last, "join") || str_is(last, "resolve")))
        return eval_path(js, call + 1, str_is(last, "resolve"), depth, v);
    if (called && n == 1 && str_is(last, "encodeURIComponent"))
        return eval_encoded(js, call + 1, depth, v);
    if (called && str_is(first, "process") && str_is(last, "cwd") && is(js, call + 1, ")")) {
        add_alt(js, v, false, str_of(js->cwd));
        return call + 2;
    }
    if (called)
        return computed(js, i, v, str_of(str_fmt(js->a, STR_FMT "()", STR_ARG(last))));
    if (str_is(before, "env")) {
        add_alt(js, v, true, last);
        return i;
    }
    bool dirname =
        n == 1 ? str_is(first, "__dirname")
               : str_is(first, "import") && (str_is(last, "dirname") || str_is(last, "dir"));
    if (dirname) {
        add_alt(js, v, false, str_of(js->dir));
        return i;
    }
    if (n == 1 && (str_is(first, "undefined") || str_is(first, "null")))
        return i;
    if (n == 1 && (str_is(first, "true") || str_is(first, "false"))) {
        add_alt(js, v, false, first);
        return i;
    }
    size_t declared = n == 1 && depth < MAX_DEPTH ? find_declaration(js, first) : 0;
    if (!declared && n == 1 && depth < MAX_DEPTH && eval_destructured(js, first, depth, v))
        return i;
    if (!declared)
        return computed(js, i, v, last);
    int line = v->line;
    eval(js, declared, depth + 1, v);
    v->line = line;
    return i;
}

static size_t
eval_list(Js *js, size_t i, int depth, FileValue *v)
{
    while (!is(js, i, "]") && tok(js, i)->kind != JS_END) {
        FileValue part = {0};
        size_t after = eval(js, i, depth + 1, &part);
        if (literal(&part))
            *vec_add(js->a, &v->list) = literal(&part);
        else
            v->computed = "an element of the list";
        if (after == i || (!is(js, after, ",") && !is(js, after, "]")))
            return computed(js, after, v, STR("an element of the list"));
        i = after + is(js, after, ",");
    }
    return i + 1;
}

static size_t
eval_primary(Js *js, size_t i, int depth, FileValue *v)
{
    const JsToken *t = tok(js, i);
    if (depth > MAX_DEPTH || ++js->steps > MAX_STEPS)
        return computed(js, i, v, STR("an expression"));
    if (t->kind == JS_TEXT || t->kind == JS_NUMBER) {
        add_alt(js, v, false, t->text);
        return i + 1;
    }
    if (t->kind == JS_WORD)
        return eval_name(js, i, depth, v);
    if (is(js, i, "(")) {
        i = eval(js, i + 1, depth + 1, v);
        return is(js, i, ")") ? i + 1 : computed(js, i, v, STR("an expression"));
    }
    if (is(js, i, "["))
        return eval_list(js, i + 1, depth, v);
    if (t->kind == JS_TEMPLATE)
        return eval_template(js, i, depth, v);
    return computed(js, i, v, STR("an expression"));
}

/* Skip "!", "as string", "satisfies T". */
static size_t
skip_assertions(const Js *js, size_t i)
{
    for (;;) {
        if (is(js, i, "!")) {
            i++;
        } else if (is_word(js, i, "as") || is_word(js, i, "satisfies")) {
            static const char *const joins[] = {".", "|", "&", NULL};
            for (i += 2; is_any(js, i, joins) && tok(js, i)->kind != JS_END; i += 2)
                ;
            i = skip_generics(js, i);
        } else {
            return i;
        }
    }
}

/* One operand of ?? and ||, with what follows it up to the next of them. */
static size_t
eval_operand(Js *js, size_t i, int depth, FileValue *v)
{
    static const char *const ends[] = {",", ";", "}", ")", "]", "??", "||", NULL};
    FileValue one = {0};
    VEC(FilePart) parts = {0};
    i = skip_assertions(js, eval_primary(js, i, depth, &one));
    while (is(js, i, "+") && is_known(&one)) {
        *vec_add(js->a, &parts) = (FilePart){.alts = one.alts};
        one = (FileValue){0};
        i = skip_assertions(js, eval_primary(js, i + 1, depth + 1, &one));
        if (!is_known(&one))
            return computed(js, i, v, STR("an expression"));
    }
    if (parts.n) {
        *vec_add(js->a, &parts) = (FilePart){.alts = one.alts};
        one = (FileValue){0};
        add_parts(js, &one, parts.v, parts.n);
    }
    v->computed = one.computed ? one.computed : v->computed;
    v->list = one.list.n ? one.list : v->list;
    vec_each (const FileAlt, alt, &one.alts)
        *vec_add(js->a, &v->alts) = *alt;
    const JsToken *t = tok(js, i);
    bool is_next_statement = t->kind == JS_WORD && i > 0 && t->line > tok(js, i - 1)->line;
    if (v->computed || is_any(js, i, ends) || is_next_statement)
        return i;
    return computed(js, i, v, STR("an expression"));
}

/* Evaluate the expression at `i` as far as it is known; returns the index of the token behind it.
 */
static size_t
eval(Js *js, size_t i, int depth, FileValue *v)
{
    for (;;) {
        size_t settled = v->alts.n;
        i = eval_operand(js, i, depth, v);
        if (v->computed)
            v->alts.n = settled; /* a part of an expression is no value */
        if (v->computed || (!is(js, i, "??") && !is(js, i, "||")))
            return i;
        i++;
    }
}

/* ---- the object ------------------------------------------------------------------------------ */

static bool
in_list(const char *const *list, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], key) == 0)
            return true;
    return false;
}

/* Whether something that is wanted lies under `key`, itself included. */
static bool
concerns(const char *key)
{
    return in_list(wanted, COUNT(wanted), key) || in_list(groups, COUNT(groups), key);
}

static void
add_computed(Js *js, const char *key, int line, const char *what)
{
    if (concerns(key))
        *vec_add(js->a, &js->ret->values) = (FileValue){.key = key, .line = line, .computed = what};
}

static void read_object(Js *js, size_t i, const char *prefix, int depth);

/* The value of `key` at `i`; returns the index of the "," or "}" behind it. */
static size_t
read_value(Js *js, size_t i, const char *key, int depth)
{
    int line = tok(js, i)->line;
    if (in_list(groups, COUNT(groups), key)) {
        size_t object = find_object(js, i);
        if (object && depth < MAX_DEPTH)
            read_object(js, object, str_fmt(js->a, "%s.", key), depth + 1);
        else
            add_computed(js, key, line, "an expression");
    } else if (in_list(wanted, COUNT(wanted), key)) {
        FileValue v = {.key = key, .line = line};
        eval(js, i, depth, &v);
        *vec_add(js->a, &js->ret->values) = v;
    }
    return skip_value(js, i);
}

/* "...name": what it brings is read when it is a constant of this file. */
static size_t
read_spread(Js *js, size_t i, const char *prefix, int depth)
{
    static const char spread[] = "\"...\" of something else";
    size_t object = find_object(js, i);
    if (object && depth < MAX_DEPTH)
        read_object(js, object, prefix, depth + 1);
    else if (prefix[0])
        add_computed(js, str_dup(js->a, str_slice(str_of(prefix), 0, strlen(prefix) - 1)),
                     tok(js, i)->line, spread);
    for (size_t g = 0; !object && !prefix[0] && g < COUNT(groups); g++)
        add_computed(js, groups[g], tok(js, i)->line, spread);
    return skip_value(js, i);
}

/* Methods and getters: "get url() { ... }". */
static size_t
read_method(Js *js, size_t i, const char *key)
{
    add_computed(js, key, tok(js, i)->line, "a function");
    while (!is(js, i, "{") && !is(js, i, "}") && tok(js, i)->kind != JS_END)
        i = is(js, i, "(") ? skip_group(js, i) : i + 1;
    return is(js, i, "{") ? skip_group(js, i) : i;
}

/* The object whose "{" is at `i`. */
static void
read_object(Js *js, size_t i, const char *prefix, int depth)
{
    for (i++; !is(js, i, "}") && tok(js, i)->kind != JS_END && ++js->steps <= MAX_STEPS;) {
        if (is(js, i, ",")) {
            i++;
            continue;
        }
        if (is(js, i, "...")) {
            i = read_spread(js, i + 1, prefix, depth);
            continue;
        }
        bool modifier = (is_word(js, i, "get") || is_word(js, i, "async")) &&
                        (tok(js, i + 1)->kind == JS_WORD || tok(js, i + 1)->kind == JS_TEXT);
        const JsToken *t = tok(js, i += modifier);
        if (t->kind != JS_WORD && t->kind != JS_TEXT) {
            size_t after = skip_value(js, i);
            i = after > i ? after : i + 1;
            continue;
        }
        const char *key = str_fmt(js->a, "%s" STR_FMT, prefix, STR_ARG(t->text));
        if (is(js, i + 1, ":"))
            i = read_value(js, i + 2, key, depth);
        else if (is(js, i + 1, ",") || is(js, i + 1, "}"))
            i = read_value(js, i, key, depth);
        else
            i = read_method(js, i + 1, key);
        if (!is(js, i, ",") && !is(js, i, "}") && tok(js, i)->kind != JS_END)
            i++;
    }
}

/* The paths that the expression at `i` gives. */
static void
add_dotenv_paths(Js *js, size_t i)
{
    FileValue v = {0};
    eval(js, i, 0, &v);
    if (literal(&v))
        *vec_add(js->a, &js->ret->dotenv_paths) = literal(&v);
    for (size_t p = 0; !v.computed && p < v.list.n; p++)
        *vec_add(js->a, &js->ret->dotenv_paths) = v.list.v[p];
}

/* process.loadEnvFile("../.env"), and dotenv.config({ path: "../.env" }) in a file that imports
 * something of dotenv. */
static void
find_dotenv(Js *js)
{
    bool imported = false;
    vec_each (JsToken, t, &js->tokens) {
        imported |= t->kind == JS_TEXT && str_contains(t->text, STR("dotenv"));
    }
    for (size_t i = 0; i + 3 < js->tokens.n; i++) {
        if (is_word(js, i, "loadEnvFile") && is(js, i + 1, "(") && !is(js, i + 2, ")"))
            add_dotenv_paths(js, i + 2);
        if (!imported || !is_word(js, i, "config") || !is(js, i + 1, "(") || !is(js, i + 2, "{"))
            continue;
        for (size_t k = i + 3; tok(js, k)->kind == JS_WORD; k = skip_value(js, k) + 1)
            if (is_word(js, k, "path") && is(js, k + 1, ":"))
                add_dotenv_paths(js, k + 2);
    }
}

void
config_prisma_parse(Arena *a, Str text, const char *cwd, PrismaConfig *ret)
{
    Js js = {.a = a, .dir = ret->dir, .cwd = cwd, .ret = ret};
    config_js_lex(a, text, &js.tokens);
    find_dotenv(&js);
    size_t start = find_export(&js), object = start ? find_object(&js, start) : 0;
    ret->has_object = object != 0;
    if (object)
        read_object(&js, object, "", 0);
}
