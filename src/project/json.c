/* A JSON reader that keeps the place of every value, so that a file of people can be changed in one
 * spot. It builds a tree, but copies no text except decoded strings. */
#include "project/project.h"

#include "base/map.h"

enum { MOST_LEVELS = 200 };

typedef struct Reader {
    Arena *a;
    const char *path;
    Str text;
    size_t at;
    Err *err;
} Reader;

__attribute__((format(printf, 3, 4))) static bool
fail(Reader *r, size_t at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *what = str_vfmt(r->a, fmt, ap);
    va_end(ap);
    int line, column;
    str_line_col(r->text, at, &line, &column);
    err_set(r->err, ERR_CONFIG, "%s: %s", r->path, what);
    return err_at(r->err, r->path, line, column);
}

static int
peek(const Reader *r)
{
    return r->at < r->text.n ? (unsigned char)r->text.p[r->at] : -1;
}

static bool
fail_here(Reader *r, const char *wanted)
{
    int c = peek(r);
    if (c < 0)
        return fail(r, r->at, "the file ends where %s should stand", wanted);
    if (c == '/' && r->at + 1 < r->text.n && strchr("/*", r->text.p[r->at + 1])) {
        fail(r, r->at, "comments are no JSON, and would be lost on npm's next change");
        return err_hint(r->err, "take the comment out of %s and try again", r->path);
    }
    if (c < 0x20 || c > 0x7e)
        return fail(r, r->at, "not JSON: byte \\x%02x where %s should stand", c, wanted);
    return fail(r, r->at, "not JSON: \"%c\" where %s should stand", c, wanted);
}

static void
skip_space(Reader *r)
{
    while (r->at < r->text.n && strchr(" \t\r\n", r->text.p[r->at]) && r->text.p[r->at])
        r->at++;
}

static bool
take(Reader *r, char c)
{
    if (peek(r) != c)
        return false;
    r->at++;
    return true;
}

static int
hex4(const Reader *r, size_t at)
{
    int value = 0;
    for (size_t i = at; i < at + 4; i++) {
        char c = i < r->text.n ? r->text.p[i] : 0;
        int digit = c >= '0' && c <= '9'                 ? c - '0'
                    : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                         : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static void
add_utf8(Buf *b, unsigned c)
{
    if (c < 0x80) {
        buf_addc(b, (char)c);
    } else if (c < 0x800) {
        buf_addc(b, (char)(0xc0 | c >> 6));
        buf_addc(b, (char)(0x80 | (c & 63)));
    } else if (c < 0x10000) {
        buf_addc(b, (char)(0xe0 | c >> 12));
        buf_addc(b, (char)(0x80 | (c >> 6 & 63)));
        buf_addc(b, (char)(0x80 | (c & 63)));
    } else {
        buf_addc(b, (char)(0xf0 | c >> 18));
        buf_addc(b, (char)(0x80 | (c >> 12 & 63)));
        buf_addc(b, (char)(0x80 | (c >> 6 & 63)));
        buf_addc(b, (char)(0x80 | (c & 63)));
    }
}

/* What stands behind a backslash. A lone surrogate becomes U+FFFD. */
static bool
read_escape(Reader *r, Buf *b)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    size_t began = r->at - 1;
    int c = peek(r);
    const char *one = c > 0 ? strchr(from, c) : NULL;
    if (one) {
        buf_addc(b, to[one - from]);
        r->at++;
        return true;
    }
    int code = c == 'u' ? hex4(r, r->at + 1) : -1;
    if (code < 0)
        return fail(r, began, "not JSON: an escape that it does not have");
    r->at += 5;
    unsigned value = (unsigned)code;
    if (code >= 0xd800 && code < 0xe000) {
        bool pair = code < 0xdc00 && peek(r) == '\\' && r->at + 1 < r->text.n &&
                    r->text.p[r->at + 1] == 'u';
        int low = pair ? hex4(r, r->at + 2) : -1;
        value = 0xfffd;
        if (low >= 0xdc00 && low < 0xe000) {
            value = 0x10000u + (((unsigned)code - 0xd800u) << 10) + ((unsigned)low - 0xdc00u);
            r->at += 6;
        }
    }
    add_utf8(b, value);
    return true;
}

/* A string; the cursor is at its quote. */
static bool
read_string(Reader *r, Str *ret)
{
    Buf b;
    size_t began = r->at++;
    buf_init(&b, r->a);
    for (;;) {
        size_t from = r->at;
        while (r->at < r->text.n && (unsigned char)r->text.p[r->at] >= 0x20 &&
               r->text.p[r->at] != '"' && r->text.p[r->at] != '\\')
            r->at++;
        buf_add(&b, str_slice(r->text, from, r->at));
        int c = peek(r);
        if (c < 0 || c == '\n' || c == '\r')
            return fail(r, began, "not JSON: a string that does not end");
        r->at++;
        if (c == '"')
            break;
        if (c != '\\')
            return fail(r, r->at - 1, "not JSON: a control character inside a string");
        if (!read_escape(r, &b))
            return false;
    }
    *ret = buf_finish(&b);
    return true;
}

static size_t
skip_digits(Reader *r)
{
    size_t from = r->at;
    while (peek(r) >= '0' && peek(r) <= '9')
        r->at++;
    return r->at - from;
}

static bool
read_number(Reader *r)
{
    size_t began = r->at;
    take(r, '-');
    bool zero = peek(r) == '0';
    size_t digits = skip_digits(r);
    bool ok = digits && !(zero && digits > 1);
    if (ok && take(r, '.'))
        ok = skip_digits(r) > 0;
    if (ok && (take(r, 'e') || take(r, 'E'))) {
        if (!take(r, '+'))
            take(r, '-');
        ok = skip_digits(r) > 0;
    }
    return ok || fail(r, began, "not JSON: a number that it does not have");
}

static bool
read_word(Reader *r, ProjectJson *node)
{
    static const struct {
        const char *word;
        ProjectJsonKind kind;
    } words[] = {
        {"true", PROJECT_JSON_BOOL}, {"false", PROJECT_JSON_BOOL}, {"null", PROJECT_JSON_NULL}};
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_starts(str_slice(r->text, r->at, r->text.n), str_of(words[i].word))) {
            node->kind = words[i].kind;
            r->at += strlen(words[i].word);
            return true;
        }
    return fail_here(r, "a value");
}

