#include "config_int.h"

#include "url_int.h"

#include <ctype.h>

#include "base/map.h"
#include "base/os.h"
#include "base/secret.h"

/* Values that refer to each other could grow without end. */
enum { MAX_REFERENCES = 1000, MAX_DEPTH = 16, MAX_BYTES = 256 * 1024 };

/* The variables that are being replaced right now: none of them is used again inside itself. */
typedef struct Chain {
    const struct Chain *up;
    const EnvVar *var;
} Chain;

typedef struct Expander {
    Arena *a;
    const EnvSet *set;
    Buf out;
    bool braces_only;
    int references;
    const char *missing;
} Expander;

static void expand(Expander *x, Str s, EnvQuote quote, const Chain *chain, int depth);

static bool
in_chain(const Chain *chain, const EnvVar *var)
{
    for (; chain; chain = chain->up)
        if (chain->var == var)
            return true;
    return false;
}

/* The last of equal keys counts. */
static const EnvVar *
find_var(const EnvLayer *layer, Str name, const Chain *chain)
{
    for (size_t i = layer->vars.n; i-- > 0;)
        if (str_is(name, layer->vars.v[i].key) && !in_chain(chain, &layer->vars.v[i]))
            return &layer->vars.v[i];
    return NULL;
}

/* What the file of NAME_FILE holds. */
static bool
add_file(Expander *x, Str name, size_t layer, const Chain *chain)
{
    EnvHit hit;
    if (chain || !x->set->read_file ||
        !config_env_find_in(x->a, x->set, layer, str_dup(x->a, name), &hit))
        return false;
    buf_addz(&x->out, hit.value);
    return true;
}

static bool
add_variable(Expander *x, Str name, const Chain *chain, int depth)
{
    if (depth >= MAX_DEPTH || ++x->references > MAX_REFERENCES || x->out.n > MAX_BYTES)
        return false;
    const char *value = os_env(str_dup(x->a, name));
    if (value) {
        buf_addz(&x->out, value);
        return true;
    }
    for (size_t i = 0; i < x->set->layers.n; i++) {
        const EnvVar *var = find_var(&x->set->layers.v[i], name, chain);
        if (!var && add_file(x, name, i, chain))
            return true;
        if (!var)
            continue;
        Chain link = {chain, var};
        bool braces_only = x->braces_only;
        x->braces_only = false;
        expand(x, var->raw, var->quote, &link, depth + 1);
        x->braces_only = braces_only;
        return true;
    }
    return false;
}

static size_t
name_length(Str s, size_t i)
{
    size_t n = 0;
    while (i + n < s.n && (s.p[i + n] == '_' || (s.p[i + n] >= 'A' && s.p[i + n] <= 'Z') ||
                           (s.p[i + n] >= 'a' && s.p[i + n] <= 'z') ||
                           (n && s.p[i + n] >= '0' && s.p[i + n] <= '9')))
        n++;
    return n;
}

/* Replace the reference whose "$" is at `i`; returns its length, 0 when it is none or not set. */
static size_t
add_reference(Expander *x, Str s, size_t i, const Chain *chain, int depth)
{
    bool braces = i + 1 < s.n && s.p[i + 1] == '{';
    size_t from = i + 1 + braces, n = name_length(s, from);
    Str name = str_slice(s, from, from + n);
    if (!n || (!braces && x->braces_only))
        return 0;
    if (!braces)
        return add_variable(x, name, chain, depth) ? 1 + n : 0;
    const char *close = memchr(s.p + from + n, '}', s.n - from - n);
    if (!close)
        return 0;
    size_t end = (size_t)(close - s.p) + 1;
    Str rest = str_slice(s, from + n, end - 1);
    bool has_default = rest.n && (rest.p[0] == '-' || str_starts(rest, STR(":-")));
    if (rest.n && !has_default)
        return 0;
    size_t before = x->out.n;
    bool found = add_variable(x, name, chain, depth);
    if (has_default && (!found || (rest.p[0] == ':' && x->out.n == before)))
        buf_add(&x->out, str_slice(rest, rest.p[0] == ':' ? 2 : 1, rest.n));
    else if (!found && !x->missing)
        x->missing = str_dup(x->a, name);
    return found || has_default ? end - i : 0;
}

static size_t
add_escape(Buf *out, char c, EnvQuote quote)
{
    static const char from[] = "nrt\\\"", to[] = "\n\r\t\\\"";
    const char *hit = quote == ENV_DOUBLE && c ? strchr(from, c) : NULL;
    if (hit)
        buf_addc(out, to[hit - from]);
    else if (c == '$')
        buf_addc(out, c);
    return hit || c == '$' ? 2 : 0;
}

static void
expand(Expander *x, Str s, EnvQuote quote, const Chain *chain, int depth)
{
    if (quote == ENV_RAW) {
        buf_add(&x->out, s);
        return;
    }
    for (size_t i = 0; i < s.n;) {
        size_t done = 0;
        if (s.p[i] == '\\' && i + 1 < s.n && !x->braces_only)
            done = add_escape(&x->out, s.p[i + 1], quote);
        else if (s.p[i] == '$')
            done = add_reference(x, s, i, chain, depth);
        if (!done)
            buf_addc(&x->out, s.p[i]);
        i += done ? done : 1;
    }
}

