#include "gate/gate.h"

static const char *
shown(Arena *a, const char *text)
{
    return str_printable(a, str_of(text), false);
}

static bool
is_production(const Identity *i)
{
    return i && strcmp(i->profile, "production") == 0;
}

static bool
is_development(const Identity *i)
{
    return strcmp(i->profile, "development") == 0;
}

/* Which database it is about. */
static void
add_place(Arena *a, const GateFacts *f, Err *err)
{
    if (f->is_known)
        err_detail(err, "it is database \"%s\" at %s, user \"%s\"%s%s", shown(a, f->database),
                   shown(a, f->host), shown(a, f->user), f->origin ? "; the URL is from " : "",
                   f->origin ? shown(a, f->origin) : "");
}

static void
add_mark(Arena *a, const Identity *i, Err *err)
{
    err_detail(err, "it was marked as \"%s\"%s%s%s at %s by \"%s\" (%s)", shown(a, i->environment),
               i->name ? " (" : "", i->name ? shown(a, i->name) : "", i->name ? ")" : "",
               shown(a, i->made_at), shown(a, i->made_by), shown(a, i->made_with));
}

/* ---- builds and branches --------------------------------------------------------------------- */

static bool
is_preview(const GateFacts *f)
{
    return f->vercel && f->vercel[0] && strcmp(f->vercel, "production") != 0;
}

static bool
refuse_preview(Arena *a, const GateFacts *f, const Identity *production, Err *err)
{
    err_set(err, ERR_REFUSED, "this is a %s build of Vercel, and it must not change production",
            shown(a, f->vercel));
    err_detail(err, "VERCEL_ENV is \"%s\"", shown(a, f->vercel));
    if (!production)
        err_detail(err, "this run is for environment \"%s\" (%s)", shown(a, f->environment),
                   shown(a, f->environment_origin));
    add_place(a, f, err);
    if (production)
        add_mark(a, production, err);
    err_hint(err, "give previews a database of their own: set DATABASE_URL for the Preview "
                  "environment only, in the project's settings");
    return err_hint(err,
                    "or deploy in production builds only: [ \"$VERCEL_ENV\" != production ] || "
                    "aramid deploy");
}

/* A variable that Vercel gives to all environments leads previews to production, which may not have
 * been marked yet. */
static bool
refuse_unknown_in_preview(Arena *a, const GateFacts *f, Err *err)
{
    err_set(err, ERR_REFUSED,
            "this is a %s build of Vercel, and nothing says that this database is not production",
            shown(a, f->vercel));
    add_place(a, f, err);
    err_detail(err,
               "it has a migration history, but does not say which environment it is; a variable "
               "that is not limited to Preview is production's here too");
    err_hint(err,
             "if it is for previews, mark it once, from your own machine: aramid identity set "
             "%s --url URL",
             shown(a, f->environment));
    return err_hint(err,
                    "or say so by name: PREVIEW_DATABASE_URL instead of DATABASE_URL, or "
                    "ARAMID_CONSENT=%s for the Preview environment",
                    shown(a, f->environment));
}

static bool
check_preview(Arena *a, const GateFacts *f, const GateTarget *t, Err *err)
{
    if (!is_preview(f))
        return true;
    if (f->profile == PROFILE_PRODUCTION)
        return refuse_preview(a, f, NULL, err);
    if (!f->is_known)
        return true;
    const Identity *production = is_production(f->identity) ? f->identity : f->other;
    if (production && !t->is_copy)
        return refuse_preview(a, f, production, err);
    if (!f->identity && f->has_history && !f->url_is_own && !f->said_by_name)
        return refuse_unknown_in_preview(a, f, err);
    return true;
}

static bool
check_branch(Arena *a, const GateFacts *f, Err *err)
{
    if (!f->branch_count || !f->branch)
        return true;
    Buf list;
    buf_init(&list, a);
    for (size_t i = 0; i < f->branch_count; i++) {
        if (strcmp(f->branches[i], f->branch) == 0)
            return true;
        buf_fmt(&list, "%s%s", i ? ", " : "", f->branches[i]);
    }
    err_set(err, ERR_REFUSED, "environment \"%s\" is not deployed from branch \"%s\"",
            shown(a, f->environment), shown(a, f->branch));
    err_detail(err, "the setting \"branches\" allows: %s", shown(a, list.p));
    return err_hint(err, "merge into one of them, or change \"branches\" of the environment in "
                         "aramid.yaml");
}

