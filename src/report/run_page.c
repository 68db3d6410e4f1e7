/* A run as a page: what it was, what went wrong, and the parts of run_parts.c. */
#include "report/run_page_int.h"

#include "base/clock.h"
#include "report/html.h"

#include <ctype.h>

/* ---- the head -------------------------------------------------------------------------------- */

/* The database's name out of what was said when it was connected to. */
static const char *
database_of(Arena *a, const Story *s)
{
    const char *at = s->server ? strstr(s->server, "database \"") : NULL;
    if (!at)
        return NULL;
    at += strlen("database \"");
    const char *end = strstr(at, "\", user ");
    return end ? str_dup(a, (Str){at, (size_t)(end - at)}) : NULL;
}

static const char *
title_of(Arena *a, const Story *s)
{
    const char *database = database_of(a, s), *command = s->command ? s->command : "run";
    return str_fmt(a, "%c%s%s%s", toupper((unsigned char)command[0]), command + 1,
                   database ? " of " : "", database ? database : "");
}

static void
add_fact(Page *p, const char *name, bool is_number)
{
    buf_fmt(&p->out, "<div><dt>%s</dt><dd%s>", name, is_number ? " class=\"num\"" : "");
}

static void
end_fact(Page *p)
{
    buf_addz(&p->out, "</dd></div>\n");
}

static int64_t
waited(const Story *s)
{
    int64_t sum = 0;
    const StoryEvent *before = NULL;
    vec_each (const StoryEvent, e, &s->events) {
        if (before && page_is_wait(before))
            sum += e->at - before->at;
        before = e;
    }
    return sum;
}

static void
add_facts(Page *p)
{
    const Story *s = p->in->story;
    size_t statements = 0, n = s->migrations.n;
    int64_t forecast = 0;
    bool is_forecast = n > 0;
    vec_each (const StoryMigration, m, &s->migrations) {
        statements += m->statements.n;
        forecast += m->forecast;
        is_forecast = is_forecast && m->forecast >= 0;
    }
    buf_addz(&p->out, "<dl class=\"facts\">\n");
    if (n) {
        size_t undone = story_count(s, STORY_UNDONE);
        add_fact(p, undone ? "Rolled back" : "Migrations applied", true);
        buf_fmt(&p->out, "%zu of %zu", undone ? undone : story_count(s, STORY_DONE), n);
        end_fact(p);
    }
    add_fact(p, "Took", true);
    page_ms(p, s->ms);
    end_fact(p);
    if (is_forecast) {
        add_fact(p, "Forecast for the migrations", true);
        page_ms(p, forecast);
        end_fact(p);
    }
    if (statements) {
        add_fact(p, "Statements", true);
        buf_fmt(&p->out, "%zu", statements);
        end_fact(p);
    }
    int64_t wait = waited(s);
    add_fact(p, "Waited for others", true);
    buf_addz(&p->out, wait ? "" : "not at all");
    if (wait)
        page_ms(p, wait);
    end_fact(p);
    buf_addz(&p->out, "</dl>\n");
}

static void
add_head(Page *p, const char *title)
{
    const Story *s = p->in->story;
    const char *look = s->error ? "bad" : s->is_done ? "ok" : "warn";
    const char *sign = s->error ? "\xe2\x9c\x97" : s->is_done ? "\xe2\x9c\x93" : "!";
    buf_addz(&p->out, "<header>\n<div class=\"top\"><h1>");
    page_text(p, title, false);
    buf_fmt(&p->out, "</h1><span class=\"tag %s\">%s %s</span></div>\n<p class=\"soft\">", look,
            sign, story_outcome(s));
    if (s->began)
        page_text(p, s->began, false);
    if (s->environment) {
        buf_addz(&p->out, " &middot; environment ");
        page_text(p, s->environment, false);
    }
    if (s->server) {
        buf_addz(&p->out, " &middot; ");
        page_text(p, s->server, false);
    }
    buf_addz(&p->out, "</p>\n</header>\n");
    add_facts(p);
}

/* ---- what went wrong ------------------------------------------------------------------------- */

/* Each line by itself: hints are sentences, some of them with a command. */
static void
add_lines(Page *p, const char *text)
{
    ARENA_LOCAL(a);
    for (Str rest = str_of(text), line; rest.p && rest.n;) {
        line = str_trim(str_cut(&rest, '\n'));
        if (!line.n)
            continue;
        buf_addz(&p->out, "<li>");
        page_text(p, str_dup(a, line), false);
        buf_addz(&p->out, "</li>\n");
    }
}

