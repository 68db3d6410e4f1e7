/* aramid doctor: everything that can be looked at, in one go. */
#pragma once

#include "doctor/doctor.h"
#include "flow/flow.h"

/* Beside the statuses of errors (errors.def), of `status`, `check` and `drift`. */
enum { DOCTOR_EXIT = 19 };

typedef struct DoctorInput {
    FlowInput base;
    const ConfigRequest *request; /* that the configuration was loaded with */
    const ConfigProblems *problems;
    unsigned areas; /* bits of FindingArea, 0 = all */
} DoctorInput;

typedef struct DoctorResult {
    const Config *config;
    unsigned areas;
    Target target;
    bool has_target;
    const DbInfo *server; /* NULL = no database was reached */
    FindingList findings;
    bool is_interrupted; /* the last checks are missing */
    int64_t ms;
} DoctorResult;

/* Look at all that was asked for; what is broken is a finding, so that this never fails. A stopped
 * embedded server is started; none is made.
 * cost: well below a second on a good network; every wait is bounded, the worst case of a host that
 * swallows packets is 3 s for each of its addresses. */
void flow_doctor(Arena *a, const DoctorInput *in, DoctorResult *ret);
