/* Results of the migration commands as text and JSON. The JSON has schemas in docs/schema/. */
#pragma once

#include "base/jw.h"
#include "flow/drift.h"
#include "report/failure.h"
#include "report/term.h"

/* The member "server", null where there is none. */
void report_server_json(JsonWriter *w, const DbInfo *server);

/* "URL (origin)", and as the member "target". */
void report_target_text(Buf *out, const Term *t, const Target *target);
void report_target_json(JsonWriter *w, const Target *target);

/* "half applied" */
const char *report_entry_state(EntryState state);

/* "12 migrations found in prisma/migrations" */
const char *report_migrations_found(Arena *a, const History *h);

void report_deploy_text(Buf *out, const Term *t, const DeployResult *r, const char *log_dir);
/* err NULL = done; failure NULL = there is nothing to say beside err. */
void report_deploy_json(JsonWriter *w, const DeployResult *r, const Err *err,
                        const Failure *failure, const char *log_dir);

/* Steps, SQL, modes and the locks that the statements are known to take. */
void report_plan_text(Buf *out, const Term *t, const PlanResult *r, bool with_sql);
void report_plan_json(JsonWriter *w, const PlanResult *r);
/* The same of what is no deploy's: target and steps only. */
void report_plan_steps_text(Buf *out, const Term *t, const PlanResult *r, bool with_sql);
/* h: whose migrations they are, NULL = unsaid. with_sql: with the statements' text, not only their places. */
void report_plan_steps_json(JsonWriter *w, const char *key, const Plan *plan, const History *h,
                            bool with_sql);

void report_status_text(Buf *out, const Term *t, const StatusResult *r, bool verbose);
/* drift NULL = not looked for. */
void report_status_json(JsonWriter *w, const StatusResult *r, const DriftResult *drift,
                        int exit_status);

/* The same as a page that needs nothing but a browser. */
void report_status_page(Buf *out, const StatusResult *r);

void report_resolve_text(Buf *out, const Term *t, const ResolveResult *r);
void report_resolve_json(JsonWriter *w, const ResolveResult *r);

void report_adopt_text(Buf *out, const Term *t, const ResolveResult *r);
void report_adopt_json(JsonWriter *w, const ResolveResult *r);

void report_unlock_text(Buf *out, const Term *t, const UnlockResult *r);
void report_unlock_json(JsonWriter *w, const UnlockResult *r);

/* What pull found, the difference to what is there (`written`: was), and the findings. */
void report_pull_difference(Buf *out, const Term *t, const PullResult *r);
void report_pull_text(Buf *out, const Term *t, const PullResult *r, bool written);
void report_pull_findings(Buf *out, const Term *t, const PullResult *r);
/* with_text: with the files' texts, which may hold the URL of a datasource. */
void report_pull_json(JsonWriter *w, const PullResult *r, bool written, bool with_text);
/* The schema alone: of several files each behind a comment with its path. */
void report_pull_schema(Buf *out, const PullResult *r);
