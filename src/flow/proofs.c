#include "flow/proofs.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/jt.h"
#include "flow/review.h"

enum { FILE_MAX = 64 * 1024 * 1024 };

static bool
read_report(Arena *a, const EvidenceInput *in, const char **ret_note, Err *err)
{
    Str text;
    GateTests tests;
    if (!in->file && !in->ok) {
        err_set(err, ERR_USAGE, "what says that the tests have passed?");
        return err_hint(err, "aramid evidence add tests --file junit.xml, or --ok");
    }
    if (!in->file)
        return true;
    if (!fs_read(a, in->file, FILE_MAX, &text, err))
        return false;
    if (!gate_junit(text, &tests)) {
        err_set(err, ERR_NOT_READY, "%s holds no test case", in->file);
        return err_hint(err, "it is read as JUnit's XML: most runners write it (--reporter=junit)");
    }
    if (tests.failed)
        return err_set(err, ERR_NOT_READY, "%d of %d tests have failed, says %s", tests.failed,
                       tests.cases, in->file);
    *ret_note = str_fmt(a, "%s%s%s", str_count(a, tests.cases, "test"),
                        tests.skipped ? str_fmt(a, ", %d skipped", tests.skipped) : "",
                        *ret_note ? str_fmt(a, "; %s", *ret_note) : "");
    return true;
}

/* The proof that `aramid verify-rollback` keeps. */
static bool
read_proof(Arena *a, const Config *c, const History *h, Err *err)
{
    const char *path = fs_join(a, c->project_dir, ".aramid/evidence/verify-rollback.json");
    bool is_there;
    Str text;
    JsonTree root;
    JtError wrong;
    if (!fs_read_if_there(a, path, &is_there, &text, err))
        return false;
    const JsonTree *ok = NULL, *list = NULL;
    if (is_there && jt_parse(a, text, &root, &wrong)) {
        ok = jt_get(&root, "ok");
        list = jt_get(&root, "migrations");
    }
    if (!ok || ok->kind != JT_BOOL || !ok->truth || !list) {
        err_set(err, ERR_NOT_READY, "there is no proof that the migrations lead back");
        return err_hint(err, "aramid verify-rollback --all");
    }
    vec_each (const Migration, m, &h->files) {
        const char *now = m->checksum, *then = NULL;
        if (!m->has_file)
            continue;
        for (size_t i = 0; i < list->n; i++) {
            const char *name = jt_text(&list->items[i], "name");
            if (name && strcmp(name, m->name) == 0)
                then = jt_text(&list->items[i], "checksum");
        }
        if (!then || !now || strcmp(then, now) != 0) {
            err_set(err, ERR_NOT_READY,
                    "the proof that migrations lead back is not about %s as it is", m->name);
            return err_hint(err, "aramid verify-rollback --all");
        }
    }
    return true;
}

static void
add(Arena *a, const EvidenceInput *in, EvidenceResult *ret, GateRecord r)
{
    r.kind = in->kind;
    r.at = clock_iso(a, clock_wall_us());
    gate_record_sign(a, &r, in->base.config->values[CFG_GATE_KEY].text);
    ret->is_signed = r.signature != NULL;
    gate_records_add(a, &ret->records, &r);
    ret->written++;
}

static bool
add_applied(Arena *a, const EvidenceInput *in, const char *by, EvidenceResult *ret, Err *err)
{
    StatusResult status;
    if (!flow_status(a, &in->base, &status, err))
        return false;
    vec_each (const Entry, e, &status.history.entries) {
        const char *checksum;
        if (e->state != ENTRY_APPLIED || e->edited || !e->file || !e->file->has_file)
            continue;
        if (!flow_file_checksum(a, e->file, &checksum, err))
            return false;
        add(a, in, ret,
            (GateRecord){.environment = in->base.config->env_name,
                         .subject = e->name,
                         .checksum = checksum,
                         .by = by,
                         .note = in->note});
    }
    if (ret->written)
        return true;
    err_set(err, ERR_NOT_READY, "nothing is applied in %s", in->base.config->env_name);
    return err_hint(err, "aramid deploy --env %s", in->base.config->env_name);
}

bool
flow_evidence_add(Arena *a, const EvidenceInput *in, EvidenceResult *ret, Err *err)
{
    const Config *c = in->base.config;
    const char *path = c->values[CFG_GATE_EVIDENCE].text, *by = in->by ? in->by : flow_actor(a);
    const char *note = in->note;
    History h;
    *ret = (EvidenceResult){.config = c, .path = fs_below(c->project_dir, path)};
    if (!flow_history(a, c, &h, err) || !flow_records_read(a, c, &ret->records, err) ||
        !flow_folder_checksum(a, &h, &ret->folder, err))
        return false;
    if (in->kind && strcmp(in->kind, "applied") == 0) {
        if (!add_applied(a, in, by, ret, err))
            return false;
    } else if (in->kind) {
        if ((strcmp(in->kind, "tests") == 0 && !read_report(a, in, &note, err)) ||
            (strcmp(in->kind, "rollback") == 0 && !read_proof(a, c, &h, err)))
            return false;
        add(a, in, ret, (GateRecord){.checksum = ret->folder, .by = by, .note = note});
    }
    gate_records_check(a, &ret->records, c->values[CFG_GATE_KEY].text);
    return !ret->written || fs_replace(path, gate_records_text(a, &ret->records), err);
}