static void
add_state(Page *p)
{
    const Story *s = p->in->story;
    size_t done = story_count(s, STORY_DONE),
           left = s->migrations.n - done - story_count(s, STORY_UNDONE);
    if (!s->migrations.n)
        buf_addz(&p->out, "<p>Nothing was planned yet: the database is as it was.</p>\n");
    else
        buf_fmt(&p->out,
                "<p>%zu of %zu migrations %s applied and recorded; %zu %s not. A migration and its "
                "record commit "
                "together, so neither is there without the other.</p>\n",
                done, s->migrations.n, done == 1 ? "is" : "are", left, left == 1 ? "is" : "are");
}

static void
add_failure(Page *p)
{
    const Story *s = p->in->story;
    if (s->is_done && !s->error)
        return;
    buf_fmt(&p->out, "<section class=\"box %s\" aria-labelledby=\"wrong\">\n<h2 id=\"wrong\">",
            s->error ? "bad" : "warn");
    if (s->error)
        page_text(p, s->error, false);
    else
        buf_addz(&p->out, "The run did not come to its end");
    buf_addz(&p->out, "</h2>\n");
    if (s->error_path) {
        buf_addz(&p->out, "<p><code>");
        page_text(p, s->error_path, false);
        if (s->error_line > 0)
            buf_fmt(&p->out, ":%d", s->error_line);
        buf_addz(&p->out, "</code></p>\n");
    }
    if (s->detail) {
        buf_addz(&p->out, "<pre tabindex=\"0\">");
        page_text(p, s->detail, true);
        buf_addz(&p->out, "</pre>\n");
    }
    if (!s->error)
        buf_addz(
            &p->out,
            "<p>It was killed, or it is still running. What its last line says is the last that is "
            "known of it.</p>\n");
    add_state(p);
    buf_addz(&p->out, "<h3>What to do next</h3>\n<ol>\n");
    if (s->hint)
        add_lines(p, s->hint);
    buf_addz(&p->out, "<li><code>aramid status</code> says where the database stands now.</li>\n"
                      "<li><code>aramid deploy</code> goes on where this run stopped, once the "
                      "cause is gone.</li>\n"
                      "</ol>\n</section>\n");
}

/* ---- the page -------------------------------------------------------------------------------- */

static void
add_jumps(Page *p)
{
    const Story *s = p->in->story;
    bool has_findings = false;
    vec_each (const StoryEvent, e, &s->events)
        has_findings |= e->finding != NULL;
    buf_addz(&p->out, "<nav class=\"jump\" aria-label=\"Parts of this page\">");
    if (has_findings)
        buf_addz(&p->out, "<a href=\"#findings\">Findings</a>");
    if (s->migrations.n)
        buf_addz(&p->out, "<a href=\"#migrations\">Migrations</a><a href=\"#locks\">Locks</a>");
    if (p->in->erd || p->in->no_erd)
        buf_addz(&p->out, "<a href=\"#schema\">Schema</a>");
    buf_addz(&p->out, "<a href=\"#log\">Timeline</a></nav>\n");
}

bool
report_run_page(FILE *out, const RunPage *page)
{
    ARENA_LOCAL(a);
    Page p = {.in = page, .file = out};
    const char *title = title_of(a, page->story);
    const SecretVec *secrets = page->secrets;
    title = url_redact(a, str_of(title), secrets ? secrets->v : NULL, secrets ? secrets->n : 0);
    buf_init(&p.out, a);
    html_begin(&p.out, title, false);
    add_head(&p, title);
    add_jumps(&p);
    add_failure(&p);
    page_findings(&p);
    page_migrations(&p);
    page_locks(&p);
    page_schema(&p);
    page_log(&p);
    buf_addz(&p.out, "<footer>Made by aramid " ARAMID_VERSION);
    if (page->story->run) {
        buf_addz(&p.out, " of run ");
        page_text(&p, page->story->run, false);
    }
    buf_addz(&p.out, ". Times are those of the machine that ran it.</footer>\n");
    html_end(&p.out);
    page_flush(&p);
    return !p.is_lost && fflush(out) == 0;
}
