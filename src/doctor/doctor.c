#include "doctor/doctor_int.h"

#include "base/child.h"
#include "sqltext/sqltext.h"

bool
doctor_wants(const Doctor *d, FindingArea area)
{
    return d->areas & 1u << area;
}

static const char *
redacted(Doctor *d, const char *text)
{
    return text ? url_redact(d->arena, str_of(text), NULL, 0) : NULL;
}

Finding *
doctor_add(Doctor *d, FindingId id, Severity severity, const char *object, const char *fix,
           const char *fmt, ...)
{
    FindingArea area = id == FINDING_CHECK_FAILED ? d->now : finding_info(id)->area;
    bool is_on_the_way = area == AREA_REACH && severity == SEV_ERROR;
    if (!doctor_wants(d, area) && !is_on_the_way && id != FINDING_CHECK_FAILED)
        return arena_new(d->arena, Finding);
    va_list ap;
    va_start(ap, fmt);
    const char *text = str_vfmt(d->arena, fmt, ap);
    va_end(ap);
    /* Whatever looks like a password goes here already, whoever prints it. */
    Finding *f = finding_addz(&d->findings, id, severity, redacted(d, text));
    f->area = area;
    f->object = redacted(d, object && object[0] ? object : NULL);
    f->fix = redacted(d, fix);
    return f;
}

/* ---- asking the server ----------------------------------------------------------------------- */

const DbRows *
doctor_ask(Doctor *d, Session *s, const char *what, const char *sql)
{
    if (d->is_over)
        return NULL;
    Buf b;
    Err err;
    DbRowsVec results = {0};
    buf_init(&b, d->arena);
    session_add_prefix(s, &b);
    buf_addz(&b, "SET LOCAL transaction_read_only=on;SET LOCAL jit=off;SET LOCAL DateStyle='ISO';");
    buf_addz(&b, sql);
    if (db_query(s->db, d->arena, buf_str(&b), &results, &err))
        return &results.v[results.n - 1];
    d->is_over = err.code == ERR_INTERRUPTED || !db_is_open(s->db);
    if (err.code != ERR_INTERRUPTED)
        doctor_add(
            d, FINDING_CHECK_FAILED, SEV_WARNING, what,
            err.code == ERR_DENIED ? "ask an administrator: GRANT pg_monitor TO this role" : NULL,
            "could not be looked at: %s%s%s", err.primary, err.detail[0] ? ": " : "", err.detail);
    return NULL;
}

int64_t
doctor_int(const DbRows *r, int row, int col)
{
    long long n = 0;
    str_to_int(db_cell(r, row, col), INT64_MIN, INT64_MAX, &n);
    return n;
}

bool
doctor_true(const DbRows *r, int row, int col)
{
    return str_is(db_cell(r, row, col), "t");
}

bool
doctor_null(const DbRows *r, int row, int col)
{
    return !db_cell(r, row, col).p;
}

const char *
doctor_text(Doctor *d, const DbRows *r, int row, int col)
{
    return str_printable(d->arena, db_cell(r, row, col), false);
}

/* ---- programs ---------------------------------------------------------------------------------
 */

bool
doctor_run(Doctor *d, const char *const *argv, Str *ret_out)
{
    const ChildOptions o = {.argv = argv,
                            .trace = d->config->trace,
                            .out = CHILD_KEEP,
                            .messages = CHILD_NULL,
                            .timeout_ms = ASK_TOOL_MS,
                            .tick = d->tick,
                            .tick_arg = d->tick_arg};
    CHILD_LOCAL c = {0};
    ChildResult r;
    Err ignored;
    if (!child_start(d->arena, &o, &c, &ignored) || !child_finish(&c, &r, &ignored) ||
        r.timed_out || r.status)
        return false;
    *ret_out = r.out;
    return true;
}

const char *
doctor_ident(Doctor *d, const char *schema, const char *name)
{
    Buf b;
    buf_init(&b, d->arena);
    if (schema && schema[0])
        sql_add_name(&b, schema, name);
    else
        sql_add_ident(&b, name);
    return str_printable(d->arena, buf_str(&b), false);
}

/* ---- words ----------------------------------------------------------------------------------- */

const char *
doctor_bytes(Arena *a, int64_t bytes)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    double v = (double)bytes;
    size_t unit = 0;
    while (v >= 1024 && unit + 1 < COUNT(units)) {
        v /= 1024;
        unit++;
    }
    return str_fmt(a, v < 10 && unit ? "%.1f %s" : "%.0f %s", v, units[unit]);
}