/* ---- the right database ---------------------------------------------------------------------- */

static const char *
set_command(Arena *a, const GateFacts *f, const char *environment)
{
    (void)f;
    return str_fmt(a, "aramid identity set %s", str_shell(a, shown(a, environment)));
}

static bool
refuse_copy(Arena *a, const GateFacts *f, Err *err)
{
    const Identity *i = f->identity;
    const IdentityPlace *was = &i->place, *is = &f->place;
    err_set(err, ERR_IDENTITY, "this database is a copy of \"%s\" and still says that it is it",
            shown(a, i->environment));
    add_place(a, f, err);
    add_mark(a, i, err);
    if (was->branch && is->branch && strcmp(was->branch, is->branch) != 0)
        err_detail(err, "it was marked on branch %s of Neon, this is branch %s",
                   shown(a, was->branch), shown(a, is->branch));
    else if (was->system && is->system && strcmp(was->system, is->system) != 0)
        err_detail(err, "it was marked on another server%s%s (system identifier %s, here %s)",
                   was->address ? ", " : "", was->address ? shown(a, was->address) : "",
                   shown(a, was->system), shown(a, is->system));
    else
        err_detail(err, "it was marked as database \"%s\" (number %s), this is \"%s\" (number %s)",
                   shown(a, was->database), shown(a, was->oid), shown(a, is->database),
                   shown(a, is->oid));
    if (!config_same_environment(f->environment, i->environment))
        err_hint(err, "name the copy, and the same command works: %s",
                 set_command(a, f, f->environment));
    else
        err_hint(err, "name the copy: aramid identity set NAME");
    return err_hint(err, "if it is \"%s\" itself, moved here for good: %s",
                    shown(a, i->environment), set_command(a, f, i->environment));
}

static bool
refuse_other(Arena *a, const GateFacts *f, Err *err)
{
    const Identity *i = f->identity;
    err_set(err, ERR_IDENTITY, "this is the database of \"%s\", not of \"%s\"",
            shown(a, i->environment), shown(a, f->expected));
    add_place(a, f, err);
    add_mark(a, i, err);
    if (strcmp(f->expected, f->environment) == 0)
        err_detail(err, "this run is for environment \"%s\" (%s)", shown(a, f->environment),
                   f->is_said ? shown(a, f->environment_origin) : "nobody named one");
    else
        err_detail(err, "the setting \"identity\" of environment \"%s\" wants \"%s\"",
                   shown(a, f->environment), shown(a, f->expected));
    err_hint(err, "if \"%s\" is meant: %s --env %s", shown(a, i->environment), f->command,
             str_shell(a, shown(a, i->environment)));
    err_hint(err, "if not, correct the URL%s%s: it leads to the wrong database",
             f->origin ? " in " : "", f->origin ? shown(a, f->origin) : "");
    if (f->is_said)
        err_hint(err,
                 "if one database is meant for both: \"identity: %s\" under environments.%s in "
                 "aramid.yaml",
                 shown(a, i->environment), shown(a, f->environment));
    return err_hint(err,
                    "if this is a copy made with its whole server (a snapshot, pg_basebackup), "
                    "name it: %s",
                    set_command(a, f, f->environment));
}

/* Names that mean the same, and among databases for development a run that names nothing. */
static bool
is_expected(const GateFacts *f)
{
    return config_same_environment(f->expected, f->identity->environment) ||
           (!f->is_said && f->profile == PROFILE_DEVELOPMENT && is_development(f->identity));
}

static void
find(GateTarget *t, FindingId id, const char *text)
{
    const FindingInfo *info = finding_info(id);
    t->found = (Finding){.id = id, .severity = info->severity, .area = info->area, .text = text};
}

