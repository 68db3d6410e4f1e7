/* Commands that messages tell to type, with the options of this call: pasted as they stand, they must
 * lead to the same database. */
#include "cli/cli_int.h"

#include "config/config.h"

/* The command whose words `text` begins with, in the spelling of this call where it is one of Prisma's;
 * *ret_n is their length. NULL = it is none. */
static const CmdSpec *
command_at(const CliTable *table, Str text, size_t *ret_n)
{
    const CmdSpec *best = NULL;
    *ret_n = 0;
    for (const CmdSpec *const *c = table->commands; *c; c++) {
        size_t n = strlen((*c)->name);
        bool ends = text.n == n || (text.n > n && !strchr("-_", text.p[n]) &&
                                    (text.p[n] < 'a' || text.p[n] > 'z'));
        if (n > *ret_n && str_starts(text, str_of((*c)->name)) && ends)
            best = *c, *ret_n = n;
    }
    return best;
}

/* "deploy" for a call of `migrate deploy` is "migrate deploy". */
static const CmdSpec *
in_words_of_call(const CmdCall *call, const CmdSpec *spec)
{
    ARENA_LOCAL(a);
    if (!call->spec || !str_starts(str_of(call->spec->name), STR("migrate ")))
        return spec;
    const char *name = str_fmt(a, "migrate %s", spec->name);
    for (const CmdSpec *const *c = call->table->commands; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return spec;
}

static const OptSpec *
option_at(const OptSpec *list, Str word)
{
    for (const OptSpec *o = list; o && o->name; o++)
        if (word.n > 2 && str_is(str_slice(word, 2, word.n), o->name))
            return o;
    return NULL;
}

/* Whether a call's option says where to work, or in which transactions, so that another command of the
 * same work needs it. */
static bool
is_repeated(const OptSpec *o, const CmdSpec *spec)
{
    static const char *const names[] = {"directory", "env",        "config",
                                        "schema",    "migrations", "url"};
    if (strcmp(o->name, "tx") == 0)
        return option_at(spec->options, STR("--tx")) != NULL;
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(o->name, names[i]) == 0)
            return !o->listed_for || (o->listed_for & spec->uses);
    return false;
}

static size_t
word_length(Str text)
{
    size_t n = 0;
    while (n < text.n && !strchr(" \n`;,)", text.p[n]) && (text.p[n] != '"' || !n))
        n++;
    return n;
}

/* Length of the options, with their values, that follow the command's words at once. */
static size_t
options_length(const CliTable *table, const CmdSpec *spec, Str text)
{
    size_t end = 0;
    while (text.n - end > 3 && strncmp(text.p + end, " --", 3) == 0) {
        Str word = str_slice(text, end + 1, text.n);
        word.n = word_length(word);
        const OptSpec *o = option_at(spec->options, word);
        o = o ? o : option_at(table->globals, word);
        end += 1 + word.n;
        bool has_value = o && o->type != OPT_FLAG && end < text.n && text.p[end] == ' ' &&
                         end + 1 < text.n && text.p[end + 1] != '-';
        if (has_value) {
            char quote = text.p[end + 1];
            end += 1 + word_length(str_slice(text, end + 1, text.n));
            while ((quote == '\'' || quote == '"') && end < text.n && text.p[end - 1] != quote)
                end++;
        }
    }
    return end;
}

/* What stands behind the command up to the end of the line or of its quotes. */
static Str
rest_of(Str text)
{
    size_t n = 0;
    while (n < text.n && !strchr("\n`;,)", text.p[n]))
        n++;
    return str_slice(text, 0, n);
}

static void
add_options(const CmdCall *call, const CmdSpec *spec, Str rest, Buf *out)
{
    Arena *a = out->arena;
    vec_each (const OptValue, v, &call->options) {
        const char *value = v->text;
        if (!is_repeated(v->spec, spec) ||
            str_contains(rest, str_of(str_fmt(a, " --%s", v->spec->name))))
            continue;
        DbUrl url;
        Err unread;
        if (v->spec->type == OPT_URL) /* without its password: that one is asked for elsewhere */
            value = url_parse(a, v->text, "", &url, &unread) ? url_retyped(a, &url) : "URL";
        buf_fmt(out, " %s %s", v->spelling, str_shell(a, value));
    }
}

Str
cli_again(Arena *a, const CmdCall *call, Str text)
{
    static const Str program = {"aramid ", 7};
    Buf out;
    buf_init(&out, a);
    for (size_t i = 0; i < text.n;) {
        Str rest = str_slice(text, i, text.n);
        bool begins = i == 0 || strchr(" \n`(\"", text.p[i - 1]);
        size_t n = 0;
        const CmdSpec *spec = NULL;
        if (begins && str_starts(rest, program))
            spec = command_at(call->table, str_slice(rest, program.n, rest.n), &n);
        if (!spec) {
            buf_addc(&out, text.p[i++]);
            continue;
        }
        spec = in_words_of_call(call, spec);
        buf_fmt(&out, "aramid %s", spec->name);
        i += program.n + n;
        Str behind = str_slice(text, i, text.n);
        size_t own = options_length(call->table, spec, behind);
        buf_add(&out, str_slice(behind, 0, own));
        add_options(call, spec, rest_of(behind), &out);
        i += own;
    }
    return buf_str(&out);
}

static size_t
count_marks(Str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '"' || s.p[i] == '\\';
    return n;
}

Str
cli_again_json(Arena *a, const CmdCall *call, Str text)
{
    static const Str member = {"\"fix\": \"", 8};
    Buf out;
    buf_init(&out, a);
    while (text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        Str line = str_slice(text, 0, end ? (size_t)(end + 1 - text.p) : text.n);
        Str told = str_starts(str_trim(line), member) ? cli_again(a, call, line) : line;
        /* What would have to be escaped is left out. */
        buf_add(&out, count_marks(told) == count_marks(line) ? told : line);
        text = str_slice(text, line.n, text.n);
    }
    return buf_str(&out);
}
