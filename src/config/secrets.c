/* What is secret in a configuration. */
#include "config_int.h"

#include "base/os.h"
#include "base/secret.h"

enum { SECRET_MIN = 6, SECRET_LINE_MIN = 16 };

/* Hiding these would hide nothing, and make every message unreadable. */
static bool
is_worth_hiding(const char *text)
{
    static const char *const common[] = {"password",    "postgres",   "secret",   "changeme",
                                         "development", "production", "undefined"};
    bool is_number = text[strspn(text, "0123456789.")] == 0 && strlen(text) < 12;
    for (size_t i = 0; i < COUNT(common); i++)
        if (str_ieq(str_of(text), str_of(common[i])))
            return false;
    return strlen(text) >= SECRET_MIN && !is_number;
}

static bool
hides_password(const DbUrl *u)
{
    return u->password && is_worth_hiding(u->password) &&
           !(u->user && strcmp(u->password, u->user) == 0) && strcmp(u->password, u->database) != 0;
}

void
url_add_secrets(Arena *a, const char *text, SecretVec *list)
{
    DbUrl u;
    Err ignored;
    bool parsed = text && url_parse(a, text, "", &u, &ignored);
    if (!text || (parsed && !u.password))
        return;
    *vec_add(a, list) = text;
    if (parsed && hides_password(&u))
        *vec_add(a, list) = u.password;
}

/* A key of several lines is quoted line by line where it comes up. */
static void
add_value(Arena *a, const char *value, SecretVec *list)
{
    if (!is_worth_hiding(value))
        return;
    *vec_add(a, list) = value;
    if (!strchr(value, '\n'))
        return;
    for (Str rest = str_of(value); rest.p;) {
        Str line = str_trim(str_cut(&rest, '\n'));
        if (line.n >= SECRET_LINE_MIN && !str_starts(line, STR("-----")))
            *vec_add(a, list) = str_dup(a, line);
    }
}

/* The password of a URL of any kind: redis://:PASSWORD@host. */
static void
add_password_of(Arena *a, Str value, SecretVec *list)
{
    const char *begin = memmem(value.p, value.n, "://", 3);
    Str rest = begin ? str_slice(value, (size_t)(begin - value.p) + 3, value.n) : (Str){0};
    const char *at = rest.n ? memrchr(rest.p, '@', rest.n) : NULL;
    const char *colon = at ? memchr(rest.p, ':', (size_t)(at - rest.p)) : NULL;
    if (!colon)
        return;
    const char *password = str_dup(a, (Str){colon + 1, (size_t)(at - colon) - 1});
    if (is_worth_hiding(password))
        *vec_add(a, list) = password;
}

static void
add_files(Arena *a, const EnvSet *env, SecretVec *list)
{
    for (size_t i = 1; i < env->layers.n; i++)
        vec_each (const EnvVar, v, &env->layers.v[i].vars) {
            EnvHit hit;
            if (!config_env_find_in(a, env, i, v->key, &hit))
                continue;
            if (secret_is_name(str_of(v->key)))
                add_value(a, hit.value, list);
            else if (!str_starts(str_of(hit.value), STR("postgres")))
                add_password_of(a, str_of(hit.value), list);
            else
                url_add_secrets(a, hit.value, list);
        }
}

void
config_secrets(Arena *a, const Config *c, SecretVec *ret)
{
    static const ConfigKey keys[] = {CFG_URL, CFG_DIRECT_URL, CFG_SHADOW_URL, CFG_TESTDB_URL};
    *ret = (SecretVec){0};
    for (size_t i = 0; i < COUNT(keys); i++)
        url_add_secrets(a, c->values[keys[i]].text, ret);
    for (const char *const *name = config_secret_variables(a); *name; name++)
        add_value(a, os_env(*name), ret);
    for (int i = 0; i < CFG_COUNT; i++) /* addresses that are a key */
        if (config_info((ConfigKey)i)->secret && config_info((ConfigKey)i)->type == CFG_TYPE_TEXT &&
            c->values[i].text)
            add_value(a, c->values[i].text, ret);
    if (c->env)
        add_files(a, c->env, ret);
}
