/* The schema.sql that some tools write after they have migrated. */
#pragma once

#include "flow/flow.h"

#include "run/run.h"

/* Write it as the layout's tool does (HistoryLayout.dumps_schema), by pg_dump where one fits, else from
 * the catalog, which is told; where the setting dump_schema says so, after a run that applied something.
 * What goes wrong is told and is no error: the migrations are applied.
 *
 * s        after a run, outside of a transaction
 * applied  migrations of this run
 * cost     one pg_dump, or reading the catalog */
void flow_schema_file(Arena *a, const FlowInput *in, const Target *t, const Session *s,
                      const RunSink *sink, size_t applied);
