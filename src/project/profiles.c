/* clang-format off */
#include "project/project.h"

/* Names that no guide uses for anything else; part of every profile. */
#define PRISMA_NAMES                                                                                \
    {"prisma:generate", "aramid generate", "generate", false},                                      \
    {"prisma:migrate:dev", "aramid dev", "dev", true},                                              \
    {"prisma:migrate:status", "aramid status", "status", true},                                     \
    {"prisma:migrate:deploy", "aramid deploy", "deploy", true}

static const ProjectScript workflow_scripts[] = {
    {"db:status", "aramid status", "status", true},
    {"db:validate", "aramid validate", "validate", true},
    {"db:create", "aramid create", "create", true},
    {"db:deploy", "aramid deploy", "deploy", true},
    {"db:workflow", "aramid workflow", "workflow", true},
    {"db:generate", "aramid generate", "generate", false},
    {"db:backup", "aramid backup", "backup", false},
    {"db:help", "aramid help", "help", false},
    PRISMA_NAMES,
    {0},
};

static const ProjectScript deploy_scripts[] = {
    {"db:migrate", "aramid deploy", "deploy", true},
    {"db:migrate:dev", "aramid dev", "dev", true},
    {"db:status", "aramid status", "status", true},
    {"db:generate", "aramid generate", "generate", false},
    {"db:seed", "aramid seed", "seed", false},
    {"db:backup", "aramid backup", "backup", false},
    PRISMA_NAMES,
    {0},
};

static const ProjectScript create_scripts[] = {
    {"db:migrate", "aramid create", "create", true},
    {"db:migrate:deploy", "aramid deploy", "deploy", true},
    {"db:migrate:status", "aramid status", "status", true},
    {"db:status", "aramid status", "status", true},
    {"db:sync", "aramid sync", "sync", true},
    {"db:deploy", "aramid deploy --env development", "deploy", true},
    {"db:deploy:prod", "aramid deploy --env production", "deploy", true},
    {"db:backup", "aramid backup", "backup", false},
    PRISMA_NAMES,
    {0},
};

static const ProjectScript develop_scripts[] = {
    {"db:migrate", "aramid deploy --env development", "deploy", true},
    {"db:migrate:production", "aramid deploy --env production", "deploy", true},
    {"migrate:status", "aramid status", "status", true},
    {"db:status", "aramid status", "status", true},
    {"db:generate", "aramid create", "create", true},
    {"db:backup", "aramid backup", "backup", false},
    PRISMA_NAMES,
    {0},
};

static const ProjectScript prisma_scripts[] = {
    PRISMA_NAMES,
    {"validate:schema", "aramid validate", "validate", true},
    {"validate:migrations", "aramid check --migrations", "check", true},
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
