/* The parts of a run's page: findings, migrations, locks, the schema, the log. */
#include "report/run_page_int.h"

#include "base/clock.h"
#include "report/erd.h"
#include "report/html.h"

enum {
    WIDE = 1000,
    LEAST = 4,
    LOCKS_MAX = 200,
    SQL_SHOWN = 64 * 1024, /* of a larger file it is not read */
    FIT_MAX = 1700         /* a wider diagram is read in parts */
};

static void
begin_card(Page *p, const char *id, const char *title)
{
    buf_fmt(
        &p->out,
        "<section class=\"card\" id=\"%s\" aria-labelledby=\"%s-h\">\n<h2 id=\"%s-h\">%s</h2>\n",
        id, id, id, title);
}

static void
end_card(Page *p)
{
    buf_addz(&p->out, "</section>\n");
    page_flush(p);
}

static const char *
look_of(const char *level)
{
    return strcmp(level, "error") == 0 ? "bad" : strcmp(level, "warning") == 0 ? "warn" : "idle";
}

/* ---- findings -------------------------------------------------------------------------------- */

void
page_findings(Page *p)
{
    bool any = false;
    vec_each (const StoryEvent, e, &p->in->story->events) {
        if (!e->finding)
            continue;
        if (!any) {
            begin_card(p, "findings", "Findings");
            buf_addz(&p->out, "<table class=\"rows\">\n<thead><tr><th scope=\"col\">Severity</th>"
                              "<th scope=\"col\">What</th></tr></thead>\n<tbody>\n");
        }
        any = true;
        buf_fmt(&p->out, "<tr><td><span class=\"tag %s\">", look_of(e->level));
        page_text(p, e->level, false);
        buf_addz(&p->out, "</span></td><td><p>");
        page_text(p, e->text, true);
        buf_addz(&p->out, "</p><p class=\"small soft\">");
        const char *about[] = {e->object, e->place, e->finding};
        for (size_t i = 0, n = 0; i < COUNT(about); i++)
            if (about[i] && *about[i]) {
                buf_addz(&p->out, n++ ? " &middot; " : "");
                page_text(p, about[i], false);
            }
        buf_addz(&p->out, "</p>");
        if (e->fix && *e->fix) {
            buf_addz(&p->out, "<p class=\"small\">To do: ");
            page_text(p, e->fix, false);
            buf_addz(&p->out, "</p>");
        }
        buf_addz(&p->out, "</td></tr>\n");
    }
    if (!any)
        return;
    buf_addz(&p->out, "</tbody>\n</table>\n");
    end_card(p);
}

/* ---- migrations ------------------------------------------------------------------------------ */

static const struct {
    const char *sign, *word, *look;
} states[STORY_STATE_COUNT] = {[STORY_PLANNED] = {"\xe2\x80\x93", "not run", "idle"},
                               [STORY_BEGUN] = {"!", "begun", "warn"},
                               [STORY_FAILED] = {"\xe2\x9c\x97", "failed", "bad"},
                               [STORY_DONE] = {"\xe2\x9c\x93", "applied", "ok"},
                               [STORY_UNDONE] = {"\xe2\x86\xa9", "rolled back", "ok"}};

/* From the first migration's begin to the last one's end. */
static int64_t
window(const Story *s, int64_t *ret_begin)
{
    int64_t begin = -1, end = 0;
    vec_each (const StoryMigration, m, &s->migrations) {
        int64_t to = m->at + (m->ms > 0 ? m->ms : 0);
        if (m->at < 0)
            continue;
        begin = begin < 0 || m->at < begin ? m->at : begin;
        end = to > end ? to : end;
    }
    *ret_begin = begin < 0 ? 0 : begin;
    return end > *ret_begin ? end - *ret_begin : 1;
}

