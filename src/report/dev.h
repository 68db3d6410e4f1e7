/* What dev has done, as text and JSON. */
#pragma once

#include "base/jw.h"
#include "flow/create.h"
#include "flow/dev.h"
#include "flow/generate.h"
#include "report/term.h"

typedef struct DevReport {
    const DevLook *look;             /* of the beginning */
    bool settled, kept, left;        /* the drift was undone, became a migration, is there still */
    CatTexts applied;                /* names of migrations, in their order */
    const CreateResult *made;        /* NULL: none was made */
    const GenerateResult *generated; /* NULL: nothing was */
    const char *not_generated;       /* why not */
    const char *seeded;              /* what was run; NULL: nothing */
} DevReport;

/* The database against what its applied migrations make, before anything is done about it. */
void report_dev_drift(Buf *out, const Term *t, const DevLook *look);

/* The files of a new migration. */
void report_dev_written(Buf *out, const Term *t, const CreateResult *r);

void report_dev_text(Buf *out, const Term *t, const DevReport *r);
/* err NULL = done. */
void report_dev_json(JsonWriter *w, const DevReport *r, const Err *err);
