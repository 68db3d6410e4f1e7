/* Diagnostics: findings in the user's text (schema, SQL), which are collected, not thrown.
 *
 * Parsers and validators go on after a problem and add it here; the list is sorted and rid
 * of duplicates before it is shown. Rendering belongs to report/. */
#pragma once

#include "base/str.h"
#include "base/vec.h"

typedef enum Severity {
    SEV_ERROR,
    SEV_WARNING,
    SEV_INFO,
    SEV_COUNT,
} Severity;

/* A source text, as diagnostics refer to it. */
typedef struct Source {
    const char *path; /* as it is shown to the user */
    Str text;
} Source;

typedef struct Diag {
    Severity severity;
    const char *id;       /* stable rule id, static: "relation-missing-opposite" */
    const Source *source; /* NULL = about no file */
    size_t off, len;      /* bytes in source->text */
    const char *message;  /* one sentence, lower case start, no final stop */
    const char *note;     /* or NULL */
    const char *hint;     /* or NULL: what to type */
    unsigned rank;        /* sorted before the place: causes before consequences; mostly 0 */
} Diag;

typedef struct DiagList {
    Arena *arena;
    VEC(Diag) items;
    size_t errors, warnings;
    size_t max; /* 0 = no limit; further errors are counted, not kept */
} DiagList;

void diag_init(DiagList *list, Arena *a);

/* Add a diagnostic; returns it (valid until the next diag_add) so that note and hint can be set. */
__attribute__((format(printf, 7, 8))) Diag *diag_add(DiagList *list, Severity severity,
                                                     const char *id, const Source *source,
                                                     size_t off, size_t len, const char *fmt, ...);

/* Sort by rank, source path, place, severity, id; drop equal ones. */
void diag_sort(DiagList *list);
