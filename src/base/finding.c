/* A list of what a person should know: added, judged, sorted, without doubles. */
#include "base/finding.h"

#include <stdlib.h>

static const FindingInfo table[] = {
#define FINDING(id, area, name, severity, rule, meaning, help)                                     \
    [FINDING_##id] = {name, AREA_##area, SEV_##severity, FINDING_RULE_##rule, meaning, help},
#include "base/findings.def"
#undef FINDING
};

const char *
severity_name(Severity severity)
{
    static const char *const names[SEV_COUNT] = {"ok", "notice", "warning", "error"};
    return names[severity];
}

const char *
finding_area_name(FindingArea area)
{
    static const char *const names[AREA_COUNT] = {
        [AREA_CONFIG] = "config",
        [AREA_REACH] = "reach",
        [AREA_SERVER] = "server",
        [AREA_LEDGERS] = "ledgers",
        [AREA_TOOLS] = "tools",
        [AREA_IDENTITY] = "identity",
        [AREA_SCHEMA] = "schema",
        [AREA_DRIFT] = "drift",
        [AREA_HISTORY] = "history",
        [AREA_PLAN] = "plan",
        [AREA_RUN] = "run",
        [AREA_BACKUP] = "backup",
        [AREA_COMPARISON] = "comparison",
        [AREA_PULL] = "pull",
        [AREA_INIT] = "init",
        [AREA_LINT] = "lint",
    };
    return names[area];
}

const FindingInfo *
finding_info(FindingId id)
{
    return &table[id];
}

FindingId
finding_find(Str name)
{
    int id = 0;
    while (id < FINDING_COUNT && !str_is(name, table[id].name))
        id++;
    return (FindingId)id;
}

const char *
finding_nearest(Arena *a, Str word)
{
    enum { SHOWN = 5 };
    size_t best = word.n < 4 ? 1 : word.n / 3 + 1, found = 0;
    Buf b;
    buf_init(&b, a);
    for (int id = 0; id < FINDING_COUNT; id++)
        best = str_distance(word, str_of(table[id].name), best) < best
                   ? str_distance(word, str_of(table[id].name), best)
                   : best;
    for (int id = 0; id < FINDING_COUNT && found < SHOWN; id++) {
        bool is_part = word.n > 3 && str_contains(str_of(table[id].name), word);
        if (is_part || str_distance(word, str_of(table[id].name), best) <= best)
            buf_fmt(&b, "%s%s", found++ ? ", " : "", table[id].name);
    }
    return found ? str_fmt(a, "did you mean %s?", b.p) : "none has a name like this";
}

/* The severity that the rules make of one; false = it is silenced. */
static bool
judge(const FindingRules *rules, FindingId id, bool is_mild, Severity *severity)
{
    int to = rules ? rules->to[id] : FINDING_AS_IS;
    FindingRule rule = table[id].rule;
    bool is_kept =
        rule == FINDING_RULE_FIXED || (rule == FINDING_RULE_KEEPS_ERRORS && *severity == SEV_ERROR);
    if (to == FINDING_AS_IS || *severity == SEV_OK || is_kept)
        return true;
    if (to == FINDING_OFF)
        return false;
    if (is_mild && to > (int)*severity)
        return true;
    *severity = to == SEV_ERROR && rule == FINDING_RULE_NO_ERROR ? SEV_WARNING : (Severity)to;
    return true;
}

void
findings_init(FindingList *list, Arena *a, const FindingRules *rules)
{
    *list = (FindingList){.arena = a, .rules = rules};
}

static Finding *
add(FindingList *list, FindingId id, Severity severity, bool is_mild, const char *text)
{
    bool is_told = judge(list->rules, id, is_mild, &severity);
    if (is_told)
        list->counts[severity]++;
    Finding *f = is_told && (!list->max || list->items.n < list->max)
                     ? vec_add(list->arena, &list->items)
                     : arena_new(list->arena, Finding);
    *f = (Finding){.id = id, .severity = severity, .area = table[id].area, .text = text};
    return f;
}

Finding *
finding_addz(FindingList *list, FindingId id, Severity severity, const char *text)
{
    return add(list, id, severity, false, text);
}

Finding *
finding_add(FindingList *list, FindingId id, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = str_vfmt(list->arena, fmt, ap);
    va_end(ap);
    return finding_addz(list, id, table[id].severity, text);
}

static const char *
copied(Arena *a, const char *text)
{
    return text ? str_dupz(a, text) : NULL;
}

const Finding *
finding_keep(FindingList *list, const Finding *f)
{
    Severity severity = f->severity;
    if (!judge(list->rules, f->id, f->is_mild, &severity))
        return NULL;
    Arena *a = list->arena;
    Finding *kept = add(list, f->id, severity, f->is_mild, NULL);
    *kept = *f;
    kept->severity = severity;
    kept->object = copied(a, f->object);
    kept->path = copied(a, f->path);
    kept->text = copied(a, f->text);
    kept->note = copied(a, f->note);
    kept->fix = copied(a, f->fix);
    return kept;
}

bool
findings_pass(const FindingList *list, Err *err)
{
    size_t n = list->counts[SEV_ERROR];
    if (!n)
        return true;
    const Finding *first = NULL;
    bool by_settings = false;
    vec_each (const Finding, f, &list->items)
        by_settings =
            by_settings || (f->severity == SEV_ERROR && table[f->id].severity != SEV_ERROR);
    err_set(err, ERR_FINDING, "%zu finding%s that %s", n, str_plural(n),
            by_settings ? "the settings make an error of" : "must not be passed over");
    vec_each (const Finding, f, &list->items) {
        if (f->severity != SEV_ERROR)
            continue;
        first = first ? first : f;
        err_detail(err, "%s%s%s [%s]", f->object ? f->object : "", f->object ? ": " : "", f->text,
                   table[f->id].name);
    }
    return err_hint(err,
                    "what it is: aramid explain %s; what becomes of it: findings in aramid.yaml",
                    first ? table[first->id].name : "");
}

void
findings_apply(FindingList *list, const FindingRules *rules)
{
    size_t kept = 0;
    list->rules = rules;
    for (size_t i = 0; i < list->items.n; i++) {
        Finding f = list->items.v[i];
        list->counts[f.severity]--;
        if (!judge(rules, f.id, f.is_mild, &f.severity))
            continue;
        list->counts[f.severity]++;
        list->items.v[kept++] = f;
    }
    list->items.n = kept;
}

static int
compare(const void *pa, const void *pb)
{
    const Finding *a = pa, *b = pb;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->source != b->source) {
        int c = strcmp(a->source ? a->source->path : "", b->source ? b->source->path : "");
        if (c)
            return c;
    }
    if (a->off != b->off)
        return a->off < b->off ? -1 : 1;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    int c = strcmp(table[a->id].name, table[b->id].name);
    c = c ? c : strcmp(a->object ? a->object : "", b->object ? b->object : "");
    c = c ? c : strcmp(a->path ? a->path : "", b->path ? b->path : "");
    return c ? c : strcmp(a->text, b->text);
}

void
findings_sort(FindingList *list)
{
    size_t n = list->items.n, kept = 0;
    if (n == 0)
        return;
    qsort(list->items.v, n, sizeof(Finding), compare);
    for (size_t i = 0; i < n; i++) {
        const Finding *f = &list->items.v[i];
        if (kept && compare(&list->items.v[kept - 1], f) == 0) {
            list->counts[f->severity]--;
            continue;
        }
        list->items.v[kept++] = *f;
    }
    list->items.n = kept;
}
