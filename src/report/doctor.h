/* Findings of the doctor as text and JSON (docs/schema/doctor.json), and the archive for support.
 */
#pragma once

#include "base/jw.h"
#include "flow/doctor.h"
#include "report/term.h"

/* 0, or DOCTOR_EXIT when there are errors. */
int report_doctor_exit(const DoctorResult *r);

/* only_bad: without what is fine or only good to know. */
void report_doctor_text(Buf *out, const Term *t, const DoctorResult *r, bool only_bad);

typedef struct BundleFile {
    const char *name, *what; /* what: for people */
    size_t bytes;
} BundleFile;

typedef struct Bundle {
    const char *path;
    VEC(BundleFile) files;
    Buf tar;
} Bundle;

/* bundle NULL = none was made. */
void report_doctor_json(JsonWriter *w, const DoctorResult *r, const Bundle *bundle);
void report_bundle_text(Buf *out, const Term *t, const Bundle *bundle);

typedef struct BundleInput {
    const DoctorResult *doctor;
    const StatusResult *status; /* NULL = it could not be had, because of */
    const Err *status_err;
    const SecretVec *secrets;
} BundleInput;

/* Make the archive in memory: findings, status, configuration with origins, the last runs' events,
 * versions. Never in it: passwords and what looks like one, texts of server errors and statements
 * (they may hold values of rows), values of environment variables that are not known to be
 * harmless. */
void report_bundle(Arena *a, const BundleInput *in, Bundle *ret);
