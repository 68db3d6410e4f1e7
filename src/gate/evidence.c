#include "gate/evidence.h"

#include "base/hash.h"
#include "base/jt.h"
#include "base/jw.h"

static const char FORMAT[] = "aramid evidence 1";

static bool
not_ours(const char *shown, int line, const char *why, Err *err)
{
    err_set(err, ERR_CONFIG, "%s is no file of evidence: %s", shown, why);
    err_at(err, shown, line, 0);
    return err_hint(err,
                    "take it from git again, or remove it: aramid evidence add writes a new one");
}

bool
gate_records_read(Arena *a, const char *shown, Str text, GateRecords *ret, Err *err)
{
    JsonTree root;
    JtError wrong;
    *ret = (GateRecords){0};
    if (!jt_parse(a, text, &root, &wrong))
        return not_ours(shown, wrong.line, wrong.why, err);
    const char *format = jt_text(&root, "format");
    const JsonTree *all = jt_get(&root, "records");
    if (!format || strcmp(format, FORMAT) != 0 || !all || all->kind != JT_ARRAY)
        return not_ours(shown, 1, "\"format\" or \"records\" is not as expected", err);
    for (size_t i = 0; i < all->n; i++) {
        const JsonTree *one = &all->items[i];
        const GateRecord r = {.kind = jt_text(one, "kind"),
                              .environment = jt_text(one, "environment"),
                              .subject = jt_text(one, "migration"),
                              .checksum = jt_text(one, "checksum"),
                              .by = jt_text(one, "by"),
                              .at = jt_text(one, "at"),
                              .note = jt_text(one, "note"),
                              .signature = jt_text(one, "signature")};
        if (!r.kind || !r.checksum || !r.by || !r.at)
            return not_ours(shown, 1, str_fmt(a, "record number %zu cannot be read", i + 1), err);
        *vec_add(a, ret) = r;
    }
    return true;
}

Str
gate_records_text(Arena *a, const GateRecords *list)
{
    JsonWriter w;
    jw_init(&w, a, true);
    jw_object(&w, NULL);
    jw_strz(&w, "format", FORMAT);
    jw_array(&w, "records");
    vec_each (const GateRecord, r, list) {
        jw_object(&w, NULL);
        jw_strz(&w, "kind", r->kind);
        jw_strz(&w, "environment", r->environment);
        jw_strz(&w, "migration", r->subject);
        jw_strz(&w, "checksum", r->checksum);
        jw_strz(&w, "by", r->by);
        jw_strz(&w, "at", r->at);
        jw_strz(&w, "note", r->note);
        jw_strz(&w, "signature", r->signature);
        jw_end(&w);
    }
    jw_end(&w);
    jw_end(&w);
    buf_addc(&w.out, '\n');
    return buf_str(&w.out);
}

/* Each field with its length before it, so that no two records sign as one text. */
static Str
signed_text(Arena *a, const GateRecord *r)
{
    const char *fields[] = {FORMAT,      r->kind, r->environment, r->subject,
                            r->checksum, r->by,   r->at,          r->note};
    Buf b;
    buf_init(&b, a);
    for (size_t i = 0; i < COUNT(fields); i++) {
        if (fields[i])
            buf_fmt(&b, "%zu:%s,", strlen(fields[i]), fields[i]);
        else
            buf_addz(&b, "-,");
    }
    return buf_str(&b);
}

void
gate_record_sign(Arena *a, GateRecord *r, const char *key)
{
    r->signature = key ? hash_hmac_hex(a, str_of(key), signed_text(a, r)) : NULL;
}

void
gate_records_check(Arena *a, GateRecords *list, const char *key)
{
    vec_each (GateRecord, r, list) {
        const char *right = key ? hash_hmac_hex(a, str_of(key), signed_text(a, r)) : NULL;
        r->counts = !key || (r->signature && strcmp(r->signature, right) == 0);
    }
}

static bool
same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

void
gate_records_add(Arena *a, GateRecords *list, const GateRecord *r)
{
    vec_each (GateRecord, old, list)
        if (same(old->kind, r->kind) && same(old->environment, r->environment) &&
            same(old->subject, r->subject) && same(old->by, r->by)) {
            *old = *r;
            return;
        }
    *vec_add(a, list) = *r;
}
