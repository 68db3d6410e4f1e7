/* aramid evidence: what was proven about migrations, recorded for the gates of other environments. */
#pragma once

#include "flow/ready.h"

typedef struct EvidenceInput {
    FlowInput base;
    const char *kind; /* NULL: only look */
    const char *file; /* JUnit's report, for "tests"; or NULL */
    bool ok;          /* said to be well, without a report */
    const char *by;   /* NULL = git's user, else who runs it */
    const char *note;
} EvidenceInput;

typedef struct EvidenceResult {
    const Config *config;
    const char *path; /* of the file, as shown */
    GateRecords records;
    const char *folder; /* checksum of the migrations as they are */
    size_t written;
    bool is_signed;
} EvidenceResult;

/* Add a record about the migrations as they are; "applied" asks the target's history, and adds one for each.
 * errors: ERR_USAGE: tests without a report, or nobody known; ERR_NOT_READY: the report or the proof says
 * that it is not so; ERR_CONFIG; those of flow_status */
MUST_CHECK bool flow_evidence_add(Arena *a, const EvidenceInput *in, EvidenceResult *ret, Err *err);
