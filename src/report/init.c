/* What init would write, and wrote. */
#include "report/init.h"

#include "report/finding.h"
#include "report/text_diff.h"

/* Text of a file, which may hold a password. */
static const char *
shown(Arena *a, const char *text)
{
    return str_printable(a, str_of(url_redact(a, str_of(text), NULL, 0)), false);
}

static void
pad(Buf *out, size_t from, size_t width)
{
    size_t used = term_columns(str_slice(buf_str(out), from, out->n));
    buf_addn(out, ' ', used < width ? width - used : 1);
}

void
report_init_project(Buf *out, const Term *t, const InitResult *r)
{
    const Project *p = &r->project;
    Arena *a = out->arena;
    term_add(out, t, TERM_BOLD, project_tool_name(r->place.tool));
    if (r->place.version)
        buf_fmt(out, " %s", shown(a, r->place.version));
    const char *where = r->schema ? r->schema : r->migrations;
    if (where)
        buf_fmt(out, " in %s", shown(a, where));
    if (p->manager_evidence)
        buf_fmt(out, ", %s (%s)", p->manager, p->manager_evidence);
    for (int i = 0; i < PROJECT_PLATFORM_COUNT; i++)
        if (p->platforms[i])
            buf_fmt(out, ", %s (%s)", project_platform_name((ProjectPlatform)i), p->platforms[i]);
    buf_addc(out, '\n');
    if (r->groups[INIT_GITHUB])
        vec_each (const ProjectBranch, b, &r->branches)
            buf_fmt(out, "branch %s is deployed to %s\n", shown(a, b->name), b->env);
}

/* ---- profiles -------------------------------------------------------------------------------- */

static const char *
today_of(const InitResult *r, const char *name)
{
    vec_each (const InitToday, it, &r->today) {
        if (strcmp(it->name, name) == 0)
            return it->line;
    }
    return NULL;
}

void
report_init_profiles(Buf *out, const Term *t, const InitResult *r)
{
    static const char *const names[] = {"db:migrate", "db:deploy", "db:generate", NULL};
    const ProjectProfile *const *profiles = project_profiles();
    Arena *a = out->arena;
    buf_addz(out, "The same names mean different things in different teams:\n\n");
    for (const ProjectProfile *const *p = profiles; *p; p++) {
        buf_addz(out, "  ");
        term_add(out, t, TERM_BOLD, (*p)->name);
        buf_addn(out, ' ', 10 - strlen((*p)->name));
        term_wrap(out, (*p)->summary, 12, 12, 80);
        buf_addz(out, *p == r->suggested ? " (nearest to what package.json has)\n" : "\n");
        for (const char *const *name = names; *name; name++) {
            const ProjectScript *script = project_profile_script(*p, *name);
            if (script)
                buf_fmt(out, "              %-12s %s\n", *name, script->line);
        }
    }
    bool any = false;
    for (const char *const *name = names; *name; name++) {
        const char *today = today_of(r, *name);
        if (!today)
            continue;
        buf_addz(out, any ? "" : "\nToday, in package.json:\n");
        buf_fmt(out, "              %-12s %s\n", *name, shown(a, today));
        any = true;
    }
}

/* ---- changes --------------------------------------------------------------------------------- */

void
report_init_difference(Buf *out, const Term *t, const InitResult *r)
{
    Arena *a = out->arena;
    vec_each (const InitFile, f, &r->files) {
        if (f->action == INIT_SAME)
            continue;
        const char *name = f->shown;
        Buf diff;
        buf_init(&diff, a);
        text_diff(&diff, t, f->action == INIT_KEEP ? str_fmt(a, "%s (not written)", name) : name,
                  f->before, f->after);
        /* Files of people may hold a password. */
        buf_addz(out, f->was_there ? url_redact(a, buf_str(&diff), NULL, 0) : diff.p);
    }
}

static void
add_scripts(Buf *out, const InitResult *r)
{
    Arena *a = out->arena;
    if (!r->scripts.n)
        return;
    if (r->profile)
        buf_fmt(out, "\nNames in package.json (profile %s):\n", r->profile->name);
    else
        buf_addz(out, "\nNames in package.json:\n");
    vec_each (const InitScript, s, &r->scripts) {
        size_t from = out->n;
        buf_fmt(out, "  %s", s->name);
        pad(out, from, 26);
        switch (s->state) {
        case INIT_SCRIPT_ADDED:
        case INIT_SCRIPT_SAME:
            buf_fmt(out, "%s\n", s->line);
            break;
        case INIT_SCRIPT_REPLACED:
            buf_fmt(out, "%s   (instead of: %s)\n", s->line, shown(a, s->today));
            break;
        case INIT_SCRIPT_KEPT:
            buf_fmt(out, "stays: %s\n", shown(a, s->today));
            pad(out, out->n, 26);
            buf_fmt(out, "with --force: %s\n", s->line);
            break;
        case INIT_SCRIPT_LEFT_OUT:
            if (s->command)
                buf_fmt(out, "left out: this version has no `aramid %s`\n", s->command);
            else
                buf_fmt(out, "left out: there is %s here\n", s->lacks);
            break;
        }
    }
}