static Expander
expander(Arena *a, const EnvSet *set, bool braces_only)
{
    Expander x = {.a = a, .set = set, .braces_only = braces_only};
    buf_init(&x.out, a);
    return x;
}

static bool
find_plain(Arena *a, const EnvSet *set, size_t layer, const char *name, EnvHit *ret)
{
    const EnvLayer *l = &set->layers.v[layer];
    ret->layer = layer;
    if (!l->path) {
        ret->value = os_env(name);
        ret->origin = ret->value ? str_fmt(a, "environment variable %s", name) : NULL;
        return ret->value != NULL;
    }
    const EnvVar *var = find_var(l, str_of(name), NULL);
    if (!var)
        return false;
    Expander x = expander(a, set, false);
    expand(&x, var->raw, var->quote, &(Chain){NULL, var}, 0);
    ret->value = x.out.p;
    ret->origin = str_fmt(a, "%s:%d", l->path, var->line);
    return true;
}

bool
config_env_find_in(Arena *a, const EnvSet *set, size_t layer, const char *name, EnvHit *ret)
{
    if (find_plain(a, set, layer, name, ret))
        return true;
    return set->read_file && find_plain(a, set, layer, str_fmt(a, "%s_FILE", name), ret) &&
           ret->value[0] && set->read_file(set->arg, name, ret);
}

bool
config_env_find(Arena *a, const EnvSet *set, const char *name, EnvHit *ret)
{
    for (size_t i = 0; i < set->layers.n; i++)
        if (config_env_find_in(a, set, i, name, ret) && ret->value[0])
            return true;
    return false;
}

static bool
is_own(Str name)
{
    return str_starts(name, STR("ARAMID_")) || str_starts(name, STR("MIGRATION_"));
}

extern char **environ;

ConfigList
config_environment(Arena *a, const Config *c)
{
    ConfigList list = {0};
    for (char **e = environ; *e; e++)
        if (!is_own(str_of(*e)))
            *vec_add(a, &list) = str_dupz(a, *e);
    Map seen;
    map_init(&seen, a);
    for (size_t i = 1; c->env && i < c->env->layers.n; i++) {
        vec_each (const EnvVar, v, &c->env->layers.v[i].vars) {
            EnvHit hit;
            Str name = str_of(v->key);
            if (is_own(name) || secret_is_name(name) || os_env(v->key) || map_get(&seen, name) ||
                !config_env_find_in(a, c->env, i, v->key, &hit))
                continue;
            map_put(&seen, name, &seen);
            *vec_add(a, &list) = str_fmt(a, "%s=%s", v->key, hit.value);
        }
    }
    return list;
}

const char *
config_variable(Arena *a, const Config *c, const char *name)
{
    const char *own = os_env(name);
    EnvHit hit;
    if (own)
        return own[0] ? own : NULL;
    return c->env && config_env_find(a, c->env, name, &hit) && hit.value[0] ? hit.value : NULL;
}

const char *const *
config_secret_variables(Arena *a)
{
    ConfigList list = {0};
    for (char **e = environ; *e; e++) {
        Str name = {*e, strcspn(*e, "=")};
        if (secret_is_name(name))
            *vec_add(a, &list) = str_dup(a, name);
    }
    *vec_add(a, &list) = NULL;
    return list.v;
}

char *
config_env_expand(Arena *a, const EnvSet *set, Str text, bool braces_only, const char **ret_missing)
{
    Expander x = expander(a, set, braces_only);
    expand(&x, text, ENV_BARE, NULL, 0);
    *ret_missing = x.missing;
    return x.out.p;
}

/* A password as it may stand in a URL; of one that is escaped already ("%40") that stays. */
static char *
escape_password(Arena *a, const char *text)
{
    Buf b;
    buf_init(&b, a);
    while (*text) {
        bool is_escape =
            *text == '%' && isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2]);
        char one[] = {*text, 0};
        if (is_escape)
            buf_add(&b, (Str){text, 3});
        else
            url_encode(&b, one, "");
        text += is_escape ? 3 : 1;
    }
    return b.p;
}

const char *
config_env_expand_url(Arena *a, const EnvSet *set, const char *text, const char **ret_missing)
{
    const char *host = strstr(text, "://"), *from = host ? strstr(host + 3, ":${") : NULL,
               *end = from ? strchr(from, '}') : NULL;
    if (!end || end[1] != '@')
        return config_env_expand(a, set, str_of(text), true, ret_missing);
    const char *missing[3];
    Str password = {from + 1, (size_t)(end - from)}, front = {text, (size_t)(from + 1 - text)};
    const char *parts[] = {
        config_env_expand(a, set, front, true, &missing[0]),
        config_env_expand(a, set, password, true, &missing[1]),
        config_env_expand(a, set, str_of(end + 1), true, &missing[2]),
    };
    *ret_missing = missing[0] ? missing[0] : missing[1] ? missing[1] : missing[2];
    return str_fmt(a, "%s%s%s", parts[0], missing[1] ? parts[1] : escape_password(a, parts[1]),
                   parts[2]);
}
