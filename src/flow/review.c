#include "flow/review.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "flow/git.h"
#include "flow/rollback.h"

#include <string.h>

bool
flow_reviews_read(Arena *a, const Config *c, GateReviews *ret, Err *err)
{
    const char *path = c->values[CFG_REVIEWS].text;
    bool is_there;
    Str text;
    *ret = (GateReviews){0};
    if (!fs_read_if_there(a, path, &is_there, &text, err))
        return false;
    return !is_there || gate_reviews_read(a, fs_below(c->project_dir, path), text, ret, err);
}

bool
flow_file_checksum(Arena *a, const Migration *m, const char **ret, Err *err)
{
    ARENA_LOCAL(scratch);
    Str text;
    if (!migration_text(scratch, m, &text, err))
        return false;
    *ret = hash_sha256_hex(a, text);
    return true;
}

static bool
is_named(const ReviewInput *in, const char *name)
{
    for (size_t i = 0; i < in->nnames; i++)
        if (strcmp(in->names[i], name) == 0)
            return true;
    return false;
}

static bool
check_names(const ReviewInput *in, const History *h, Err *err)
{
    for (size_t i = 0; i < in->nnames; i++) {
        bool found = false;
        vec_each (const Migration, m, &h->files)
            found = found || (m->has_file && strcmp(m->name, in->names[i]) == 0);
        if (!found)
            return flow_no_such_migration(in->names[i], h, err);
    }
    return true;
}

static const GateReview *
record_of(const GateReviews *list, const char *name)
{
    vec_each (const GateReview, r, list)
        if (strcmp(r->name, name) == 0)
            return r;
    return NULL;
}

bool
flow_review(Arena *a, const ReviewInput *in, ReviewResult *ret, Err *err)
{
    const Config *c = in->base.config;
    History h;
    GateReviews list;
    const char *by = in->by ? in->by : git_user(a), *path = c->values[CFG_REVIEWS].text;
    *ret = (ReviewResult){.path = fs_below(c->project_dir, path)};
    if (!flow_history(a, c, &h, err) || !check_names(in, &h, err) ||
        !flow_reviews_read(a, c, &list, err))
        return false;
    if (in->nnames && !by) {
        err_set(err, ERR_USAGE, "git does not know who you are");
        return err_hint(err, "say it: aramid review --by NAME, or git config user.name");
    }
    const char *now = clock_iso(a, clock_wall_us());
    vec_each (const Migration, m, &h.files) {
        const char *checksum;
        bool is_new = is_named(in, m->name);
        if (!m->has_file)
            continue;
        if (!flow_file_checksum(a, m, &checksum, err))
            return false;
        if (is_new)
            gate_reviews_add(a, &list, &(GateReview){m->name, checksum, by, now});
        ret->written += is_new;
        *vec_add(a, &ret->migrations) =
            (ReviewShown){.name = m->name,
                          .missing = gate_review_missing(a, &list, m->name, checksum),
                          .is_new = is_new};
    }
    vec_each (ReviewShown, s, &ret->migrations)
        s->record = record_of(&list, s->name);
    return !ret->written || fs_replace(path, gate_reviews_text(a, &list), err);
}

bool
flow_find_unreviewed(Arena *a, const Config *c, const History *h, FindingList *ret, Err *err)
{
    GateReviews list;
    if (strcmp(c->values[CFG_REVIEW].text, "required") != 0)
        return true;
    if (!flow_reviews_read(a, c, &list, err))
        return false;
    vec_each (const Entry, e, &h->entries) {
        const char *checksum;
        if (e->state == ENTRY_APPLIED || !e->file || !e->file->has_file)
            continue;
        if (!flow_file_checksum(a, e->file, &checksum, err))
            return false;
        const char *missing = gate_review_missing(a, &list, e->name, checksum);
        if (!missing)
            continue;
        Finding *f = finding_add(ret, FINDING_REVIEW_MISSING, "%s", missing);
        f->object = e->name;
        f->path = e->file->path;
        f->fix = str_fmt(a, "whoever has read it: aramid review %s", str_shell(a, e->name));
    }
    return true;
}
