#include "flow/lint_baseline.h"

#include "base/jt.h"

#include <string.h>

/* How often a rule is found in a migration. */
static size_t
found(const LintResult *r, const char *migration, FindingId rule)
{
    size_t n = 0;
    vec_each (const Finding, f, &r->findings.items)
        n += f->id == rule && f->severity > SEV_NOTICE && strcmp(f->object, migration) == 0;
    return n;
}

Str
lint_baseline_text(Arena *a, const LintResult *r)
{
    JsonWriter w;
    jw_init(&w, a, true);
    jw_object(&w, NULL);
    jw_strz(&w, "format", "aramid baseline 1");
    jw_array(&w, "migrations");
    vec_each (const Migration, m, &r->history.files) {
        bool begun = false;
        for (int id = 0; id < FINDING_COUNT; id++) {
            size_t n = finding_info((FindingId)id)->area == AREA_LINT
                           ? found(r, m->name, (FindingId)id)
                           : 0;
            if (!n)
                continue;
            if (!begun) {
                jw_object(&w, NULL);
                jw_strz(&w, "name", m->name);
                jw_strz(&w, "checksum", m->checksum);
                jw_object(&w, "rules");
            }
            begun = true;
            jw_int(&w, finding_info((FindingId)id)->name, (int64_t)n);
        }
        if (begun) {
            jw_end(&w);
            jw_end(&w);
        }
    }
    jw_end(&w);
    jw_end(&w);
    buf_addc(&w.out, '\n');
    return buf_str(&w.out);
}

/* ---- reading ------------------------------------------------------------------------------------- */

typedef struct Known {
    const Migration *migration; /* NULL = it is gone */
    const char *name;
    FindingId rule; /* FINDING_COUNT = there is none of that name any more */
    const char *rule_name;
    size_t n;
    bool is_edited, counts;
} Known;
typedef VEC(Known) Entries;

static const Migration *
migration_of(const LintResult *r, const char *name)
{
    vec_each (const Migration, m, &r->history.files)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

static bool
was_judged(const LintResult *r, const Migration *m)
{
    vec_each (const LintedStatement, s, &r->statements)
        if (s->migration == m)
            return true;
    return false;
}

static bool
take(Arena *a, const LintResult *r, const JsonTree *in, Entries *ret)
{
    const char *name = jt_text(in, "name"), *checksum = jt_text(in, "checksum");
    const JsonTree *rules = jt_get(in, "rules");
    if (!name || !rules || rules->kind != JT_OBJECT)
        return false;
    const Migration *m = migration_of(r, name);
    for (size_t i = 0; i < rules->n; i++) {
        double n = rules->items[i].kind == JT_NUMBER ? rules->items[i].number : 0;
        *vec_add(a, ret) =
            (Known){.migration = m,
                    .name = name,
                    .rule = finding_find(rules->keys[i]),
                    .rule_name = rules->keys[i].p,
                    .n = n > 0 && n < 1e9 ? (size_t)n : 0,
                    .is_edited = m && checksum && m->checksum && strcmp(checksum, m->checksum)};
    }
    return true;
}

/* What becomes of an entry, and what is to be told of it. */
static const char *
judge(Arena *a, const LintResult *r, Known *e)
{
    if (!e->migration)
        return "the migration is gone";
    if (e->rule == FINDING_COUNT)
        return "there is no such rule";
    if (!was_judged(r, e->migration))
        return NULL;
    if (e->is_edited)
        return "the migration was edited since: what is found in it is told";
    size_t n = found(r, e->name, e->rule);
    if (n > e->n)
        return str_fmt(a, "it says %zu, and %zu were found: all are told", e->n, n);
    e->counts = true;
    return n < e->n
               ? str_fmt(a, "it says %zu, and %s", e->n, n ? "fewer were found" : "none was found")
               : NULL;
}

static bool
is_known(const Entries *list, const Finding *f)
{
    vec_each (const Known, e, list)
        if (e->counts && e->rule == f->id && f->severity > SEV_NOTICE &&
            strcmp(e->name, f->object) == 0)
            return true;
    return false;
}

static bool
not_ours(const char *shown, int line, const char *why, Err *err)
{
    err_set(err, ERR_CONFIG, "%s is no baseline: %s", shown, why);
    err_at(err, shown, line, 0);
    return err_hint(err, "to write it anew: aramid lint --write-baseline");
}

bool
lint_baseline_apply(Arena *a, const char *shown, Str text, LintResult *r, Err *err)
{
    JsonTree root;
    JtError wrong;
    Entries list = {0};
    FindingList kept, stale;
    if (!jt_parse(a, text, &root, &wrong))
        return not_ours(shown, wrong.line, wrong.why, err);
    const char *format = jt_text(&root, "format");
    const JsonTree *all = jt_get(&root, "migrations");
    if (!format || strcmp(format, "aramid baseline 1") != 0 || !all || all->kind != JT_ARRAY)
        return not_ours(shown, 1, "\"format\" or \"migrations\" is not as expected", err);
    for (size_t i = 0; i < all->n; i++)
        if (!take(a, r, &all->items[i], &list))
            return not_ours(shown, 1, str_fmt(a, "entry number %zu cannot be read", i + 1), err);
    findings_init(&stale, a, NULL);
    vec_each (Known, e, &list) {
        const char *why = judge(a, r, e);
        if (!why)
            continue;
        Finding *f =
            finding_add(&stale, FINDING_LINT_BASELINE, "%s of %s: %s", e->rule_name, e->name, why);
        f->object = e->name;
        f->path = shown;
        f->line = 1;
        f->fix = "aramid lint --write-baseline";
    }
    findings_init(&kept, a, r->findings.rules);
    vec_each (const Finding, f, &r->findings.items) {
        if (is_known(&list, f))
            r->known++;
        else
            finding_keep(&kept, f);
    }
    vec_each (const Finding, f, &stale.items)
        finding_keep(&kept, f);
    r->findings = kept;
    r->baseline = shown;
    return true;
}
