/* What restack renamed. */
#include "report/restack.h"

void
report_restack_text(Buf *out, const Term *t, const RestackResult *r, bool done)
{
    Arena *a = out->arena;
    const char *where = r->ref ? str_printable(a, str_of(r->ref), false) : r->database;
    if (!r->moves.n) {
        term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
        buf_fmt(out, " Nothing to do: no migration of this branch comes before one of %s.\n",
                where);
        return;
    }
    buf_fmt(out, "\"%s\" arrived earlier (%s).\n", str_printable(a, str_of(r->newest), false),
            where);
    vec_each (const RestackMove, m, &r->moves) {
        term_text(out, t, TERM_PLAIN, str_of(str_fmt(a, "  %s -> %s", m->from, m->to)));
        buf_addc(out, '\n');
    }
    if (done)
        buf_addz(out, "Renamed. Look whether they still run behind it: aramid check\n");
}

void
report_restack_json(JsonWriter *w, const RestackResult *r, bool done)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "restack");
    jw_bool(w, "ok", done || !r->moves.n);
    jw_strz(w, "ref", r->ref);
    jw_strz(w, "database", r->database);
    jw_strz(w, "newest", r->newest);
    jw_bool(w, "renamed", done && r->moves.n);
    jw_array(w, "moves");
    vec_each (const RestackMove, m, &r->moves) {
        jw_object(w, NULL);
        jw_strz(w, "from", m->from);
        jw_strz(w, "to", m->to);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}