/* When it ran in the run, and for how long; what was forecast as a frame. */
static void
add_bar(Page *p, const StoryMigration *m)
{
    int64_t begin, all = window(p->in->story, &begin), ms = m->ms > 0 ? m->ms : 0;
    buf_addz(&p->out, "<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" "
                      "aria-hidden=\"true\">");
    if (m->at >= 0) {
        int64_t x = (m->at - begin) * WIDE / all, w = ms * WIDE / all;
        x = x > WIDE - LEAST ? WIDE - LEAST : x;
        w = w < LEAST ? LEAST : w > WIDE - x ? WIDE - x : w;
        bool is_late = m->forecast >= 0 && ms > 2 * m->forecast && ms > m->forecast + 100;
        buf_fmt(&p->out, "<rect%s x=\"%lld\" width=\"%lld\" height=\"10\"/>",
                m->state == STORY_FAILED ? " class=\"lost\""
                : is_late                ? " class=\"late\""
                                         : "",
                (long long)x, (long long)w);
        if (m->forecast > 0) {
            int64_t wanted = m->forecast * WIDE / all;
            wanted = wanted > WIDE - x ? WIDE - x : wanted;
            buf_fmt(&p->out, "<rect class=\"plan\" x=\"%lld\" width=\"%lld\" height=\"10\"/>",
                    (long long)x, (long long)(wanted < LEAST ? LEAST : wanted));
        }
    }
    buf_addz(&p->out, "</svg>");
}

static void
add_statements(Page *p, const StoryMigration *m)
{
    bool has_forecast = false, has_time = false;
    vec_each (const StoryStatement, s, &m->statements) {
        has_forecast |= s->forecast >= 0;
        has_time |= s->ms >= 0;
    }
    if (!m->statements.n)
        return;
    buf_fmt(&p->out,
            "<table>\n<thead><tr><th scope=\"col\">Statement</th><th scope=\"col\" "
            "class=\"num\">Line</th>%s%s"
            "</tr></thead>\n<tbody>\n",
            has_forecast ? "<th scope=\"col\" class=\"num\">Forecast</th>" : "",
            has_time ? "<th scope=\"col\" class=\"num\">Took</th>" : "");
    vec_each (const StoryStatement, s, &m->statements) {
        buf_addz(&p->out, "<tr><td>");
        page_text(p, s->kind ? s->kind : "", false);
        buf_fmt(&p->out, "</td><td class=\"num\">%d</td>", s->line);
        for (int i = 0; i < 2; i++)
            if (i ? has_time : has_forecast) {
                buf_addz(&p->out, "<td class=\"num\">");
                page_ms(p, i ? s->ms : s->forecast);
                buf_addz(&p->out, "</td>");
            }
        buf_addz(&p->out, "</tr>\n");
    }
    buf_addz(&p->out, "</tbody>\n</table>\n");
}

/* The file's text, where it is the one that ran. */
static void
add_sql(Page *p, const StoryMigration *m)
{
    const History *h = p->in->history;
    ARENA_LOCAL(a);
    Str text;
    Err ignored;
    if (!h)
        return;
    vec_each (const Migration, f, &h->files) {
        if (strcmp(f->name, m->name) != 0)
            continue;
        bool is_same = !m->checksum || strcmp(f->checksum, m->checksum) == 0;
        if (f->bytes > SQL_SHOWN)
            buf_addz(&p->out, "<p class=\"soft\">Its file is too large to be shown here.</p>\n");
        else if (!is_same)
            buf_addz(&p->out,
                     "<p class=\"soft\">The file has changed since: its SQL is not shown.</p>\n");
        else if (f->has_file && migration_text(a, f, &text, &ignored)) {
            buf_addz(&p->out, "<pre tabindex=\"0\">");
            page_text(p, str_dup(a, str_trim(text)), true);
            buf_addz(&p->out, "</pre>\n");
        }
        return;
    }
    buf_addz(&p->out, "<p class=\"soft\">Its file is not here.</p>\n");
}

