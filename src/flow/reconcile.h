/* What differs between migrations folder, ledger and database; what mends it; and mending it. One list
 * of differences with their repairs, one flow; sync, fix and resolve --auto are parts of it. */
#pragma once

#include "flow/evidence.h"

typedef enum DifferenceClass {
    DIFFERENCE_PENDING,     /* a file that the database lacks */
    DIFFERENCE_ORDER,       /* the same, older than an applied one */
    DIFFERENCE_UNRECORDED,  /* its effect is there, its row is not */
    DIFFERENCE_PARTLY,      /* some of its effect is there, its row is not */
    DIFFERENCE_FAILED,      /* begun and not ended */
    DIFFERENCE_INTERRUPTED, /* the same, by Aramid: its journal knows where to go on */
    DIFFERENCE_EDITED,      /* the file is another one than was applied */
    DIFFERENCE_RENAMED,     /* the file has another name than was applied */
    DIFFERENCE_MISSING,     /* applied, and there is no file */
    DIFFERENCE_DOUBLED,     /* more than one row says that it is applied */
    DIFFERENCE_INCOMPLETE,  /* a row without what the tool finds it by */
    DIFFERENCE_OUTDATED,    /* the table has the form of an older version of the tool */
    DIFFERENCE_DRIFT,       /* the database was changed beside its migrations */
    DIFFERENCE_CLASSES
} DifferenceClass;

/* "pending", "order", ... */
const char *difference_name(DifferenceClass c);

typedef struct Difference {
    DifferenceClass class;
    const char *name;         /* of the migration; NULL: the ledger or the database as a whole */
    const char *text;         /* what differs and how that is known */
    const Evidence *evidence; /* NULL: the ledger tells it */
    RunRepair repair;         /* RUN_REPAIR_NONE: there is none that is safe */
    const char *does;         /* what the repair does; NULL = there is none */
    const char *next;         /* what a person does about it, NULL = nothing */
    bool is_left;             /* it needs a person; else the repair or the next deploy settles it */
} Difference;
typedef VEC(Difference) Differences;

typedef enum ReconcileScope {
    RECONCILE_ALL,    /* sync: files, ledger, catalog */
    RECONCILE_LEDGER, /* fix: rows that are wrong in themselves */
    RECONCILE_DECIDE, /* resolve --auto: one migration, or all that failed */
} ReconcileScope;

typedef struct ReconcileInput {
    FlowInput base;
    RunSink sink;
    const char *run_id;
    const char *verb;   /* "sync" */
    const char *reason; /* why there is to be no backup, or NULL */
    ReconcileScope scope;
    const char *only; /* RECONCILE_DECIDE: name of the migration; NULL = those that failed */
    bool dry_run;
    /* Asked where a person must agree (base.can_ask). */
    bool (*ask)(void *arg, const Session *s, size_t repairs, Err *err);
    void *ask_arg;
} ReconcileInput;

/* Beside the statuses of errors: something is left for a person. */
enum { RECONCILE_EXIT_LEFT = 60 };

typedef struct ReconcileResult {
    const Config *config;
    const char *verb;
    Target target;
    History history; /* as it was found */
    Differences differences;
    size_t repairs, left, pending; /* of them */
    bool dry_run, repaired;
    bool compared;         /* the whole database was, with what its migrations make */
    const char *backup_id; /* that was made before, NULL = none */
    IdentityShown identity;
    int exit_status;
    const FindingList *findings; /* of the input's sink; or NULL */
} ReconcileResult;

/* Find the differences and make the repairs, in one transaction under the migration lock, after consent
 * and the backup by policy. Only the ledger is ever changed.
 * errors: those of flow_target, session_open, flow_evidence, run_repair; ERR_NO_SUCH_MIGRATION;
 * ERR_VERIFY: what was found has changed meanwhile, or is still there afterwards */
MUST_CHECK bool flow_reconcile(Arena *a, const ReconcileInput *in, ReconcileResult *ret, Err *err);

/* The differences alone, in ret->differences; over a session with its history (read and compared) in
 * ret->history. Only reads. */
MUST_CHECK bool flow_differences(Arena *a, const ReconcileInput *in, const Session *s,
                                 ReconcileResult *ret, Err *err);
