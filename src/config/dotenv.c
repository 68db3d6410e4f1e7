/* The .env format as dotenv reads it: KEY=VALUE, `export KEY=`, `KEY: value`, comments, three kinds
 * of quotes, values over several lines. One difference: "#" begins a comment only at the start of a
 * value or after white space, because passwords in URLs hold it. */
#include "config_int.h"

typedef struct Dotenv {
    Arena *a;
    const char *path;
    Str s;
    size_t i;
    int line;
    EnvVarVec *ret;
    Err *err;
} Dotenv;

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool
is_eol(char c)
{
    return c == '\n' || c == '\r';
}

static bool
is_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
}

static size_t
skip_blanks(Str s, size_t i)
{
    while (i < s.n && is_blank(s.p[i]))
        i++;
    return i;
}

static size_t
line_end(Str s, size_t i)
{
    while (i < s.n && !is_eol(s.p[i]))
        i++;
    return i;
}

/* Move behind text up to `end`, counting its lines. */
static void
move_to(Dotenv *d, size_t end)
{
    for (; d->i < end; d->i++)
        d->line += d->s.p[d->i] == '\n' ||
                   (d->s.p[d->i] == '\r' && !(d->i + 1 < d->s.n && d->s.p[d->i + 1] == '\n'));
}

static bool
fail_line(const Dotenv *d)
{
    err_set(d->err, ERR_CONFIG, "a line of \"%s\" is not KEY=VALUE", d->path);
    err_hint(d->err, "begin comments with #, and put values of several lines in double quotes");
    return err_at(d->err, d->path, d->line, 0);
}

/* Only white space or a comment may follow the quote that closes a value. */
static bool
closes(Str s, size_t after)
{
    size_t i = skip_blanks(s, after);
    return i == s.n || is_eol(s.p[i]) || s.p[i] == '#';
}

typedef enum QuotedEnd { QUOTED_CLOSED, QUOTED_OPEN, QUOTED_NOT } QuotedEnd;

/* Find the quote that closes the value which begins at `from`. QUOTED_NOT: other text follows it,
 * then the line is a value without quotes. */
static QuotedEnd
find_close(Str s, size_t from, size_t *ret)
{
    char quote = s.p[from];
    for (size_t i = from + 1; i < s.n; i++) {
        if (s.p[i] == '\\' && quote == '"') {
            i++;
        } else if (s.p[i] == quote && closes(s, i + 1)) {
            *ret = i;
            return QUOTED_CLOSED;
        } else if (s.p[i] == quote && s.p[i - 1] != '\\') {
            return QUOTED_NOT;
        }
    }
    return QUOTED_OPEN;
}

/* The value without quotes at `from`: up to the line's end or a comment. */
static Str
bare_value(Str s, size_t from, size_t *ret_end)
{
    size_t end = line_end(s, from), cut = end;
    for (size_t i = from; i < end; i++)
        if (s.p[i] == '#' && (i == from || is_blank(s.p[i - 1]))) {
            cut = i;
            break;
        }
    *ret_end = end;
    return str_trim(str_slice(s, from, cut));
}

static bool
parse_value(Dotenv *d, EnvVar *var)
{
    Str s = d->s;
    size_t from = skip_blanks(s, d->i), end = from;
    if (from < s.n && strchr("\"'`", s.p[from])) {
        size_t close = 0;
        QuotedEnd how = find_close(s, from, &close);
        if (how == QUOTED_OPEN) {
            err_set(d->err, ERR_CONFIG,
                    "the value of %s in \"%s\" begins with a quote that is "
                    "never closed",
                    var->key, d->path);
            err_at(d->err, d->path, d->line, 0);
            return err_hint(d->err, "close it, or write the value in the other kind of quotes when "
                                    "it holds one");
        }
        if (how == QUOTED_CLOSED) {
            var->quote = s.p[from] == '"' ? ENV_DOUBLE : ENV_RAW;
            var->raw = str_slice(s, from + 1, close);
            move_to(d, line_end(s, close));
            return true;
        }
    }
    var->raw = bare_value(s, from, &end);
    move_to(d, end);
    return true;
}

static bool
parse_line(Dotenv *d)
{
    Str s = d->s;
    size_t i = skip_blanks(s, d->i);
    if (i + 7 < s.n && memcmp(s.p + i, "export", 6) == 0 && is_blank(s.p[i + 6]))
        i = skip_blanks(s, i + 6);
    size_t key = i;
    while (i < s.n && is_key_char(s.p[i]))
        i++;
    EnvVar var = {.key = str_dup(d->a, str_slice(s, key, i)), .line = d->line};
    size_t sep = skip_blanks(s, i);
    bool colon = sep == i && i < s.n && s.p[i] == ':' &&
                 (i + 1 == s.n || is_blank(s.p[i + 1]) || is_eol(s.p[i + 1]));
    if (i == key || (s.p[key] >= '0' && s.p[key] <= '9') || s.p[key] == '-' || sep == s.n ||
        (s.p[sep] != '=' && !colon))
        return fail_line(d);
    d->i = sep + 1;
    if (!parse_value(d, &var))
        return false;
    *vec_add(d->a, d->ret) = var;
    return true;
}

bool
config_dotenv_parse(Arena *a, const char *path, Str text, EnvVarVec *ret, Err *err)
{
    *ret = (EnvVarVec){0};
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_slice(text, 3, text.n);
    if (text.n && memchr(text.p, 0, text.n)) {
        err_set(err, ERR_CONFIG, "\"%s\" is not a UTF-8 text", path);
        err_hint(err, "save it again as UTF-8; PowerShell's \">\" writes UTF-16");
        return err_at(err, path, 0, 0);
    }
    Dotenv d = {a, path, text, 0, 1, ret, err};
    while (d.i < text.n) {
        size_t i = skip_blanks(text, d.i);
        if (i < text.n && text.p[i] == '#')
            i = line_end(text, i);
        if (i == text.n || is_eol(text.p[i]))
            move_to(&d, i < text.n ? i + 1 : i);
        else if (!parse_line(&d))
            return false;
    }
    return true;
}