/* What has to be set elsewhere. */
static void
add_needs(Buf *out, const Term *t, const InitResult *r)
{
    const char *where = "";
    size_t width = 0, columns = t->width ? (size_t)t->width : 80;
    vec_each (const InitNeed, n, &r->needs)
        width = strlen(n->name) > width ? strlen(n->name) : width;
    if (r->needs.n)
        buf_addz(out, "\nBefore you push:\n");
    vec_each (const InitNeed, n, &r->needs) {
        if (strcmp(where, n->where) != 0) {
            buf_addz(out, "  ");
            term_wrap(out, n->where, 2, 4, columns);
            buf_addc(out, '\n');
        }
        where = n->where;
        size_t from = out->n;
        buf_fmt(out, "    %-8s  %s", n->kind, shown(out->arena, n->name));
        if (width + 56 > columns) {
            buf_addz(out, "\n      ");
            term_wrap(out, n->why, 6, 6, columns);
        } else {
            pad(out, from, 14 + width + 2);
            term_wrap(out, n->why, 14 + width + 2, 14 + width + 2, columns);
        }
        buf_addc(out, '\n');
    }
}

void
report_init_text(Buf *out, const Term *t, const InitResult *r)
{
    static const char *const words[] = {"create", "change", "as it is", "keep"};
    Arena *a = out->arena;
    add_scripts(out, r);
    size_t width = 0;
    vec_each (const InitFile, f, &r->files)
        width = strlen(f->shown) > width ? strlen(f->shown) : width;
    buf_addz(out, "\nFiles:\n");
    vec_each (const InitFile, f, &r->files) {
        size_t from = out->n;
        buf_fmt(out, "  %s", words[f->action]);
        pad(out, from, 13);
        buf_fmt(out, "%s", shown(a, f->shown));
        pad(out, from, 13 + width + 2);
        buf_fmt(out, "%s\n",
                f->action == INIT_KEEP ? "is there with another text (--beside writes "
                                         "ours beside it)"
                                       : f->why);
    }
    if (r->findings.items.n)
        buf_addc(out, '\n');
    findings_text(out, t, &r->findings);
    const char *missing = "";
    bool has_package = r->project.has_package || r->place.has_package;
    for (int i = 0; i < INIT_GROUP_COUNT; i++)
        if (!r->groups[i] && (i != INIT_NPM || has_package))
            missing = str_fmt(a, "%s%s%s", missing, *missing ? "," : "",
                              flow_init_group_name((InitGroup)i));
    if (*missing && r->deploys)
        buf_fmt(out, "%sNot set up: %s. To add: aramid init --only %s\n",
                r->findings.items.n ? "" : "\n", missing, missing);
    add_needs(out, t, r);
    if (!r->changes) {
        buf_addc(out, '\n');
        term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
        buf_addz(out, " Everything is set up; nothing to change.\n");
    }
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void
json_project(JsonWriter *w, const InitResult *r)
{
    const Project *p = &r->project;
    jw_object(w, "project");
    jw_strz(w, "tool", project_tool_id(r->place.tool));
    jw_strz(w, "version", r->place.version);
    jw_strz(w, "evidence", r->place.evidence);
    jw_strz(w, "folder", r->home);
    jw_strz(w, "repository", p->root);
    jw_strz(w, "schema", r->schema);
    jw_strz(w, "migrations", r->migrations);
    jw_array(w, "moreMigrations");
    vec_each (const char *, more, &r->more)
        jw_strz(w, NULL, *more);
    jw_end(w);
    jw_strz(w, "packageManager", p->manager_evidence ? p->manager : NULL);
    jw_object(w, "platforms");
    for (int i = 0; i < PROJECT_PLATFORM_COUNT; i++)
        jw_strz(w, project_platform_name((ProjectPlatform)i), p->platforms[i]);
    jw_end(w);
    jw_array(w, "branches");
    vec_each (const ProjectBranch, b, &r->branches) {
        jw_object(w, NULL);
        jw_strz(w, "branch", b->name);
        jw_strz(w, "environment", b->env);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

void
report_init_json(JsonWriter *w, const InitResult *r, bool written)
{
    static const char *const actions[] = {"create", "change", "same", "keep"};
    static const char *const states[] = {"added", "same", "replaced", "kept", "leftOut"};
    jw_object(w, NULL);
    jw_strz(w, "command", "init");
    jw_bool(w, "ok", r->findings.counts[SEV_ERROR] == 0);
    jw_bool(w, "written", written);
    json_project(w, r);
    jw_strz(w, "profile", r->profile ? r->profile->name : NULL);
    jw_array(w, "parts");
    for (int i = 0; i < INIT_GROUP_COUNT; i++)
        if (r->groups[i])
            jw_strz(w, NULL, flow_init_group_name((InitGroup)i));
    jw_end(w);
    jw_array(w, "scripts");
    vec_each (const InitScript, s, &r->scripts) {
        jw_object(w, NULL);
        jw_strz(w, "name", s->name);
        jw_strz(w, "line", s->line);
        jw_strz(w, "state", states[s->state]);
        jw_strz(w, "today", s->today ? url_redact(w->out.arena, str_of(s->today), NULL, 0) : NULL);
        jw_strz(w, "missingCommand", s->command);
        jw_end(w);
    }
    jw_end(w);
    jw_array(w, "files");
    vec_each (const InitFile, f, &r->files) {
        jw_object(w, NULL);
        jw_strz(w, "path", f->shown);
        jw_strz(w, "action", actions[f->action]);
        jw_strz(w, "why", f->why);
        jw_end(w);
    }
    jw_end(w);
    jw_array(w, "needs");
    vec_each (const InitNeed, n, &r->needs) {
        jw_object(w, NULL);
        jw_strz(w, "where", n->where);
        jw_strz(w, "kind", n->kind);
        jw_strz(w, "name", n->name);
        jw_strz(w, "why", n->why);
        jw_end(w);
    }
    jw_end(w);
    findings_json(w, "findings", &r->findings);
    findings_json_texts(w, "notes", &r->findings);
    jw_end(w);
}
