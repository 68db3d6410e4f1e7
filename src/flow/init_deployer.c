/* One platform deploys production: two would run for every push, in no order. */
#include "flow/init_int.h"

#include "base/fs.h"

static bool
says(Init *s, const char *path, const char *what)
{
    Str text;
    Err unread;
    return fs_kind(path) == FS_FILE && fs_read(s->a, path, FILE_MAX, &text, &unread) &&
           str_contains(text, str_of(what));
}

static void
tell(Init *s, const char *path, const char *text, const char *fix)
{
    Finding *f = init_find(s, FINDING_INIT_ONE_DEPLOYER, "%s", text);
    f->path = path;
    f->fix = fix;
}

bool
init_deployer(Init *s)
{
    InitResult *r = s->r;
    const char *workflow = str_fmt(s->a, ".github/workflows/migrations-deploy%s.yml", s->slug);
    const char *script = "scripts/vercel-build.sh";
    bool by_workflow = says(s, init_in_root(s, workflow), "deploy --env production"),
         by_build = says(s, init_in_home(s, script), "deploy --env production") &&
                    !says(s, init_in_home(s, script), "\ndeployer=github");
    bool from_branch = false;
    vec_each (const ProjectBranch, b, &r->branches)
        from_branch |= strcmp(b->env, "production") == 0;
    bool github = by_workflow || (r->groups[INIT_GITHUB] && from_branch);
    s->github_deploys = by_workflow || !by_build;
    s->vercel_deploys = by_build || !github;
    if (!github || !(r->groups[INIT_VERCEL] || by_build))
        return true;
    if (by_workflow && by_build)
        tell(s, workflow,
             "it deploys production, and so does scripts/vercel-build.sh: one push, two deploys",
             "keep one: delete the job deploy-production, or say deployer=github in that script");
    else if (by_build)
        tell(s, workflow,
             "it leaves production out: scripts/vercel-build.sh is there, which deploys it before "
             "each "
             "build",
             "to let GitHub deploy it instead: say deployer=github in that script, then aramid "
             "init");
    else
        tell(s, script,
             "it only builds: GitHub's workflow deploys production, where reviewers can be asked "
             "and a "
             "backup is kept. New code may be live before that is done",
             "to let Vercel deploy instead, before its build: say deployer=vercel in that script, "
             "and "
             "delete the job deploy-production of the workflow");
    return true;
}