static bool read_value(Reader *r, ProjectJson *node, int depth);

static bool
read_key(Reader *r, const Map *seen, ProjectJson *member)
{
    if (peek(r) != '"')
        return fail_here(r, "a key in double quotes");
    member->key_from = r->at;
    if (!read_string(r, &member->key))
        return false;
    member->key_to = r->at;
    if (map_has(seen, member->key)) {
        fail(r, member->key_from, "the key \"%s\" stands there twice",
             str_printable(r->a, member->key, false));
        return err_hint(r->err, "keep one of them: tools do not agree on which counts");
    }
    skip_space(r);
    if (!take(r, ':'))
        return fail_here(r, "a colon");
    skip_space(r);
    return true;
}

/* Members of an object or elements of an array; the cursor is behind the opening bracket. */
static bool
read_list(Reader *r, ProjectJson *node, int depth)
{
    bool object = node->kind == PROJECT_JSON_OBJECT;
    char end = object ? '}' : ']';
    Map seen;
    map_init(&seen, r->a);
    if (depth >= MOST_LEVELS)
        return fail(r, node->from, "more than %d levels", MOST_LEVELS);
    skip_space(r);
    if (take(r, end))
        return true;
    for (ProjectJson *last = NULL;;) {
        ProjectJson *item = arena_new(r->a, ProjectJson);
        skip_space(r);
        if ((object && !read_key(r, &seen, item)) || !read_value(r, item, depth + 1))
            return false;
        map_put(&seen, item->key, item);
        *(last ? &last->next : &node->first) = item;
        node->last = last = item;
        skip_space(r);
        if (take(r, end))
            return true;
        if (!take(r, ','))
            return fail_here(r, object ? "a comma or the end of the object"
                                       : "a comma or the end of the array");
    }
}

static bool
read_value(Reader *r, ProjectJson *node, int depth)
{
    bool ok;
    node->from = r->at;
    int c = peek(r);
    if (c == '"') {
        node->kind = PROJECT_JSON_TEXT;
        ok = read_string(r, &node->text);
    } else if (c == '{' || c == '[') {
        node->kind = c == '{' ? PROJECT_JSON_OBJECT : PROJECT_JSON_ARRAY;
        r->at++;
        ok = read_list(r, node, depth);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        node->kind = PROJECT_JSON_NUMBER;
        ok = read_number(r);
    } else {
        ok = read_word(r, node);
    }
    node->to = r->at;
    return ok;
}

bool
project_json_parse(Arena *a, const char *path, Str text, const ProjectJson **ret, Err *err)
{
    Reader r = {.a = a, .path = path, .text = text, .err = err};
    ProjectJson *root = arena_new(a, ProjectJson);
    *ret = root;
    size_t invalid = str_utf8_invalid_at(text);
    if (invalid < text.n)
        return fail(&r, invalid, "not text in UTF-8");
    if (str_starts(text, STR("\xef\xbb\xbf")))
        r.at = 3;
    skip_space(&r);
    if (!read_value(&r, root, 0))
        return false;
    skip_space(&r);
    return r.at == text.n || fail_here(&r, "the end of the file");
}

const ProjectJson *
project_json_get(const ProjectJson *object, const char *key)
{
    const ProjectJson *member =
        object && object->kind == PROJECT_JSON_OBJECT ? object->first : NULL;
    while (member && !str_is(member->key, key))
        member = member->next;
    return member;
}

const char *
project_json_text(Arena *a, const ProjectJson *object, const char *key)
{
    const ProjectJson *member = project_json_get(object, key);
    return member && member->kind == PROJECT_JSON_TEXT ? str_dup(a, member->text) : NULL;
}
