/* Help for programs, from the same tables. */
#include "cli/cli_int.h"
#include "base/finding.h"
#include "base/jw.h"

static void
strings(JsonWriter *w, const char *key, const char *const *list)
{
    jw_array(w, key);
    for (; list && *list; list++)
        jw_strz(w, NULL, *list);
    jw_end(w);
}

static void
option(JsonWriter *w, const OptSpec *o)
{
    ARENA_LOCAL(scratch);
    const ConfigInfo *info = o->config ? config_info((ConfigKey)(o->config - 1)) : NULL;
    jw_object(w, NULL);
    jw_strz(w, "name", str_fmt(scratch, "--%s", o->name));
    jw_strz(w, "letter", o->letter ? str_fmt(scratch, "-%c", o->letter) : NULL);
    jw_strz(w, "type", cli_type_name(o->type));
    jw_strz(w, "value", o->value);
    strings(w, "choices", o->choices);
    strings(w, "otherNames", o->other_names);
    jw_bool(w, "negatable", o->negatable);
    jw_bool(w, "repeatable", o->repeatable);
    jw_bool(w, "secret", o->type == OPT_URL);
    jw_bool(w, "hidden", o->hidden);
    jw_strz(w, "setting", info ? info->key : NULL);
    jw_strz(w, "env", info && *info->env ? info->env : o->env);
    jw_strz(w, "default", info ? info->dflt : NULL);
    jw_strz(w, "help", o->help);
    jw_end(w);
}

static void
options(JsonWriter *w, const char *key, const OptSpec *list)
{
    jw_array(w, key);
    for (const OptSpec *o = list; o && o->name; o++)
        option(w, o);
    jw_end(w);
}

static void
command(JsonWriter *w, const CmdSpec *c)
{
    ARENA_LOCAL(scratch);
    jw_object(w, NULL);
    jw_strz(w, "name", c->name);
    jw_strz(w, "group", cli_group_name(c->group));
    jw_strz(w, "class", cli_class_name(c->class));
    jw_strz(w, "summary", c->summary);
    jw_strz(w, "description", c->description);
    jw_strz(w, "usage", cli_usage(scratch, c));
    jw_bool(w, "json", (c->uses & CMD_USES_JSON) != 0);
    jw_bool(w, "hidden", c->hidden);
    jw_bool(w, "prismaExitStatus", c->prisma_status);
    jw_array(w, "arguments");
    for (const ArgSpec *arg = c->args; arg && arg->name; arg++) {
        jw_object(w, NULL);
        jw_strz(w, "name", arg->name);
        jw_bool(w, "required", arg->required);
        jw_bool(w, "repeatable", arg->repeatable);
        jw_strz(w, "help", arg->help);
        jw_end(w);
    }
    jw_end(w);
    options(w, "options", c->options);
    jw_array(w, "examples");
    for (const CmdExample *e = c->examples; e && e->line; e++) {
        jw_object(w, NULL);
        jw_strz(w, "line", e->line);
        jw_strz(w, "help", e->help);
        jw_end(w);
    }
    jw_end(w);
    jw_array(w, "exitStatuses");
    for (const CmdExit *e = c->exits; e && e->meaning; e++) {
        jw_object(w, NULL);
        jw_int(w, "status", e->status);
        jw_strz(w, "meaning", e->meaning);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

static void
errors(JsonWriter *w)
{
    jw_array(w, "errors");
    for (int code = ERR_NONE + 1; code < ERR_COUNT; code++) {
        const ErrInfo *info = err_info((ErrCode)code);
        jw_object(w, NULL);
        jw_strz(w, "name", info->name);
        jw_int(w, "exitStatus", info->exit_status);
        jw_strz(w, "prisma", *info->prisma ? info->prisma : NULL);
        jw_strz(w, "meaning", info->meaning);
        jw_strz(w, "help", info->help);
        jw_end(w);
    }
    jw_end(w);
}

static void
findings(JsonWriter *w)
{
    static const char *const rules[] = {
        [FINDING_RULE_FREE] = "free",
        [FINDING_RULE_KEEPS_ERRORS] = "keeps errors",
        [FINDING_RULE_NO_ERROR] = "no error",
        [FINDING_RULE_FIXED] = "fixed",
    };
    jw_array(w, "findings");
    for (int id = 0; id < FINDING_COUNT; id++) {
        const FindingInfo *info = finding_info((FindingId)id);
        jw_object(w, NULL);
        jw_strz(w, "id", info->name);
        jw_strz(w, "area", finding_area_name(info->area));
        jw_strz(w, "severity", severity_name(info->severity));
        jw_strz(w, "rule", rules[info->rule]);
        jw_strz(w, "meaning", info->meaning);
        jw_strz(w, "help", info->help);
        jw_end(w);
    }
    jw_end(w);
}

static void
settings(JsonWriter *w)
{
    static const char *const types[] = {
        [CFG_TYPE_TEXT] = "text",         [CFG_TYPE_PATH] = "path",   [CFG_TYPE_BOOL] = "bool",
        [CFG_TYPE_INT] = "number",        [CFG_TYPE_MS] = "duration", [CFG_TYPE_URL] = "url",
        [CFG_TYPE_LIST] = "list",         [CFG_TYPE_LINES] = "lines", [CFG_TYPE_TASKS] = "tasks",
        [CFG_TYPE_FINDINGS] = "findings", [CFG_TYPE_PATHS] = "paths",
    };
    jw_array(w, "settings");
    for (int key = 0; key < CFG_COUNT; key++) {
        const ConfigInfo *info = config_info((ConfigKey)key);
        jw_object(w, NULL);
        jw_strz(w, "key", info->key);
        jw_strz(w, "type", types[info->type]);
        jw_strz(w, "env", *info->env ? info->env : NULL);
        jw_strz(w, "default", info->dflt);
        jw_bool(w, "secret", info->secret);
        jw_strz(w, "help", info->help);
        jw_end(w);
    }
    jw_end(w);
}

void
cli_help_json(Buf *out, const CliTable *table)
{
    JsonWriter w;
    jw_init(&w, out->arena, true);
    jw_object(&w, NULL);
    jw_strz(&w, "program", "aramid");
    jw_strz(&w, "version", ARAMID_VERSION);
    options(&w, "globalOptions", table->globals);
    jw_array(&w, "commands");
    for (const CmdSpec *const *c = table->commands; *c; c++)
        command(&w, *c);
    jw_end(&w);
    errors(&w);
    findings(&w);
    settings(&w);
    jw_end(&w);
    buf_add(out, buf_str(&w.out));
}