static bool
check_identity(Arena *a, const GateFacts *f, GateTarget *t, Err *err)
{
    const Identity *i = f->identity;
    if (!f->is_known || f->act == GATE_MARKS || !f->expected)
        return true;
    if (!i) {
        t->writes = f->is_said;
        if (f->other && f->profile != PROFILE_PRODUCTION)
            find(t, FINDING_IDENTITY_BESIDE,
                 str_fmt(a, "schema \"%s\" of this database is environment \"%s\"",
                         shown(a, f->other->schema), shown(a, f->other->environment)));
        return true;
    }
    if (t->is_copy)
        return refuse_copy(a, f, err);
    if (!is_expected(f))
        return refuse_other(a, f, err);
    t->writes = t->match != IDENTITY_SAME && f->is_said;
    if (t->match == IDENTITY_RENAMED)
        find(t, FINDING_IDENTITY_RENAMED,
             str_fmt(a, "this is \"%s\"; it was called \"%s\" when that was written",
                     shown(a, i->environment), shown(a, i->place.database)));
    else if (t->match == IDENTITY_MOVED)
        find(t, FINDING_IDENTITY_MOVED,
             str_fmt(a,
                     "this is \"%s\"; it was restored, or its server upgraded, since that was "
                     "written",
                     shown(a, i->environment)));
    return true;
}

bool
gate_target(Arena *a, const GateFacts *f, GateTarget *ret, Err *err)
{
    *ret = (GateTarget){0};
    if (f->is_known && f->identity) {
        ret->match = identity_match(&f->identity->place, &f->place);
        ret->is_copy = ret->match == IDENTITY_COPY && !is_development(f->identity);
    }
    if (f->act != GATE_LOOKS && (!check_preview(a, f, ret, err) || !check_branch(a, f, err)))
        return false;
    return check_identity(a, f, ret, err);
}

/* ---- consent --------------------------------------------------------------------------------- */

static bool
refuse_agent(Arena *a, const GateFacts *f, Err *err)
{
    err_set(err, ERR_REFUSED, "%s runs this command, and %s needs the consent of a person",
            f->agent,
            f->act == GATE_DESTROYS ? "what may destroy data"
            : f->act == GATE_MARKS  ? "changing what production is"
                                    : "a change of production");
    add_place(a, f, err);
    err_detail(err,
               "an agent must stop here, tell the person which command it wants to run on which "
               "database and why, and ask");
    err_hint(err, "a person runs it in a terminal of their own: %s", f->command);
    return err_hint(err, "or answers the agent, which then sets " GATE_AGENT_CONSENT
                         " to the exact words of that answer and runs the same command");
}

/* Taking the name away from a database that is no copy. */
static bool
takes_name(const GateFacts *f)
{
    return f->act == GATE_MARKS && f->identity &&
           identity_match(&f->identity->place, &f->place) != IDENTITY_COPY &&
           (!f->expected || !config_same_environment(f->expected, f->identity->environment));
}

bool
gate_consent(Arena *a, const GateFacts *f, GateConsent *ret, Err *err)
{
    *ret = GATE_AGREED;
    bool takes = takes_name(f);
    bool dangerous = f->act == GATE_DESTROYS || (takes && is_production(f->identity)) ||
                     (f->act == GATE_CHANGES &&
                      (f->profile == PROFILE_PRODUCTION || is_production(f->identity)));
    if (f->agent && dangerous && !f->agent_consent)
        return refuse_agent(a, f, err);
    bool asks = f->act == GATE_DESTROYS || takes || (f->act == GATE_CHANGES && f->confirms);
    if (!asks || f->yes || (f->said_by_name && f->act == GATE_CHANGES))
        return true;
    if (f->can_ask && !f->is_ci && !f->agent) {
        *ret = GATE_ASK;
        return true;
    }
    const char *env = shown(a, f->environment);
    if (f->act == GATE_CHANGES)
        err_set(err, ERR_CONFIRM, "environment \"%s\" asks for a confirmation before it is changed",
                env);
    else
        err_set(err, ERR_CONFIRM, "%s needs a confirmation",
                f->act == GATE_MARKS ? "giving a database another name" : f->command);
    add_place(a, f, err);
    if (f->identity)
        add_mark(a, f->identity, err);
    err_hint(err, "confirm with: %s --yes", f->command);
    return f->is_ci && f->act == GATE_CHANGES
               ? err_hint(err, "in a pipeline also with the variable ARAMID_CONSENT=%s", env)
               : false;
}
