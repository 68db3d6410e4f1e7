/* Settings with their origins. */
#include "report/config.h"

#include "base/fs.h"
#include "report/finding.h"

static const char *
profile_name(ConfigProfile profile)
{
    static const char *const names[] = {
        [PROFILE_DEVELOPMENT] = "development",
        [PROFILE_STAGING] = "staging",
        [PROFILE_PRODUCTION] = "production",
    };
    return names[profile];
}

void
report_config_json(JsonWriter *w, const Config *c)
{
    Arena *a = w->out.arena;
    jw_object(w, NULL);
    jw_strz(w, "project", c->project_dir);
    jw_strz(w, "environment", c->env_name);
    jw_strz(w, "environmentOrigin", c->env_origin);
    jw_strz(w, "profile", profile_name(c->profile));
    jw_strz(w, "schema", c->schema_path);
    jw_strz(w, "migrations", c->migrations_dir);
    jw_array(w, "migrationFolders");
    vec_each (const char *, dir, &c->migrations_dirs)
        jw_strz(w, NULL, *dir);
    jw_end(w);
    jw_strz(w, "migrationsOrigin", c->migrations_origin);
    jw_bool(w, "ci", c->is_ci);
    jw_array(w, "environments");
    vec_each (const char *, name, &c->environments)
        jw_strz(w, NULL, *name);
    jw_end(w);
    jw_array(w, "settings");
    for (int key = 0; key < CFG_COUNT; key++) {
        const ConfigInfo *info = config_info((ConfigKey)key);
        const ConfigValue *v = &c->values[key];
        jw_object(w, NULL);
        jw_strz(w, "key", info->key);
        jw_strz(w, "value", v->text ? config_shown(a, c, (ConfigKey)key) : NULL);
        jw_strz(w, "origin", v->text ? v->origin : NULL);
        jw_end(w);
    }
    jw_end(w);
    jw_array(w, "notes");
    vec_each (const Finding, n, &c->findings.items) {
        jw_object(w, NULL);
        jw_strz(w, "text", n->text);
        jw_strz(w, "path", n->path);
        jw_int(w, "line", n->line);
        jw_end(w);
    }
    jw_end(w);
    findings_json(w, "findings", &c->findings);
    jw_end(w);
}

/* "label  text  (origin)" in three columns. */
static void
row(Buf *out, const Term *term, const char *label, const char *text, const char *origin)
{
    Arena *a = out->arena;
    term_begin(out, term, TERM_CYAN);
    buf_fmt(out, "%-20s", label);
    term_end(out, term, TERM_CYAN);
    const char *shown = text ? str_printable(a, str_of(text), false) : "-";
    buf_fmt(out, " %s", shown);
    if (origin) {
        size_t columns = term_columns(str_of(shown));
        buf_addn(out, ' ', columns < 12 ? 14 - columns : 2);
        term_text(out, term, TERM_DIM, str_of(origin));
    }
    buf_addc(out, '\n');
}

void
report_config_text(Buf *out, const Term *term, const Config *c)
{
    Arena *a = out->arena;
    const char *env = str_fmt(a, "%s, profile %s", c->env_name, profile_name(c->profile));
    row(out, term, "project", c->project_dir, NULL);
    row(out, term, "environment", env, c->env_origin);
    row(out, term, "schema",
        c->schema_path ? fs_below(c->project_dir, c->schema_path) : "none found", NULL);
    vec_each (const char *, dir, &c->migrations_dirs)
        row(out, term, "migrations", fs_below(c->project_dir, *dir), c->migrations_origin);
    buf_addc(out, '\n');
    for (int key = 0; key < CFG_COUNT; key++) {
        const ConfigValue *v = &c->values[key];
        row(out, term, config_info((ConfigKey)key)->key,
            v->text ? config_shown(a, c, (ConfigKey)key) : NULL, v->text ? v->origin : NULL);
    }
    if (c->findings.items.n)
        buf_addc(out, '\n');
    findings_text(out, term, &c->findings);
}
