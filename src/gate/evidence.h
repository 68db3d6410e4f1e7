/* Evidence: what was proven about migrations elsewhere, as records in a file that travels with them. Pure.
 *
 * A record is signed by HMAC-SHA-256 over its fields with a key that the pipelines share; where a key is
 * given, a record without its right signature does not count. */
#pragma once

#include "base/err.h"
#include "base/vec.h"

typedef struct GateRecord {
    const char
        *kind; /* "applied", "tests", "rollback", "drill", "approval", or an item that was ticked */
    const char *environment; /* of "applied": where; else NULL */
    const char *subject;     /* name of the migration, or NULL: the whole folder */
    const char *checksum;    /* of that migration, or of the folder */
    const char *by, *at;     /* who, and when: "2026-11-30T17:45:00.000Z" */
    const char *note;        /* or NULL */
    const char *signature;   /* 64 hexadecimal digits, or NULL */
    bool counts;             /* after gate_records_check */
} GateRecord;
typedef VEC(GateRecord) GateRecords;

/* shown: the file's name, for people. errors: ERR_CONFIG */
MUST_CHECK bool gate_records_read(Arena *a, const char *shown, Str text, GateRecords *ret,
                                  Err *err);
Str gate_records_text(Arena *a, const GateRecords *list);

/* What a report of tests says. */
typedef struct GateTests {
    int cases, failed, skipped;
} GateTests;
/* Read JUnit's XML: elements testcase, failure, error, skipped. false: it holds no test case. */
bool gate_junit(Str text, GateTests *ret);

/* Sign with a key; NULL leaves it unsigned. */
void gate_record_sign(Arena *a, GateRecord *r, const char *key);
/* Say of each whether it counts. */
void gate_records_check(Arena *a, GateRecords *list, const char *key);

/* Add one, in place of an older one about the same by the same person. */
void gate_records_add(Arena *a, GateRecords *list, const GateRecord *r);
