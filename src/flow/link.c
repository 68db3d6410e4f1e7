/* Which project of Supabase an environment is. */
#include "flow/link.h"

#include "base/fs.h"

#include <ctype.h>

enum { REF_LENGTH = 20 };

static bool
check_ref(const char *ref, Err *err)
{
    size_t n = strspn(ref, "abcdefghijklmnopqrstuvwxyz");
    if (n == REF_LENGTH && !ref[n])
        return true;
    err_set(err, ERR_USAGE, "\"%s\" is no reference of a Supabase project", ref);
    return err_hint(err, "it is the word of 20 letters in the address of the project's dashboard: "
                         "supabase.com/dashboard/project/REF");
}

static bool
is_pooler(Str host)
{
    return str_ends(host, STR(".pooler.supabase.com"));
}

static bool
check_pooler(const char *host, Err *err)
{
    size_t n = strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-");
    if (!host[n] && is_pooler(str_of(host)))
        return true;
    err_set(err, ERR_USAGE, "\"%s\" is no host of Supabase's pooler", host);
    return err_hint(err, "the dashboard shows it under Connect, Session pooler: "
                         "aws-0-eu-central-1.pooler.supabase.com");
}

static bool
check_variable(const char *name, Err *err)
{
    bool is_name = isalpha((unsigned char)*name) || *name == '_';
    for (const char *p = name; *p; p++)
        is_name = is_name && (isalnum((unsigned char)*p) || *p == '_');
    if (is_name)
        return true;
    return err_set(err, ERR_USAGE, "\"%s\" is no name of a variable", name);
}

/* What `supabase link` has kept of this project: a URL with words in place of the password. NULL: nothing. */
static const char *
kept_pooler(Arena *a, const LinkInput *in)
{
    Str text;
    Err ignored;
    const char *path = fs_join(a, in->config->project_dir, "supabase/.temp/pooler-url");
    const char *user = str_fmt(a, "://postgres.%s:", in->project_ref);
    if (!fs_exists(path) || !fs_read(a, path, 64 * 1024, &text, &ignored) ||
        !str_contains(text, str_of(user)))
        return NULL;
    const char *at = memrchr(text.p, '@', text.n);
    Str rest = at ? str_slice(text, (size_t)(at - text.p) + 1, text.n) : STR("");
    const char *host = str_dup(a, str_cut(&rest, ':'));
    return check_pooler(host, &ignored) ? host : NULL;
}

static bool
check_env(const char *name, Err *err)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
    if (n && n <= 64 && !name[n])
        return true;
    err_set(err, ERR_USAGE, "\"%s\" is no name of an environment", name);
    return err_hint(err, "letters, digits and _ . - are");
}

bool
flow_link(Arena *a, const LinkInput *in, LinkResult *ret, Err *err)
{
    *ret = (LinkResult){.in = in};
    if (!check_env(in->env, err) || !check_ref(in->project_ref, err) ||
        (in->pooler && !check_pooler(in->pooler, err)) ||
        !check_variable(in->password_variable, err))
        return false;
    const char *pooler = in->pooler ? in->pooler : kept_pooler(a, in);
    ret->is_pooler = pooler != NULL;
    ret->host = pooler ? pooler : str_fmt(a, "db.%s.supabase.co", in->project_ref);
    ret->user = pooler ? str_fmt(a, "postgres.%s", in->project_ref) : "postgres";
    const char *url = str_fmt(a, "postgresql://%s:${%s}@%s:5432/postgres", ret->user,
                              in->password_variable, ret->host);
    if (!config_edit(a, in->config, in->env, CFG_DIRECT_URL, url, &ret->edit, err))
        return false;
    if (!ret->edit.before || in->replace)
        return true;
    err_set(err, ERR_CONFIG, "environment \"%s\" has another direct_url", in->env);
    err_at(err, ret->edit.shown, ret->edit.before, 0);
    return err_hint(err,
                    "to put this one in its place: aramid link --project-ref %s --env %s "
                    "--replace",
                    in->project_ref, in->env);
}

bool
flow_link_write(const LinkResult *r, Err *err)
{
    const char *path = r->in->config->settings_path;
    return r->edit.is_same || fs_replace(path, r->edit.text, err);
}

/* The URL with something in place of variables that are not set; *first: the name of one. */
static const char *
without_variables(Arena *a, const char *text, const char **first)
{
    Buf b;
    buf_init(&b, a);
    while (*text) {
        const char *end = strncmp(text, "${", 2) == 0 ? strchr(text, '}') : NULL;
        if (!end) {
            buf_addc(&b, *text++);
            continue;
        }
        *first = str_dup(a, (Str){text + 2, (size_t)(end - text) - 2});
        buf_addc(&b, 'x');
        text = end + 1;
    }
    return b.p;
}

LinkShown
flow_link_show(Arena *a, const Config *config)
{
    const ConfigValue *v = config_target(config);
    LinkShown ret = {.env = config->env_name};
    DbUrl url;
    Err err;
    if (!v)
        return ret;
    ret.origin = v->origin;
    const char *unset = NULL;
    if (!url_parse(a, without_variables(a, v->text, &unset), v->origin, &url, &err)) {
        ret.problem = str_dup(a, str_of(err.primary));
        return ret;
    }
    if (unset)
        ret.problem = str_fmt(a, "%s is not set", unset);
    Str ref = url_supabase_ref(&url);
    ret.project_ref = ref.n ? str_dup(a, ref) : NULL;
    ret.url = url_shown(a, &url);
    return ret;
}
