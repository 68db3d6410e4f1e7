/* What the policy of an environment asks for before a deploy: gathered, judged by gate/, recorded (docs/gates.md). */
#pragma once

#include "flow/flow.h"
#include "gate/ready.h"

/* Judge what is pending in a history that was read.
 * words: what is asked for, NULL = what the setting gate.requires says
 * s: asked what time it is; NULL = windows are not judged.
 * errors: ERR_CONFIG: a window, a file; those of db_query
 * cost: nothing where nothing is asked for; else the files, and one round trip where there are windows */
MUST_CHECK bool flow_ready(Arena *a, const Config *c, const ConfigList *words, const Session *s,
                           const History *h, GateItems *ret, Err *err);

/* Who runs us, as the pipeline says, else git, else the system. */
const char *flow_actor(Arena *a);

/* The records that there are, not checked; none where there is no file. errors: ERR_CONFIG, ERR_IO */
MUST_CHECK bool flow_records_read(Arena *a, const Config *c, GateRecords *ret, Err *err);

/* One checksum of all migrations: their names and bytes, in order. errors: those of migration_text */
MUST_CHECK bool flow_folder_checksum(Arena *a, const History *h, const char **ret, Err *err);

/* What is missing, as an error. Always false. errors: ERR_NOT_READY */
bool flow_refuse_unready(const Config *c, const GateItems *items, Err *err);
