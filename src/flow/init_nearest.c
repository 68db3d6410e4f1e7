/* Which profile's meanings are those of a project's own scripts: they are compared by what they run. */
#include "flow/init_int.h"

enum { MOST_HOPS = 5, SAME = 4, NEAR = 2, NAMED = 1, OTHER = -4 };

/* What a line does, in the words of Aramid's commands. */
typedef struct Meaning {
    const char *command; /* NULL = not known */
    const char
        *env; /* "development" or "production"; NULL = the database that is named elsewhere */
} Meaning;

static const char *
env_of(Str line)
{
    static const char *const marks[][2] = {
        {"production", "production"}, {".env.prod", "production"},    {"--env prod", "production"},
        {"PROD_", "production"},      {"development", "development"}, {".env.dev", "development"},
        {"--env dev", "development"}, {".env.local", "development"},  {"--local", "development"},
        {"DEV_", "development"}};
    for (size_t i = 0; i < COUNT(marks); i++)
        if (str_contains(line, str_of(marks[i][0])))
            return marks[i][1];
    return NULL;
}

/* The script that a line runs by its name: npm run NAME, pnpm NAME, yarn NAME; NULL = none. */
static const char *
runs_script(Init *s, const ProjectJson *scripts, Str line)
{
    static const char *const runners[] = {"npm run ", "pnpm run ", "yarn run ",
                                          "bun run ", "pnpm ",     "yarn "};
    for (size_t i = 0; i < COUNT(runners); i++)
        for (size_t at = 0, n = strlen(runners[i]); at + n < line.n; at++) {
            if (memcmp(line.p + at, runners[i], n) != 0)
                continue;
            Str rest = str_slice(line, at + n, line.n);
            const char *name = str_dup(s->a, str_cut(&rest, ' '));
            if (project_json_get(scripts, name))
                return name;
        }
    return NULL;
}

static Meaning
meaning_of(Init *s, const ProjectJson *scripts, Str text, const char *today)
{
    static const char *const words[][2] = {
        {"--create-only", "create"},
        {"migrate deploy", "deploy"},
        {"migrate dev", "dev"},
        {"migrate status", "status"},
        {"migrate reset", "reset"},
        {"db push", "push"},
        {"db seed", "seed"},
        {"prisma generate", "generate"},
        {"prisma validate", "validate"},
        {"drizzle-kit migrate", "deploy"},
        {"drizzle-kit generate", "create"},
        {"drizzle-kit push", "push"},
        {"migration up", "deploy"},
        {"migration new", "create"},
        {"migration list", "status"},
        {"supabase db diff", "create"},
        {"dbmate up", "deploy"},
        {"dbmate migrate", "deploy"},
        {"dbmate new", "create"},
        {"dbmate status", "status"},
        {"aramid deploy", "deploy"},
        {"aramid create", "create"},
        {"aramid dev", "dev"},
        {"aramid status", "status"},
        {"aramid generate", "generate"},
        {"aramid validate", "validate"},
        {"aramid backup", "backup"},
        {"pg_dump", "backup"},
    };
    for (int hop = 0; today && hop < MOST_HOPS; hop++) {
        Str line = str_of(today);
        bool supabase = str_contains(line, STR("supabase db push"));
        for (size_t i = 0; i < COUNT(words); i++)
            if (str_contains(line, str_of(words[i][0])))
                return (Meaning){supabase ? "deploy" : words[i][1], env_of(line)};
        const char *next = runs_script(s, scripts, line);
        today = next ? init_script_today(s, scripts, text, next) : NULL;
    }
    return (Meaning){0};
}

/* How near what a script does is to what it would do. */
static int
nearness(const Init *s, Meaning today, const ProjectScript *script)
{
    const char *env = env_of(str_of(script->line));
    bool drizzle = s->r->place.tool == PROJECT_DRIZZLE;
    if (!today.command)
        return NAMED;
    if (strcmp(today.command, "dev") == 0) { /* applies to the development database, and writes */
        bool applies = strcmp(script->command, "deploy") == 0 && env && env[0] == 'd';
        return strcmp(script->command, "dev") == 0      ? SAME
               : applies                                ? NEAR + 1
               : strcmp(script->command, "create") == 0 ? NEAR
                                                        : OTHER;
    }
    /* `aramid generate` runs drizzle-kit's there, which writes a migration. */
    if (drizzle && strcmp(today.command, "create") == 0 && strcmp(script->command, "generate") == 0)
        return SAME;
    if (strcmp(today.command, script->command) != 0)
        return OTHER;
    if (!today.env && !env)
        return SAME;
    if (today.env && env)
        return strcmp(today.env, env) == 0 ? SAME : OTHER;
    return NEAR;
}

const ProjectProfile *
init_nearest_profile(Init *s, const ProjectJson *scripts, Str text)
{
    const ProjectProfile *best = NULL;
    int most = 0;
    for (const ProjectProfile *const *p = project_profiles(); *p; p++) {
        int sum = 0;
        for (const ProjectScript *script = (*p)->scripts; script->name; script++) {
            const char *today = init_is_prisma_name(script)
                                    ? NULL
                                    : init_script_today(s, scripts, text, script->name);
            if (today)
                sum += nearness(s, meaning_of(s, scripts, text, today), script);
        }
        if (sum > most)
            most = sum, best = *p;
    }
    for (const ProjectJson *n = scripts && scripts->kind == PROJECT_JSON_OBJECT ? scripts->first
                                                                                : NULL;
         n && !best; n = n->next)
        if (str_starts(n->key, STR("prisma:")))
            best = project_profile("prisma");
    return best;
}
