/* clang-format off */
#include "project/project.h"

/* Names that no guide uses for anything else; part of every profile. */
#define PRISMA_NAMES                                                                               \
    {"prisma:generate", "aramid generate", "generate", PROJECT_NEEDS_GENERATOR},                   \
    {"prisma:migrate:dev", "aramid dev", "dev", PROJECT_NEEDS_HISTORY},                            \
    {"prisma:migrate:status", "aramid status", "status", PROJECT_NEEDS_HISTORY},                   \
    {"prisma:migrate:deploy", "aramid deploy", "deploy", PROJECT_NEEDS_HISTORY}

/* The rest of a developer's day, which means the same in all guides. */
#define WORK_NAMES                                                                                 \
    {"db:seed", "aramid seed", "seed", PROJECT_NEEDS_NOTHING},                                     \
    {"db:push", "aramid push", "push", PROJECT_NEEDS_SCHEMA},                                      \
    {"db:reset", "aramid reset", "reset", PROJECT_NEEDS_HISTORY},                                  \
    {"db:execute", "aramid execute", "execute", PROJECT_NEEDS_NOTHING},                            \
    {"db:rollback", "aramid rollback", "rollback", PROJECT_NEEDS_HISTORY}

static const ProjectScript workflow_scripts[] = {
    {"db:status", "aramid status", "status", PROJECT_NEEDS_HISTORY},
    {"db:validate", "aramid validate", "validate", PROJECT_NEEDS_SCHEMA},
    {"db:create", "aramid create", "create", PROJECT_NEEDS_HISTORY},
    {"db:migrate:dev", "aramid dev", "dev", PROJECT_NEEDS_HISTORY},
    {"db:deploy", "aramid deploy", "deploy", PROJECT_NEEDS_HISTORY},
    {"db:workflow", "aramid workflow", "workflow", PROJECT_NEEDS_HISTORY},
    {"db:generate", "aramid generate", "generate", PROJECT_NEEDS_GENERATOR},
    {"db:backup", "aramid backup", "backup", PROJECT_NEEDS_NOTHING},
    {"db:help", "aramid help", "help", PROJECT_NEEDS_NOTHING},
    WORK_NAMES,
    PRISMA_NAMES,
    {0},
};

static const ProjectScript deploy_scripts[] = {
    {"db:migrate", "aramid deploy", "deploy", PROJECT_NEEDS_HISTORY},
    {"db:init-config", "aramid task init-config", "task", PROJECT_NEEDS_TASK},
    {"db:migrate:dev", "aramid dev", "dev", PROJECT_NEEDS_HISTORY},
    {"db:status", "aramid status", "status", PROJECT_NEEDS_HISTORY},
    {"db:generate", "aramid generate", "generate", PROJECT_NEEDS_GENERATOR},
    {"db:backup", "aramid backup", "backup", PROJECT_NEEDS_NOTHING},
    WORK_NAMES,
    PRISMA_NAMES,
    {0},
};

static const ProjectScript create_scripts[] = {
    {"db:migrate", "aramid create", "create", PROJECT_NEEDS_HISTORY},
    {"db:migrate:dev", "aramid dev", "dev", PROJECT_NEEDS_HISTORY},
    {"db:migrate:deploy", "aramid deploy", "deploy", PROJECT_NEEDS_HISTORY},
    {"db:migrate:status", "aramid status", "status", PROJECT_NEEDS_HISTORY},
    {"db:status", "aramid status", "status", PROJECT_NEEDS_HISTORY},
    {"db:sync", "aramid sync", "sync", PROJECT_NEEDS_HISTORY},
    {"db:deploy", "aramid deploy --env development", "deploy", PROJECT_NEEDS_HISTORY},
    {"db:deploy:prod", "aramid deploy --env production", "deploy", PROJECT_NEEDS_HISTORY},
    {"db:backup", "aramid backup", "backup", PROJECT_NEEDS_NOTHING},
    WORK_NAMES,
    PRISMA_NAMES,
    {0},
};

static const ProjectScript develop_scripts[] = {
    {"db:migrate", "aramid deploy --env development", "deploy", PROJECT_NEEDS_HISTORY},
    {"db:migrate:dev", "aramid dev", "dev", PROJECT_NEEDS_HISTORY},
    {"db:migrate:production", "aramid deploy --env production", "deploy", PROJECT_NEEDS_HISTORY},
    {"migrate:status", "aramid status", "status", PROJECT_NEEDS_HISTORY},
    {"db:status", "aramid status", "status", PROJECT_NEEDS_HISTORY},
    {"db:generate", "aramid create", "create", PROJECT_NEEDS_HISTORY},
    {"db:backup", "aramid backup", "backup", PROJECT_NEEDS_NOTHING},
    WORK_NAMES,
    PRISMA_NAMES,
    {0},
};

static const ProjectScript prisma_scripts[] = {
    PRISMA_NAMES,
    {"validate:schema", "aramid validate", "validate", PROJECT_NEEDS_SCHEMA},
    {"validate:migrations", "aramid check --migrations", "check", PROJECT_NEEDS_HISTORY},
    {"validate:all", "aramid check", "check", PROJECT_NEEDS_HISTORY},
    {"validate:deployment:staging", "aramid verify --env staging", "verify", PROJECT_NEEDS_HISTORY},
    {"validate:deployment:prod", "aramid verify --env production", "verify", PROJECT_NEEDS_HISTORY},
    {0},
};

static const ProjectProfile profiles[] = {
    {"workflow", "db:deploy applies migrations to any database; there is no db:migrate",
     workflow_scripts},
    {"deploy", "db:migrate applies migrations to any database", deploy_scripts},
    {"create", "db:migrate writes a new migration; db:deploy is for the development database",
     create_scripts},
    {"develop", "db:migrate applies migrations to the development database; db:generate writes a "
                "new migration", develop_scripts},
    {"prisma", "only prisma:migrate:... and prisma:generate", prisma_scripts},
};
/* clang-format on */

enum { PROFILE_COUNT = COUNT(profiles) };

const ProjectProfile *
project_profile(const char *name)
{
    for (size_t i = 0; i < PROFILE_COUNT; i++)
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    return NULL;
}

const ProjectProfile *const *
project_profiles(void)
{
    static const ProjectProfile *const all[] = {&profiles[0], &profiles[1], &profiles[2],
                                                &profiles[3], &profiles[4], NULL};
    _Static_assert(COUNT(all) == PROFILE_COUNT + 1, "every profile is in the list");
    return all;
}

const ProjectScript *
project_profile_script(const ProjectProfile *profile, const char *name)
{
    for (const ProjectScript *s = profile->scripts; s->name; s++)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}