static void
add_migration(Page *p, const StoryMigration *m)
{
    buf_fmt(
        &p->out,
        "<details%s><summary><span class=\"mark %s\" title=\"%s\">%s</span><span class=\"name\">",
        m->state == STORY_FAILED ? " open" : "", states[m->state].look, states[m->state].word,
        states[m->state].sign);
    page_name(p, m->name);
    buf_addz(&p->out, "</span>");
    add_bar(p, m);
    buf_addz(&p->out, "<span class=\"num\">");
    if (m->ms >= 0 && m->state != STORY_FAILED)
        page_ms(p, m->ms);
    else
        buf_addz(&p->out, states[m->state].word);
    buf_addz(&p->out, "</span></summary>\n<div class=\"inside\">\n<p class=\"soft small\">");
    page_text(p, m->path ? m->path : "", false);
    buf_fmt(&p->out, "%s%s", m->path ? " &middot; " : "", states[m->state].word);
    if (m->steps > 1 || m->is_apart)
        buf_fmt(&p->out, " &middot; %d step%s%s", m->steps, str_plural(m->steps),
                m->is_apart ? ", some outside of transactions" : "");
    if (m->forecast >= 0) {
        buf_addz(&p->out, " &middot; forecast ");
        page_ms(p, m->forecast);
    }
    buf_addz(&p->out, "</p>\n");
    add_statements(p, m);
    add_sql(p, m);
    buf_addz(&p->out, "</div>\n</details>\n");
    page_flush(p);
}

void
page_migrations(Page *p)
{
    const Story *s = p->in->story;
    if (!s->migrations.n)
        return;
    begin_card(p, "migrations", "Migrations");
    buf_addz(&p->out, "<p class=\"soft small\">The bar shows when each ran. Open one "
                      "for its statements, their "
                      "times and its SQL.</p>\n");
    vec_each (const StoryMigration, m, &s->migrations)
        add_migration(p, m);
    end_card(p);
}

/* ---- locks ----------------------------------------------------------------------------------- */

static void
add_waits(Page *p)
{
    const StoryEvent *before = NULL;
    size_t n = 0;
    vec_each (const StoryEvent, e, &p->in->story->events) {
        if (!page_is_wait(e))
            continue;
        if (before && strcmp(before->text, e->text) == 0 &&
            cat_same_text(before->migration, e->migration))
            continue; /* said again while it lasted */
        buf_addz(&p->out, n++ ? "" : "<h3>Waited for</h3>\n<ul class=\"events\">\n");
        buf_addz(&p->out, "<li><span class=\"soft\">+");
        page_ms(p, e->at);
        buf_fmt(&p->out, "</span><span class=\"word %s\">", look_of(e->level));
        page_text(p, e->event, false);
        buf_addz(&p->out, "</span><p>");
        page_text(p, e->text, false);
        buf_addz(&p->out, "</p><span class=\"num\"></span></li>\n");
        before = e;
    }
    buf_addz(&p->out, n ? "</ul>\n" : "<p>Nobody else was in the way.</p>\n");
}

/* Of those that only read or change rows nobody notices anything. */
static bool
is_noticed(const StoryLock *l)
{
    static const char *const quiet[] = {"ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE"};
    for (size_t i = 0; i < COUNT(quiet); i++)
        if (strcmp(l->mode, quiet[i]) == 0)
            return false;
    return !l->is_new;
}

