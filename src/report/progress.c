/* Events of a run on a terminal. */
#include "report/progress.h"

#include "base/clock.h"
#include "report/finding.h"

struct Progress {
    FILE *out;
    Term term;
    bool quiet, verbose;
    bool line_open; /* a line without its end stands on the terminal */
    RunSink also;
    SecretVec secrets;
    ProgressWords words;
    FindingList findings;
    int64_t last_plain_ms; /* of repeated progress off a terminal */
};

enum { PLAIN_EVERY_MS = 10000 };

Progress *
progress_open(Arena *a, FILE *out, const Term *term, bool quiet, bool verbose,
              const SecretVec *secrets, const FindingRules *rules)
{
    Progress *p = arena_new(a, Progress);
    *p = (Progress){.out = out,
                    .term = *term,
                    .quiet = quiet,
                    .verbose = verbose,
                    .secrets = secrets ? *secrets : (SecretVec){0}};
    findings_init(&p->findings, a, rules);
    return p;
}

void
progress_finish(Progress *p)
{
    if (p->line_open)
        fputs("\r\x1b[K", p->out);
    p->line_open = false;
    fflush(p->out);
}

static TermMark
mark_of(const RunEvent *e)
{
    switch (e->level) {
    case RUN_OK:
        return TERM_MARK_OK;
    case RUN_WARN:
        return TERM_MARK_WARN;
    case RUN_ERROR:
        return TERM_MARK_FAIL;
    case RUN_INFO:
        break;
    }
    return TERM_MARK_ARROW;
}

static void
add_sentence(Buf *b, const Term *t, const RunEvent *e)
{
    if (e->finding) {
        finding_text(b, t, e->finding, 0);
        b->n--; /* the line's end comes from who prints it */
        return;
    }
    TermStyle style = e->level == RUN_WARN    ? TERM_YELLOW
                      : e->level == RUN_ERROR ? TERM_RED
                      : e->level == RUN_OK    ? TERM_GREEN
                                              : TERM_DIM;
    term_add(b, t, style, term_mark(t, mark_of(e)));
    buf_addc(b, ' ');
    if (e->index)
        buf_fmt(b, "%d/%d ", e->index, e->total);
    if (e->migration) {
        term_text(b, t, TERM_PLAIN, str_of(e->migration));
        if (e->step)
            buf_fmt(b, " step %d/%d", e->step, e->steps);
        buf_addc(b, ' ');
    }
    if (e->kind == RUN_NOTICE)
        buf_addz(b, "server: ");
    term_text(b, t, TERM_PLAIN, str_of(e->text));
    if (e->ms >= 0 && e->kind != RUN_WAITING) {
        ARENA_LOCAL(a);
        term_add(b, t, TERM_DIM, str_fmt(a, " (%s)", clock_duration(a, e->ms)));
    }
}

/* Events that are only interesting while they last. */
static bool
is_passing(const RunEvent *e)
{
    return e->kind == RUN_PROGRESS || e->kind == RUN_MIGRATION || e->kind == RUN_STEP;
}

static bool
is_wanted(const Progress *p, const RunEvent *e)
{
    if (p->quiet) /* which database was changed is what one looks for afterwards */
        return e->level >= RUN_WARN || (e->kind == RUN_TARGET && e->level == RUN_OK);
    switch (e->kind) {
    case RUN_LOCKED:
        return false;
    case RUN_STATEMENT:
        return p->verbose;
    case RUN_NOTICE:
        return p->verbose || e->level >= RUN_WARN;
    case RUN_MIGRATION:
    case RUN_STEP:
        return p->term.is_tty || p->verbose;
    default:
        return true;
    }
}

static void
show_on_terminal(Progress *p, Arena *a, const RunEvent *e)
{
    Buf b;
    buf_init(&b, a);
    add_sentence(&b, &p->term, e);
    if (p->line_open)
        fputs("\r\x1b[K", p->out);
    if (is_passing(e)) {
        /* One line only, so that it can be taken back. */
        size_t width = p->term.width > 10 ? (size_t)p->term.width - 1 : 79, n = 0, columns = 0;
        Term plain = p->term;
        plain.color = false;
        buf_clear(&b);
        add_sentence(&b, &plain, e);
        while (n < b.n) {
            size_t len;
            size_t c = term_first_columns(str_slice(buf_str(&b), n, b.n), &len);
            if (columns + c > width)
                break;
            columns += c;
            n += len;
        }
        fwrite(b.p, 1, n, p->out);
        p->line_open = true;
    } else {
        buf_addc(&b, '\n');
        fwrite(b.p, 1, b.n, p->out);
        p->line_open = false;
    }
    fflush(p->out);
}

static void
show_plain(Progress *p, Arena *a, const RunEvent *e)
{
    if (e->kind == RUN_PROGRESS) {
        int64_t now = clock_ms();
        if (p->last_plain_ms && now - p->last_plain_ms < PLAIN_EVERY_MS)
            return;
        p->last_plain_ms = now;
    }
    Buf b;
    buf_init(&b, a);
    buf_fmt(&b, "%s ", clock_iso(a, clock_wall_us()));
    add_sentence(&b, &p->term, e);
    buf_addc(&b, '\n');
    fwrite(b.p, 1, b.n, p->out);
}

void
progress_words(Progress *p, ProgressWords words)
{
    p->words = words;
}

static const char *
redacted(const Progress *p, Arena *a, const char *text)
{
    if (text && p->words.change)
        text = p->words.change(p->words.arg, a, text);
    return text ? url_redact(a, str_of(text), p->secrets.v, p->secrets.n) : NULL;
}

static void
on_event(void *arg, const RunEvent *e)
{
    Progress *p = arg;
    if (p->also.event)
        p->also.event(p->also.arg, e);
    if (!is_wanted(p, e))
        return;
    ARENA_LOCAL(a);
    RunEvent shown = *e;
    Finding hidden;
    shown.text = redacted(p, a, e->text);
    if (e->finding) {
        hidden = *e->finding;
        hidden.text = redacted(p, a, hidden.text);
        hidden.note = redacted(p, a, hidden.note);
        hidden.fix = redacted(p, a, hidden.fix);
        shown.finding = &hidden;
    }
    if (p->term.is_tty)
        show_on_terminal(p, a, &shown);
    else
        show_plain(p, a, &shown);
}

static const char *
place(void *arg)
{
    const Progress *p = arg;
    return p->also.place ? p->also.place(p->also.arg) : NULL;
}

RunSink
progress_sink(Progress *p, const RunSink *also)
{
    if (also)
        p->also = *also;
    return (RunSink){.event = on_event, .arg = p, .place = place, .findings = &p->findings};
}
