/* The results of drift and check as text and JSON. The JSON has schemas in docs/schema/. */
#pragma once

#include "base/jw.h"
#include "flow/drift.h"
#include "report/term.h"

/* A comparison's script, with what it destroys as a comment on top. */
Str report_drift_script(Arena *a, const Diff *d);

/* with_sql: also the two scripts. */
void report_drift_text(Buf *out, const Term *t, const DriftResult *r, bool with_sql);

void report_drift_json(JsonWriter *w, const DriftResult *r);

/* The comparison as an object; null when there was nothing to compare. */
void report_drift_member(JsonWriter *w, const char *key, const DriftResult *r);

/* Changes as an array of {"change", "object", "fields"}. */
void report_changes_json(JsonWriter *w, const char *key, const Diff *d);

/* The same without what was compared with what. */
void report_drift_findings(Buf *out, const Term *t, const DriftResult *r, bool with_sql);

void report_replay_json(JsonWriter *w, const char *key, const Replay *r);

/* A mark and a text, filtered, as one line. */
void report_line(Buf *out, const Term *t, TermMark mark, TermStyle style, const char *text);

/* Objects of kinds that are not compared, as the array "notCompared". */
void report_others_json(JsonWriter *w, const CatOther *others, size_t n);
