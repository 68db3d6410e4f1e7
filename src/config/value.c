#include "config_int.h"

#include "base/clock.h"
#include "base/invariant.h"

static const ConfigInfo infos[CFG_COUNT] = {
#define CFG(id, type, key, env, dflt, secret, help)                                                \
    [CFG_##id] = {#id, key, env, dflt, help, CFG_TYPE_##type, secret},
#include "config/settings.def"
#undef CFG
};

const ConfigInfo *
config_info(ConfigKey key)
{
    INVARIANT((unsigned)key < CFG_COUNT, "a setting that does not exist");
    return &infos[key];
}

ConfigKey
config_value_key_of(Str dotted)
{
    int key = 0;
    while (key < CFG_COUNT && !str_is(dotted, infos[key].key))
        key++;
    return (ConfigKey)key;
}

bool
config_value_profile_of(const char *text, ConfigProfile *ret)
{
    static const char *const names[] = {"development", "staging", "production"};
    for (int i = 0; i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            *ret = (ConfigProfile)i;
            return true;
        }
    return false;
}

signed char
config_value_severity(Str word)
{
    if (str_is(word, "off"))
        return FINDING_OFF;
    for (Severity s = SEV_NOTICE; s < SEV_COUNT; s++)
        if (str_is(word, severity_name(s)))
            return (signed char)s;
    return FINDING_AS_IS;
}

static bool
parse_bool(Str s, int64_t *ret)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_ieq(s, str_of(words[i]))) {
            *ret = (int64_t)(i % 2);
            return true;
        }
    return false;
}

/* Texts that have to be one of a few. */
typedef struct Choices {
    ConfigKey key;
    const char *wrong;
    const char *values[5];
} Choices;

static const Choices choices[] = {
    {CFG_EDITED, "is neither warn nor error", {"warn", "error"}},
    {CFG_TX, "is not one of file, all, none", {"file", "all", "none"}},
    {CFG_FLUSH, "is not end or each", {"end", "each"}},
    {CFG_DUMP_SCHEMA,
     "is not one of development, always, never",
     {"development", "always", "never"}},
    {CFG_VERIFY, "is not one of off, warn, error", {"off", "warn", "error"}},
    {CFG_DRIFT, "is not one of off, warn, refuse", {"off", "warn", "refuse"}},
    {CFG_REVIEW, "is neither off nor required", {"off", "required"}},
    {CFG_HEALTH_REACT, "is not one of keep, rollback, continue", {"keep", "rollback", "continue"}},
    {CFG_BACKUP_FORMAT, "is not one of sql, sql.zst, dump", {"sql", "sql.zst", "dump"}},
    {CFG_BACKUP_SCOPE, "is neither run nor migration", {"run", "migration"}},
    {CFG_BACKUP_METHOD,
     "is not one of auto, pg_dump, native, command",
     {"auto", "pg_dump", "native", "command"}},
};

static bool
is_choice(const Choices *c, const char *text)
{
    for (int i = 0; c->values[i]; i++)
        if (strcmp(text, c->values[i]) == 0)
            return true;
    return false;
}

const char *
config_value_check(ConfigKey key, const char *text, int64_t *number)
{
    Str s = str_trim(str_of(text));
    ConfigProfile profile;
    long long n = 0;
    *number = 0;
    switch (infos[key].type) {
    case CFG_TYPE_BOOL:
        return parse_bool(s, number) ? NULL : "is neither true nor false";
    case CFG_TYPE_INT:
        if (!str_to_int(s, 0, 1000000, &n))
            return "is not a whole number between 0 and 1000000";
        *number = n;
        return NULL;
    case CFG_TYPE_MS:
        return clock_parse(s, number)
                   ? NULL
                   : "is not a duration such as 250ms, 30s, 5min or 2h (at most 24 days)";
    case CFG_TYPE_TEXT:
        if (key == CFG_PROFILE && !config_value_profile_of(text, &profile))
            return "is not one of development, staging, production";
        for (size_t i = 0; i < COUNT(choices); i++)
            if (choices[i].key == key && !is_choice(&choices[i], text))
                return choices[i].wrong;
        return NULL;
    case CFG_TYPE_PATH:
    case CFG_TYPE_PATHS:
    case CFG_TYPE_URL:
    case CFG_TYPE_FINDINGS:
    case CFG_TYPE_LIST:
    case CFG_TYPE_LINES:
    case CFG_TYPE_TASKS:
        return NULL;
    }
    return NULL;
}

ConfigList
config_list(Arena *a, const Config *c, ConfigKey key)
{
    ConfigList list = {0};
    char sep = infos[key].type == CFG_TYPE_LINES || infos[key].type == CFG_TYPE_TASKS ? '\n' : ',';
    for (Str rest = str_of(c->values[key].text); rest.p && rest.n;) {
        Str item = str_trim(str_cut(&rest, sep));
        if (item.n)
            *vec_add(a, &list) = str_dup(a, item);
    }
    return list;
}

const char *
config_shown(Arena *a, const Config *c, ConfigKey key)
{
    const char *text = c->values[key].text;
    if (!text)
        return "";
    if (infos[key].type == CFG_TYPE_URL) {
        DbUrl url;
        Err ignored = {0};
        return url_parse(a, text, "", &url, &ignored) ? url_shown(a, &url) : "****";
    }
    return infos[key].secret ? "****" : url_redact(a, str_of(text), NULL, 0);
}
