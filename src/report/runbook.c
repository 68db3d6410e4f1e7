#include "report/runbook.h"

#include "base/clock.h"

const char report_runbook_mark[] =
    "<!-- Written by `aramid docs`. What is wrong here is changed in aramid.yaml. -->";

/* Text in Markdown: names and words of settings. */
static const char *
code(Arena *a, const char *text)
{
    Buf b;
    buf_init(&b, a);
    buf_addc(&b, '`');
    for (const char *p = str_printable(a, str_of(text), false); *p; p++)
        buf_addc(&b, *p == '`' ? '\'' : *p == '|' ? '/' : *p);
    buf_addc(&b, '`');
    return b.p;
}

static void
begin(Buf *out, const RunbookInput *in, const char *title)
{
    const History *h = in->history;
    buf_fmt(out, "%s\n# %s\n\nLast updated %s by Aramid " ARAMID_VERSION ".\n\n",
            report_runbook_mark, title, in->date);
    buf_fmt(out, "The migrations are in %s.\n\n", code(out->arena, h->dir));
}

static void
add_list(Buf *out, const Config *c, ConfigKey key, const char *none)
{
    ConfigList list = config_list(out->arena, c, key);
    if (!list.n)
        buf_addz(out, none);
    vec_each (const char *const, item, &list)
        buf_fmt(out, "%s%s", item == list.v ? "" : ", ", code(out->arena, *item));
}

static const char *
named(Arena *a, const Config *c, const char *command)
{
    return c->profile == PROFILE_DEVELOPMENT
               ? str_fmt(a, "aramid %s", command)
               : str_fmt(a, "aramid %s --env %s", command, str_shell(a, c->env_name));
}

/* ---- the environments ---------------------------------------------------------------------- */

static void
add_environments(Buf *out, const RunbookInput *in)
{
    buf_addz(out, "| environment | profile | its URL | before a deploy | when | backup first | if "
                  "it is not well after it |\n"
                  "|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < in->count; i++) {
        const Config *c = &in->configs[i];
        const ConfigValue *url = config_target(c);
        buf_fmt(out, "| **%s** | %s | %s | ", c->env_name, c->values[CFG_PROFILE].text,
                url                                 ? code(out->arena, url->origin)
                : c->profile == PROFILE_DEVELOPMENT ? "none: the project's own server"
                                                    : "set in its pipeline");
        add_list(out, c, CFG_GATE_REQUIRES, "nothing is asked for");
        buf_addz(out, " | ");
        add_list(out, c, CFG_WINDOW_ALLOW, "at any time");
        if (c->values[CFG_WINDOW_DENY].text) {
            buf_addz(out, ", never ");
            add_list(out, c, CFG_WINDOW_DENY, "");
        }
        buf_fmt(out, " | %s | %s |\n", c->values[CFG_BACKUP].number ? "yes" : "no",
                c->values[CFG_HEALTH_REACT].text);
    }
    buf_addc(out, '\n');
}

/* Whether another environment asks what was applied in this one. */
static bool
is_required(Arena *a, const RunbookInput *in, const char *environment)
{
    for (size_t i = 0; i < in->count; i++) {
        ConfigList required = config_list(a, &in->configs[i], CFG_GATE_REQUIRES);
        vec_each (const char *const, word, &required)
            if (strcmp(*word, environment) == 0)
                return true;
    }
    return false;
}

void
report_runbook_pipeline(Buf *out, const RunbookInput *in)
{
    Arena *a = out->arena;
    begin(out, in, "From a change to production");
    add_environments(out, in);
    buf_addz(out, "## A change\n\n"
                  "1. Change the schema, then `aramid create NAME`: the migration, its way back, "
                  "and what it locks.\n"
                  "2. `aramid dev` applies it to your own database; `aramid show NAME` shows each "
                  "statement.\n"
                  "3. `aramid checklist` says what is missing before it is merged; `aramid ci` is "
                  "the same for a pipeline.\n"
                  "4. An applied migration is never edited: another one corrects it.\n\n");
    for (size_t i = 0; i < in->count; i++) {
        const Config *c = &in->configs[i];
        ConfigList required = config_list(a, c, CFG_GATE_REQUIRES);
        if (c->profile == PROFILE_DEVELOPMENT)
            continue;
        buf_fmt(out, "## %s\n\n", c->env_name);
        if (required.n)
            buf_fmt(out, "    %-46s what is there, and what is missing\n",
                    named(a, c, "checklist"));
        buf_fmt(out, "    %-46s what will be done, with locks and losses\n", named(a, c, "plan"));
        buf_fmt(out, "    %-46s does it\n", named(a, c, "deploy"));
        buf_fmt(out, "    %-46s is it well?\n", named(a, c, "verify"));
        if (is_required(a, in, c->env_name))
            buf_fmt(out, "    %-46s for the environments behind it\n",
                    named(a, c, "evidence add applied"));
        buf_addc(out, '\n');
        vec_each (const char *const, word, &required) {
            static const char *const commands[][2] = {
                {"tests", "`aramid evidence add tests --file junit.xml`"},
                {"rollback", "`aramid verify-rollback --all`, then `aramid evidence add rollback`"},
                {"drill", "`aramid restore --drill`, then `aramid evidence add drill`"},
                {"approval", "`aramid evidence add approval`, by somebody else than who deploys"},
                {"review", "`aramid review NAME`"},
                {"pipeline", "only a pipeline deploys"},
            };
            const char *how = NULL;
            for (size_t k = 0; k < COUNT(commands); k++)
                if (strcmp(commands[k][0], *word) == 0)
                    how = commands[k][1];
            buf_fmt(out, "- %s: %s\n", code(a, *word),
                    how ? how
                        : str_fmt(a, "applied there first; `aramid evidence add applied --env %s`",
                                  str_shell(a, str_printable(a, str_of(*word), false))));
        }
        buf_addc(out, '\n');
    }
    buf_addz(out, "## Rules\n\n"
                  "- What old code cannot live with goes in two steps: `aramid expand-contract`.\n"
                  "- Look before: `aramid plan` changes nothing. Better five minutes of looking "
                  "than five hours of restoring.\n"
                  "- In an emergency `aramid deploy --break-glass REASON` goes past what an "
                  "environment asks for; it is recorded and told.\n");
}