static void
add_held(Page *p)
{
    size_t n = 0;
    vec_each (const StoryMigration, m, &p->in->story->migrations)
        vec_each (const StoryLock, l, &m->locks) {
            if (!is_noticed(l) || m->state == STORY_PLANNED || n++ >= LOCKS_MAX)
                continue;
            if (n == 1)
                buf_addz(&p->out, "<table class=\"rows\">\n<thead><tr><th "
                                  "scope=\"col\">Table</th><th scope=\"col\">Lock</th>"
                                  "<th scope=\"col\">By</th><th scope=\"col\" class=\"num\">For at "
                                  "most</th></tr></thead>\n<tbody>\n");
            buf_addz(&p->out, "<tr><td><b>");
            page_text(p, l->relation, false);
            buf_addz(&p->out, "</b></td><td>");
            page_text(p, l->mode, false);
            buf_addz(&p->out, "</td><td class=\"soft\">");
            page_name(p, m->name);
            buf_addz(&p->out, "</td><td class=\"num\">");
            page_ms(p, m->ms);
            buf_addz(&p->out, "</td></tr>\n");
        }
    if (n)
        buf_addz(&p->out, "</tbody>\n</table>\n");
    else
        buf_addz(&p->out,
                 "<p>No table that was there before had to be locked against others.</p>\n");
    if (n > LOCKS_MAX)
        buf_fmt(&p->out, "<p class=\"soft\">And %zu more.</p>\n", n - LOCKS_MAX);
}

void
page_locks(Page *p)
{
    if (!p->in->story->migrations.n)
        return;
    begin_card(p, "locks", "Locks");
    add_held(p);
    add_waits(p);
    end_card(p);
}

/* ---- schema and log -------------------------------------------------------------------------- */

void
page_schema(Page *p)
{
    const RunPage *in = p->in;
    if (!in->erd && !in->no_erd)
        return;
    begin_card(p, "schema", "What changed in the schema");
    if (in->erd && in->erd->boxes.n) {
        buf_fmt(&p->out,
                "<div class=\"%s\"><div class=\"scroll\" tabindex=\"0\" role=\"region\" "
                "aria-label=\"Diagram of what changed\">\n",
                in->erd->w <= FIT_MAX ? "fit" : "large");
        report_erd_inline(&p->out, in->erd, "What changed in the schema");
        buf_addz(&p->out, "</div></div>\n");
        report_erd_legend(&p->out, in->erd);
    } else {
        buf_addz(&p->out, "<p>");
        page_text(
            p, in->erd ? "Nothing: no table, column or other object is another one." : in->no_erd,
            false);
        buf_addz(&p->out, "</p>\n");
    }
    end_card(p);
}

/* What stands in a migration's own part already, and progress that was said again. */
static bool
is_told(const Story *s, const StoryEvent *e)
{
    const StoryEvent *next = e + 1 < s->events.v + s->events.n ? e + 1 : NULL;
    if (next && strcmp(e->event, "progress") == 0 && strcmp(next->event, "progress") == 0 &&
        cat_same_text(e->migration, next->migration))
        return true;
    return e->finding || strcmp(e->event, "migration") == 0 ||
           (strcmp(e->event, "applied") == 0 && e->migration);
}

void
page_log(Page *p)
{
    const Story *s = p->in->story;
    begin_card(p, "log", "Timeline");
    buf_addz(&p->out, "<ul class=\"events\">\n");
    vec_each (const StoryEvent, e, &s->events) {
        if (is_told(s, e))
            continue;
        buf_addz(&p->out, "<li><span class=\"soft\">+");
        page_ms(p, e->at);
        buf_fmt(&p->out, "</span><span class=\"word %s\">",
                strcmp(e->level, "ok") == 0 ? "ok" : look_of(e->level));
        page_text(p, e->event, false);
        buf_addz(&p->out, "</span><p>");
        if (e->migration) {
            page_name(p, e->migration);
            buf_addz(&p->out, ": ");
        }
        page_text(p, strcmp(e->event, "failed") == 0 && s->error ? s->error : e->text, false);
        buf_addz(&p->out, "</p><span class=\"num\">");
        page_ms(p, e->ms);
        buf_addz(&p->out, "</span></li>\n");
        page_flush(p);
    }
    buf_addz(&p->out, "</ul>\n");
    if (s->skipped)
        buf_fmt(&p->out, "<p class=\"soft\">%zu line%s of the run's files could not be read.</p>\n",
                s->skipped, str_plural((int64_t)s->skipped));
    end_card(p);
}
