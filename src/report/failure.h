/* What a person looks at first when a deploy or a restore has failed: log, backup, connection,
 * statement; and what to type to have the data back. */
#pragma once

#include "base/jw.h"
#include "flow/flow.h"
#include "flow/restore.h"
#include "report/term.h"

/* NULL: there is none. Texts are not filtered for terminals. */
typedef struct Failure {
    const char *log;        /* folder of the run */
    const char *backup;     /* which, and whether it is known to be good */
    const char *connection; /* whether the server was there in the end */
    const char *statement;  /* that failed */
    const char *restore;    /* the command that brings the backup back */
    const char *contacts;   /* who is to be called, of production */
} Failure;

/* Of a deploy that failed at a migration or behind its backup, of a restore that has read its backup;
 * false where nothing was begun, and `err` alone says what there is to say. */
bool failure_of_deploy(Arena *a, const DeployResult *r, const Err *err, Failure *ret);
bool failure_of_restore(Arena *a, const RestoreReport *r, const Err *err, Failure *ret);

void failure_text(Buf *out, const Term *t, const Failure *f);
/* The member "failure"; NULL writes null. */
void failure_json(JsonWriter *w, const Failure *f);
