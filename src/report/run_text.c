/* What all parts of a run's page use. */
#include "report/run_page_int.h"

#include "base/clock.h"
#include "report/html.h"

void
page_text(Page *p, const char *text, bool multiline)
{
    const SecretVec *s = p->in->secrets;
    ARENA_LOCAL(a);
    const char *shown = url_redact(a, str_of(text), s ? s->v : NULL, s ? s->n : 0);
    html_text(&p->out, str_of(shown), multiline);
}

void
page_name(Page *p, const char *name)
{
    ARENA_LOCAL(a);
    for (Str rest = str_of(name), part; rest.p;) {
        part = str_cut(&rest, '_');
        page_text(p, str_dup(a, part), false);
        if (rest.p)
            buf_addz(&p->out, "_<wbr>");
    }
}

void
page_ms(Page *p, int64_t ms)
{
    ARENA_LOCAL(a);
    buf_addz(&p->out, ms < 0 ? "" : clock_duration(a, ms));
}

void
page_flush(Page *p)
{
    p->is_lost |= fwrite(p->out.p, 1, p->out.n, p->file) != p->out.n;
    buf_clear(&p->out);
}

bool
page_is_wait(const StoryEvent *e)
{
    return strcmp(e->event, "blocked") == 0 || strcmp(e->event, "waiting") == 0 ||
           strcmp(e->event, "retry") == 0;
}
