/* What the catalog says about migrations: whether their effect is in the database. */
#pragma once

#include "flow/drift.h"

typedef enum Verdict {
    VERDICT_APPLIED,     /* all that it changes is there */
    VERDICT_NOT_APPLIED, /* nothing of it */
    VERDICT_PARTLY,      /* some of it, or something else in its place */
    VERDICT_UNTOLD,      /* the catalog cannot tell */
} Verdict;

typedef VEC(const Migration *) MigrationRefs;

typedef struct Evidence {
    Verdict verdict;
    const char *why;         /* one sentence */
    CatTexts there, missing; /* of its effect, a text for each: create table "public"."a" */
    CatTexts other;          /* neither as before it nor as behind it */
    size_t rows;    /* statements that change rows, or may: no catalog shows whether they ran */
    bool is_parted; /* the files are not one transaction each: a part of one may have stayed */
} Evidence;

/* "applied", "not-applied", "partly", "untold". */
const char *verdict_name(Verdict v);

/* Compare the live catalog with those before and behind migrations. Both are made by replaying the
 * migrations that the history calls applied, without these and with them; the effect is the
 * difference of the two, so that changes by others are none of it. Only reads.
 *
 * h       read; what its entries call applied is taken so
 * of      looked at as one
 * errors  a signal, a lost connection. A replay that fails is a verdict.
 * cost    two replays (cached), the catalog read twice */
MUST_CHECK bool flow_evidence(Arena *a, const FlowInput *in, const Session *s, const History *h,
                              const MigrationRefs *of, Evidence *ret, Err *err);

/* Fill `rows` and `is_parted` alone. errors: those of reading and splitting the file */
MUST_CHECK bool flow_evidence_rows(Arena *a, const Migration *m, Evidence *ret, Err *err);

/* The same migration with its first n statements only. errors: those of migration_text and sql_split */
MUST_CHECK bool flow_migration_until(Arena *a, const Migration *m, size_t n, Migration *ret,
                                     Err *err);

/* The history with entries of its own, in which these have another state. */
History flow_history_as(Arena *a, const History *h, const MigrationRefs *of, EntryState state);
