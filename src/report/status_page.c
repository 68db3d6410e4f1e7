/* The state of a history, as a page. */
#include "report/html.h"
#include "report/identity.h"
#include "report/migrations.h"

#include "base/clock.h"

static void
add_fact(Buf *out, const char *name, const char *value, bool is_number)
{
    buf_fmt(out, "<div><dt>%s</dt><dd%s>", name, is_number ? " class=\"num\"" : "");
    html_textz(out, value);
    buf_addz(out, "</dd></div>\n");
}

static const char *
look_of(StatusState state)
{
    return state == STATUS_UP_TO_DATE ? "ok"
           : state == STATUS_PENDING || state == STATUS_RESUMABLE || state == STATUS_OUT_OF_ORDER
               ? "warn"
               : "bad";
}

static const char *
word_of(StatusState state)
{
    static const struct {
        StatusState state;
        const char *word;
    } words[] = {{STATUS_UP_TO_DATE, "\xe2\x9c\x93 up to date"},
                 {STATUS_PENDING, "! pending"},
                 {STATUS_FAILED, "\xe2\x9c\x97 failed"},
                 {STATUS_RESUMABLE, "! interrupted"},
                 {STATUS_EDITED, "\xe2\x9c\x97 edited"},
                 {STATUS_MISSING, "\xe2\x9c\x97 missing"},
                 {STATUS_OUT_OF_ORDER, "! out of order"},
                 {STATUS_UNMANAGED, "\xe2\x9c\x97 no history"}};
    for (size_t i = 0; i < COUNT(words); i++)
        if (words[i].state == state)
            return words[i].word;
    return "";
}

static void
add_entries(Buf *out, const History *h)
{
    Arena *a = out->arena;
    if (!h->entries.n)
        return;
    buf_addz(
        out,
        "<section class=\"card\" aria-labelledby=\"m\">\n<h2 id=\"m\">Migrations, the newest "
        "first</h2>\n"
        "<table class=\"rows\">\n<thead><tr><th scope=\"col\">Name</th><th scope=\"col\">State</th>"
        "<th scope=\"col\">Applied</th><th scope=\"col\" "
        "class=\"num\">Took</th></tr></thead>\n<tbody>\n");
    for (size_t i = h->entries.n; i-- > 0;) {
        const Entry *e = &h->entries.v[i];
        const LedgerRow *row = e->row;
        bool is_good = e->state == ENTRY_APPLIED && !e->edited && e->file;
        bool has_time = row && row->started_us > HISTORY_SOMETIME && row->finished_us;
        buf_addz(out, "<tr><td><b>");
        html_textz(out, e->name);
        buf_fmt(out, "</b></td><td><span class=\"tag %s\">",
                is_good                     ? "ok"
                : e->state == ENTRY_PENDING ? "idle"
                                            : "warn");
        html_textz(out, report_entry_state(e->state));
        buf_fmt(out, "%s%s</span></td><td class=\"soft\">", e->edited ? ", edited" : "",
                e->state == ENTRY_APPLIED && !e->file ? ", file missing" : "");
        html_textz(out, has_time ? clock_iso(a, row->finished_us) : "");
        buf_addz(out, "</td><td class=\"num\">");
        html_textz(out,
                   has_time ? clock_duration(a, (row->finished_us - row->started_us) / 1000) : "");
        buf_addz(out, "</td></tr>\n");
    }
    buf_addz(out, "</tbody>\n</table>\n</section>\n");
}

static void
add_runs(Buf *out, const StatusResult *r)
{
    if (!r->runs.n)
        return;
    buf_addz(
        out,
        "<section class=\"card\" aria-labelledby=\"r\">\n<h2 id=\"r\">Runs, the newest first</h2>\n"
        "<table class=\"rows\">\n<thead><tr><th scope=\"col\">Began</th><th scope=\"col\">What</th>"
        "<th scope=\"col\">Outcome</th><th scope=\"col\">Who</th><th "
        "scope=\"col\">Backup</th></tr></thead>\n<tbody>\n");
    for (size_t i = r->runs.n; i-- > 0;) {
        const RunShown *run = &r->runs.v[i];
        const char *cells[] = {run->started_at, run->verb, run->outcome,
                               run->os_user ? run->os_user : run->db_user, run->backup_id};
        buf_addz(out, "<tr>");
        for (size_t k = 0; k < COUNT(cells); k++) {
            buf_addz(out, "<td>");
            html_textz(out, cells[k] ? cells[k] : "");
            buf_addz(out, "</td>");
        }
        buf_addz(out, "</tr>\n");
    }
    buf_addz(out, "</tbody>\n</table>\n</section>\n");
}

void
report_status_page(Buf *out, const StatusResult *r)
{
    Arena *a = out->arena;
    const History *h = &r->history;
    const char *title = str_fmt(a, "Migrations of %s", r->config->env_name);
    Buf text;
    buf_init(&text, a);
    report_status_text(&text, &(Term){0}, r, false);
    html_begin(out, title, false);
    buf_addz(out, "<header>\n<div class=\"top\"><h1>");
    html_textz(out, title);
    buf_fmt(out, "</h1><span class=\"tag %s\">%s</span></div>\n<p class=\"soft\">",
            look_of(r->state), word_of(r->state));
    html_textz(out, r->target.shown ? r->target.shown : "");
    buf_addz(out, "</p>\n</header>\n<dl class=\"facts\">\n");
    add_fact(out, "Applied", str_fmt(a, "%d", h->applied), true);
    add_fact(out, "Pending", str_fmt(a, "%d", h->pending), true);
    if (h->failed)
        add_fact(out, "Failed", str_fmt(a, "%d", h->failed), true);
    if (r->server)
        add_fact(out, "Server", db_server_text(a, r->server), false);
    if (h->last_applied_us > HISTORY_SOMETIME)
        add_fact(out, "Last applied", clock_iso(a, h->last_applied_us), false);
    buf_addz(out, "</dl>\n<section class=\"card\" aria-labelledby=\"s\">\n<h2 id=\"s\">In "
                  "words</h2>\n<pre class=\"wrap\" tabindex=\"0\">");
    html_text(out, str_trim(buf_str(&text)), true);
    buf_addz(out, "</pre>\n</section>\n");
    add_entries(out, h);
    add_runs(out, r);
    buf_addz(out, "<footer>Made by aramid " ARAMID_VERSION " at ");
    html_textz(out, clock_iso(a, clock_wall_us()));
    buf_addz(out, "</footer>\n");
    html_end(out);
}
