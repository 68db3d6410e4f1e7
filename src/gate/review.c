#include "gate/review.h"

#include "base/jt.h"
#include "base/jw.h"

#include <string.h>

static bool
not_ours(const char *shown, int line, const char *why, Err *err)
{
    err_set(err, ERR_CONFIG, "%s is no file of reviews: %s", shown, why);
    err_at(err, shown, line, 0);
    return err_hint(err,
                    "take it from git again, or remove it: aramid review NAME writes a new one");
}

bool
gate_reviews_read(Arena *a, const char *shown, Str text, GateReviews *ret, Err *err)
{
    JsonTree root;
    JtError wrong;
    *ret = (GateReviews){0};
    if (!jt_parse(a, text, &root, &wrong))
        return not_ours(shown, wrong.line, wrong.why, err);
    const char *format = jt_text(&root, "format");
    const JsonTree *all = jt_get(&root, "reviews");
    if (!format || strcmp(format, "aramid reviews 1") != 0 || !all || all->kind != JT_ARRAY)
        return not_ours(shown, 1, "\"format\" or \"reviews\" is not as expected", err);
    for (size_t i = 0; i < all->n; i++) {
        const JsonTree *one = &all->items[i];
        const GateReview r = {jt_text(one, "migration"), jt_text(one, "checksum"),
                              jt_text(one, "by"), jt_text(one, "at")};
        if (!r.name || !r.checksum || !r.by || !r.at)
            return not_ours(shown, 1, str_fmt(a, "record number %zu cannot be read", i + 1), err);
        *vec_add(a, ret) = r;
    }
    return true;
}

Str
gate_reviews_text(Arena *a, const GateReviews *list)
{
    JsonWriter w;
    jw_init(&w, a, true);
    jw_object(&w, NULL);
    jw_strz(&w, "format", "aramid reviews 1");
    jw_array(&w, "reviews");
    vec_each (const GateReview, r, list) {
        jw_object(&w, NULL);
        jw_strz(&w, "migration", r->name);
        jw_strz(&w, "checksum", r->checksum);
        jw_strz(&w, "by", r->by);
        jw_strz(&w, "at", r->at);
        jw_end(&w);
    }
    jw_end(&w);
    jw_end(&w);
    buf_addc(&w.out, '\n');
    return buf_str(&w.out);
}

void
gate_reviews_add(Arena *a, GateReviews *list, const GateReview *review)
{
    vec_each (GateReview, r, list)
        if (strcmp(r->name, review->name) == 0) {
            *r = *review;
            return;
        }
    *vec_add(a, list) = *review;
}

const char *
gate_review_missing(Arena *a, const GateReviews *list, const char *name, const char *checksum)
{
    vec_each (const GateReview, r, list) {
        if (strcmp(r->name, name) != 0)
            continue;
        if (strcmp(r->checksum, checksum) == 0)
            return NULL;
        return str_fmt(a, "it was edited since %s reviewed it at %s",
                       str_printable(a, str_of(r->by), false),
                       str_printable(a, str_of(r->at), false));
    }
    return "nobody has reviewed it";
}