/* ---- the guide ----------------------------------------------------------------------------- */

static const Config *
production(const RunbookInput *in)
{
    for (size_t i = 0; i < in->count; i++)
        if (in->configs[i].profile == PROFILE_PRODUCTION)
            return &in->configs[i];
    return &in->configs[in->count - 1];
}

static void
add_health(Buf *out, const Config *c)
{
    buf_addz(out, "## Is it well?\n\n");
    buf_fmt(out, "`%s` asks: the history, the database against its migrations, a write",
            named(out->arena, c, "verify"));
    if (c->values[CFG_HEALTH_SQL].text) {
        buf_addz(out, ", the queries of ");
        add_list(out, c, CFG_HEALTH_SQL, "");
    }
    if (c->values[CFG_HEALTH_URL].text)
        buf_addz(out, ", the application");
    if (c->values[CFG_HOOK_SMOKE].text) {
        buf_addz(out, ", and runs ");
        add_list(out, c, CFG_HOOK_SMOKE, "");
    }
    buf_addz(out, ".\n\n");
    if (!c->values[CFG_HEALTH_URL].text)
        buf_addz(out, "Nothing asks the application: `health.url` in aramid.yaml would.\n\n");
}

static void
add_contacts(Buf *out, const Config *c)
{
    ConfigList list = config_list(out->arena, c, CFG_CONTACTS);
    buf_addz(out, "## Whom to call\n\n");
    vec_each (const char *const, who, &list)
        buf_fmt(out, "- %s\n", str_printable(out->arena, str_of(*who), false));
    buf_addz(out, list.n ? "\n" : "Nobody is named: `contacts` in aramid.yaml.\n\n");
}

void
report_runbook_guide(Buf *out, const RunbookInput *in)
{
    Arena *a = out->arena;
    const Config *c = production(in);
    begin(out, in, "Deploying");
    buf_fmt(out, "## The deploy\n\n    %s\n    %s\n    %s\n\n", named(a, c, "checklist"),
            named(a, c, "plan"), named(a, c, "deploy"));
    buf_fmt(out,
            "%s Whatever interrupts it, the same command goes on where it stopped. Its log, plan "
            "and way back are in "
            "`.aramid/runs/`.\n\n",
            c->values[CFG_BACKUP].number
                ? "A backup is made and read back first; without it nothing is changed."
                : "No backup is made first (`backup.enabled`).");
    add_health(out, c);
    buf_addz(
        out,
        "## When it fails\n\n"
        "1. Read what it says: each error has what to type. `aramid explain NAME` tells more.\n");
    buf_fmt(out,
            "2. `%s`: what is applied, pending, or failed. A failed transaction left nothing.\n",
            named(a, c, "status"));
    buf_addz(out, "3. Correct the migration or the data and deploy again; what was applied stays "
                  "applied.\n\n");
    buf_addz(out, "| what | command |\n|---|---|\n");
    buf_fmt(out, "| the newest migration goes back | `%s`, then without `--plan` |\n",
            named(a, c, "rollback --plan"));
    buf_fmt(out, "| the data comes back | `%s`, then `%s` |\n", named(a, c, "backup list"),
            named(a, c, "restore ID"));
    buf_fmt(out, "| somebody holds the lock | `%s` |\n", named(a, c, "unlock"));
    buf_fmt(out, "| somebody changed it by hand | `%s` |\n", named(a, c, "drift"));
    buf_fmt(out, "| the history was written by another tool | `%s` |\n", named(a, c, "sync"));
    buf_addz(out, "| a report for whoever helps | `aramid doctor --bundle` |\n\n");
    add_contacts(out, c);
}

/* ---- the same again ------------------------------------------------------------------------ */

bool
report_runbook_differs(Str a, Str b)
{
    while (a.p && b.p) {
        Str x = str_cut(&a, '\n'), y = str_cut(&b, '\n');
        bool is_stamp = str_starts(x, STR("Last updated ")) && str_starts(y, STR("Last updated "));
        if (!is_stamp && !str_eq(x, y))
            return true;
    }
    return a.p || b.p;
}
