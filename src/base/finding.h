/* Findings: what a person should know. There is no second form of it: the schema's validator,
 * doctor, the differ, plans, runs, backups and restores all tell it in this one, and report/ prints
 * it, as text and as JSON, in one place.
 *
 * Ids, severities and explanations stand in base/findings.def; `aramid explain ID` prints them, and
 * aramid.yaml may silence a finding or change its severity (findings: {ID: off}). A finding is no
 * error (base/err.h): whoever finds something goes on. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

typedef enum Severity {
    SEV_OK,     /* looked at, and fine */
    SEV_NOTICE, /* nothing to do, but good to know */
    SEV_WARNING,
    SEV_ERROR,
    SEV_COUNT,
} Severity;

/* "ok", "notice", "warning", "error". */
const char *severity_name(Severity severity);

/* What a finding is about; the first six are the areas of `aramid doctor`. */
typedef enum FindingArea {
    AREA_CONFIG,
    AREA_REACH,
    AREA_SERVER,
    AREA_LEDGERS,
    AREA_TOOLS,
    AREA_IDENTITY,
    AREA_SCHEMA,
    AREA_DRIFT,
    AREA_HISTORY,
    AREA_PLAN,
    AREA_RUN,
    AREA_BACKUP,
    AREA_COMPARISON,
    AREA_PULL,
    AREA_INIT,
    AREA_LINT,
    AREA_COUNT,
} FindingArea;

/* "config", "reach", "server", "ledgers", "tools", "identity", ... */
const char *finding_area_name(FindingArea area);

typedef enum FindingId {
#define FINDING(id, area, name, severity, rule, meaning, help) FINDING_##id,
#include "base/findings.def"
#undef FINDING
    FINDING_COUNT
} FindingId;

/* What settings may do with a finding. What is fine (SEV_OK) always stays as it is. */
typedef enum FindingRule {
    FINDING_RULE_FREE,         /* all */
    FINDING_RULE_KEEPS_ERRORS, /* an error stays one; the rest is free */
    FINDING_RULE_NO_ERROR, /* all but an error: it is known only when something was done already */
    FINDING_RULE_FIXED,    /* nothing */
} FindingRule;

typedef struct FindingInfo {
    const char *name; /* stable: "type-unknown" */
    FindingArea area;
    Severity severity; /* where the place that raises it does not say otherwise */
    FindingRule rule;
    const char *meaning; /* one line, lower case */
    const char *help;    /* when it comes, what to do */
} FindingInfo;

const FindingInfo *finding_info(FindingId id);
FindingId finding_find(Str name); /* FINDING_COUNT = none */

/* "did you mean a, b?" with the names that are like this word, or a word that says where they are
 * listed when none is; for hints. */
const char *finding_nearest(Arena *a, Str word);

/* What aramid.yaml says about findings: for each id what becomes of it. */
enum { FINDING_AS_IS = 0, FINDING_OFF = -1 }; /* or a Severity above SEV_OK */
typedef struct FindingRules {
    signed char to[FINDING_COUNT];
} FindingRules;

/* A source text, as findings refer to it. */
typedef struct Source {
    const char *path; /* as it is shown to the user */
    Str text;
} Source;

typedef struct Finding {
    FindingId id;
    Severity severity;
    FindingArea area;   /* the table's; doctor's where a check failed */
    const char *object; /* what it is about: a table, a migration, a setting; NULL = the whole */
    /* The place: in a text that is at hand, or file and line only. */
    const Source *source; /* NULL = none */
    size_t off, len;      /* bytes in source->text */
    const char *path;     /* without a source; NULL = about no file */
    int line, column;     /* from 1; 0 = not known */
    const char *text;     /* what was found; lower case start, no final stop */
    const char *note;     /* more about it: why, since when; or NULL */
    const char *fix;      /* what to do, with the command to type; NULL = nothing */
    bool is_mild;  /* less than usual, as things are here: rules may silence it, not raise it */
    unsigned rank; /* sorted before the place: causes before consequences; mostly 0 */
} Finding;

typedef struct FindingList {
    Arena *arena;
    const FindingRules *rules; /* NULL = as they are */
    VEC(Finding) items;
    size_t counts[SEV_COUNT]; /* found, also those that were not kept */
    size_t max;               /* 0 = no limit; further ones are counted, not kept */
} FindingList;

/* rules may be NULL; they are kept. */
void findings_init(FindingList *list, Arena *a, const FindingRules *rules);

/* Add a finding, with the severity of the table or (addz) another one, judged by the rules. Returns
 * it, so that place, note and fix can be set; what is silenced or over the limit is returned too,
 * and not kept. Valid until the next one is added. */
__attribute__((format(printf, 3, 4))) Finding *finding_add(FindingList *list, FindingId id,
                                                           const char *fmt, ...);
Finding *finding_addz(FindingList *list, FindingId id, Severity severity, const char *text);

/* Judge a list that was made without rules by these: some go, others change; both are kept. */
void findings_apply(FindingList *list, const FindingRules *rules);

/* Sort by rank, source path, place, severity, name; drop equal ones. */
void findings_sort(FindingList *list);

/* Keep a finding that was made elsewhere, with copies of its texts, judged by the list's rules (again
 * by other rules, where it was judged before). NULL = it is silenced. */
const Finding *finding_keep(FindingList *list, const Finding *f);

/* For what must not go on where the settings made errors of what was found: false with the first of
 * them. errors: ERR_FINDING */
MUST_CHECK bool findings_pass(const FindingList *list, Err *err);
