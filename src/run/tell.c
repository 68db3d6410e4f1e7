/* Telling what happens: events for the sink. */
#include "run/run_int.h"

const char *
run_event_name(RunEventKind kind)
{
    static const char *const names[] = {
        "connected", "waiting",   "locked",  "target",    "planned", "migration",
        "step",      "step-done", "applied", "statement", "checked", "progress",
        "blocked",   "stall",     "retry",   "repaired",  "stage",   "output",
        "finding",   "notice",    "backup",  "verified",  "failed"};
    return names[kind];
}

const char *
run_noun(const Run *r)
{
    const Session *s = &r->session;
    return s->ledgers.n && s->ledgers.v[0].layout->is_beside ? "script" : "migration";
}

void
run_finding(const RunSink *sink, const Finding *f)
{
    static const RunLevel levels[SEV_COUNT] = {RUN_OK, RUN_INFO, RUN_WARN, RUN_ERROR};
    ARENA_LOCAL(a);
    FindingList none;
    findings_init(&none, a, NULL);
    const Finding *told = finding_keep(sink->findings ? sink->findings : &none, f);
    if (!told || !sink->event)
        return;
    sink->event(sink->arg, &(RunEvent){.kind = RUN_FINDING,
                                       .level = levels[told->severity],
                                       .ms = -1,
                                       .text = str_printable(a, str_of(told->text), false),
                                       .finding = told});
}

void
run_find(const RunSink *sink, FindingId id, const char *object, const char *fix, const char *fmt,
         ...)
{
    ARENA_LOCAL(a);
    va_list ap;
    va_start(ap, fmt);
    run_finding(sink, &(Finding){.id = id,
                                 .severity = finding_info(id)->severity,
                                 .area = finding_info(id)->area,
                                 .object = object,
                                 .text = str_vfmt(a, fmt, ap),
                                 .fix = fix});
    va_end(ap);
}

bool
run_findings_pass(const RunSink *sink, Err *err)
{
    return !sink->findings || findings_pass(sink->findings, err);
}

void
run_tell(Run *r, RunEvent e)
{
    r->deploy->sink.event(r->deploy->sink.arg, &e);
}

void
run_emit(Run *r, RunEventKind kind, RunLevel level, const char *migration, const char *fmt, ...)
{
    ARENA_LOCAL(a);
    va_list ap;
    va_start(ap, fmt);
    run_tell(r, (RunEvent){.kind = kind,
                           .level = level,
                           .migration = migration,
                           .index = r->number,
                           .total = r->total,
                           .ms = -1,
                           .text = str_printable(a, str_of(str_vfmt(a, fmt, ap)), false)});
    va_end(ap);
}

void
run_emit_step(Run *r, RunEventKind kind, const MigrationPlan *mp, size_t step, int64_t ms)
{
    ARENA_LOCAL(a);
    const Step *s = &mp->steps.v[step];
    const char *text =
        s->only ? str_fmt(a, "%s%s%s", s->only->tag, s->why ? ": " : "", s->why ? s->why : "")
                : str_fmt(a, "statements %zu to %zu in one transaction", s->first + 1,
                          s->first + s->count);
    run_tell(r, (RunEvent){.kind = kind,
                           .level = RUN_INFO,
                           .migration = mp->migration->name,
                           .index = r->number,
                           .total = r->total,
                           .step = (int)step + 1,
                           .steps = (int)mp->steps.n,
                           .ms = ms,
                           .text = text});
}
