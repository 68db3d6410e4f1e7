#include "report/verify_rollback.h"

void
report_verify_rollback_text(Buf *out, const Term *t, const VerifyRollbackResult *r)
{
    Arena *a = out->arena;
    size_t good = 0;
    vec_each (const RollbackProof, p, &r->proofs) {
        bool ok = p->state == PROOF_LEADS_BACK;
        good += ok;
        term_add(out, t,
                 ok                               ? TERM_GREEN
                 : p->state == PROOF_IRREVERSIBLE ? TERM_YELLOW
                                                  : TERM_RED,
                 term_mark(t, ok ? TERM_MARK_OK : TERM_MARK_FAIL));
        buf_fmt(out, " %s: %s, %s", str_printable(a, str_of(p->name), false),
                proof_state_name(p->state),
                p->path ? str_printable(a, str_of(p->path), false) : "derived");
        if (p->is_seeded)
            buf_addz(out, ", with rows");
        if (p->losses)
            buf_fmt(out, ", loses data in %d place%s", p->losses, str_plural(p->losses));
        if (p->rest)
            buf_fmt(out, ", %d statement%s on rows not undone", p->rest, str_plural(p->rest));
        buf_addc(out, '\n');
        if (p->why)
            buf_fmt(out, "    %s\n", str_printable(a, str_of(p->why), true));
    }
    if (r->unseeded)
        buf_fmt(out, "Not all were tried on rows: %s\n",
                str_printable(a, str_of(r->unseeded), false));
    if (!r->proofs.n)
        buf_addz(out, "Nothing to try: no migration is pending; --all tries all of them.\n");
    else
        buf_fmt(out, "\n%zu of %zu lead back (PostgreSQL %d).\n", good, r->proofs.n, r->major);
}

void
report_verify_rollback_json(JsonWriter *w, const VerifyRollbackResult *r, const char *at)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "verify-rollback");
    jw_bool(w, "ok", !r->wrong);
    jw_strz(w, "at", at);
    jw_int(w, "serverMajor", r->major);
    jw_int(w, "wrong", (int64_t)r->wrong);
    jw_strz(w, "notSeeded", r->unseeded);
    jw_array(w, "migrations");
    vec_each (const RollbackProof, p, &r->proofs) {
        jw_object(w, NULL);
        jw_strz(w, "name", p->name);
        jw_strz(w, "checksum", p->checksum);
        jw_strz(w, "state", proof_state_name(p->state));
        jw_strz(w, "path", p->path);
        jw_strz(w, "why", p->why);
        jw_bool(w, "seeded", p->is_seeded);
        jw_int(w, "losses", p->losses);
        jw_int(w, "notRestored", p->rest);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}
