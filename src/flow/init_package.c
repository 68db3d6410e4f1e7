/* The scripts of package.json. */
#include "flow/init_int.h"
#include "flow/tasks.h"

#include "base/fs.h"

/* What the project does not have for a script; NULL = it has all. */
static const char *
lacks(const Init *s, const ProjectScript *script)
{
    ProjectTool tool = s->r->place.tool;
    const HistoryLayout *l = s->layout;
    if (strcmp(script->command, "create") == 0 && l && !l->new_one && tool != PROJECT_DRIZZLE)
        return l->new_command ? str_fmt(s->a, "no need of it: %s", l->new_command)
                              : "no need of it: its tool makes them";
    switch (script->need) {
    case PROJECT_NEEDS_NOTHING:
        break;
    case PROJECT_NEEDS_HISTORY:
        return s->r->deploys ? NULL : "no history that Aramid works with";
    case PROJECT_NEEDS_SCHEMA:
        return tool == PROJECT_PRISMA ? NULL : "no schema.prisma";
    case PROJECT_NEEDS_GENERATOR:
        return tool == PROJECT_PRISMA || tool == PROJECT_DRIZZLE
                   ? NULL
                   : "no generator of Prisma's or Drizzle's";
    case PROJECT_NEEDS_TASK:
        return flow_has_task(s->a, s->settings, strrchr(script->line, ' ') + 1)
                   ? NULL
                   : "no such task in aramid.yaml";
    }
    return NULL;
}

static bool
can_run(const Init *s, const ProjectScript *script)
{
    return s->in->has_command(s->in->arg, script->command) && !lacks(s, script);
}

/* The profile whose names package.json has already: all that can be written are there, and more of
 * them mean the same than with any other profile. */
static const ProjectProfile *
profile_in_use(Init *s, const ProjectJson *scripts, Str text)
{
    const ProjectProfile *best = NULL;
    int most = 0;
    for (const ProjectProfile *const *p = project_profiles(); *p; p++) {
        int same = 0;
        bool all = true;
        for (const ProjectScript *script = (*p)->scripts; script->name; script++) {
            if (!can_run(s, script) ||
                (init_is_prisma_name(script) && s->r->place.tool != PROJECT_PRISMA))
                continue;
            const char *today = init_script_today(s, scripts, text, script->name);
            all = all && today;
            same += today && strcmp(today, script->line) == 0;
        }
        if (all && same > most)
            most = same, best = *p;
    }
    return best;
}

/* Set a script, unless another one stands there. */
static bool
set_script(Init *s, Str *text, const char *name, const char *line)
{
    const ProjectJson *root;
    if (!project_json_parse(s->a, "package.json", *text, &root, s->err))
        return false;
    const char *today = init_script_today(s, project_json_get(root, "scripts"), *text, name);
    bool same = today && strcmp(today, line) == 0;
    *vec_add(s->a, &s->r->scripts) = (InitScript){.name = name,
                                                  .line = line,
                                                  .today = today,
                                                  .state = !today         ? INIT_SCRIPT_ADDED
                                                           : same         ? INIT_SCRIPT_SAME
                                                           : s->in->force ? INIT_SCRIPT_REPLACED
                                                                          : INIT_SCRIPT_KEPT};
    if (same || (today && !s->in->force))
        return true;
    return project_json_set(s->a, &(Source){"package.json", *text}, "scripts", name, line, text,
                            s->err);
}

static bool
choose_profile(Init *s, const ProjectJson *scripts, Str text)
{
    InitResult *r = s->r;
    for (const ProjectJson *n = scripts && scripts->kind == PROJECT_JSON_OBJECT ? scripts->first
                                                                                : NULL;
         n; n = n->next)
        *vec_add(s->a, &r->today) = (InitToday){
            str_dup(s->a, n->key), init_script_today(s, scripts, text, str_dup(s->a, n->key))};
    r->suggested = init_nearest_profile(s, scripts, text);
    r->profile =
        s->in->profile ? project_profile(s->in->profile) : profile_in_use(s, scripts, text);
    r->wants_profile = !r->profile;
    if (r->profile || !s->in->profile)
        return true;
    err_set(s->err, ERR_USAGE, "there is no profile \"%s\"", s->in->profile);
    for (const ProjectProfile *const *p = project_profiles(); *p; p++)
        err_hint(s->err, "--profile %s: %s", (*p)->name, (*p)->summary);
    return false;
}

static bool
add_profile(Init *s, Str *text)
{
    const ProjectProfile *profile = s->r->profile;
    for (const ProjectScript *script = profile ? profile->scripts : NULL; script && script->name;
         script++) {
        if (init_is_prisma_name(script) && s->r->place.tool != PROJECT_PRISMA)
            continue;
        if (can_run(s, script)) {
            if (!set_script(s, text, script->name, script->line))
                return false;
            continue;
        }
        bool has = s->in->has_command(s->in->arg, script->command);
        *vec_add(s->a, &s->r->scripts) = (InitScript){.name = script->name,
                                                      .line = script->line,
                                                      .state = INIT_SCRIPT_LEFT_OUT,
                                                      .command = has ? NULL : script->command,
                                                      .lacks = has ? lacks(s, script) : NULL};
    }
    return true;
}

static void
warn_of_builds(Init *s, const ProjectJson *scripts)
{
    static const char *const names[] = {"build",      "prebuild", "postbuild",   "postinstall",
                                        "preinstall", "prepare",  "vercel-build"};
    for (size_t i = 0; i < COUNT(names); i++) {
        const ProjectJson *script = project_json_get(scripts, names[i]);
        if (script && script->kind == PROJECT_JSON_TEXT && init_runs_migrations(script->text))
            init_find(s, FINDING_INIT_BUILD,
                      "the script \"%s\" changes the database in every build, previews too: take "
                      "\"" STR_FMT "\" apart",
                      names[i], STR_ARG(script->text))
                ->path = "package.json";
    }
    if (s->r->groups[INIT_VERCEL] && !project_json_get(scripts, "build"))
        init_find(s, FINDING_INIT_NO_BUILD,
                  "it ends with the script \"build\", which package.json does not have")
            ->path = "scripts/vercel-build.sh";
}

bool
init_package(Init *s)
{
    const char *path = init_in_home(s, "package.json");
    const ProjectJson *root;
    Str text;
    bool there;
    if (!s->r->groups[INIT_NPM] && !s->r->groups[INIT_VERCEL])
        return true;
    if (!init_read_file(s, path, &there, &text))
        return false;
    if (!there)
        return true;
    const char *shown = fs_below(s->r->project.start, path);
    if (!project_json_parse(s->a, shown, text, &root, s->err))
        return false;
    const ProjectJson *scripts = project_json_get(root, "scripts");
    warn_of_builds(s, scripts);
    if (s->r->groups[INIT_NPM] && (!choose_profile(s, scripts, text) || !add_profile(s, &text)))
        return false;
    if (s->r->groups[INIT_VERCEL] &&
        !set_script(s, &text, "vercel-build", "sh scripts/vercel-build.sh"))
        return false;
    return init_add_file(s, path, text, 0644, OWN_EDIT, "the names that people type");
}
